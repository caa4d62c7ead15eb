use super::{
    open::Width,
    parameters,
    shader::{self, Fixed},
    tiles::{Head, Tile},
};

/// A shader and what a variant of it fixes, but for the width of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    Linear { tile: Tile, split: bool },
    Conv2d { tile: Tile, split: bool, resized: bool },
    Geglu { tile: Tile },
    SumSplits,
    Attention(Head),
    LayerNorm,
    GroupNormStatistics,
    GroupNormFactors,
    GroupNorm,
    Activate,
    Add,
    ConcatChannels,
    UpsampleNearest,
    SelectToken,
    Show,
}

/// What a shader is bound to, in the order of its bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    Read,
    Write,
    Texture,
    Parameters,
}

/// A kernel as one device compiles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    pub(super) kernel: Kernel,
    pub(super) width: Width,
    pub(super) subgroups: bool,
}

impl Kernel {
    /// The name of its file, and of its operation.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Conv2d { .. } => "conv2d",
            Self::Geglu { .. } => "geglu",
            Self::SumSplits => "sum_splits",
            Self::Attention(_) => "attention",
            Self::LayerNorm => "layer_norm",
            Self::GroupNormStatistics => "group_norm_statistics",
            Self::GroupNormFactors => "group_norm_factors",
            Self::GroupNorm => "group_norm",
            Self::Activate => "activate",
            Self::Add => "add",
            Self::ConcatChannels => "concat_channels",
            Self::UpsampleNearest => "upsample_nearest",
            Self::SelectToken => "select_token",
            Self::Show => "show",
        }
    }

    /// Whether it adds up over a workgroup, which subgroups do faster.
    pub(super) fn adds_up(self) -> bool {
        matches!(self, Self::LayerNorm | Self::GroupNormFactors)
    }

    pub(super) fn slots(self) -> &'static [Slot] {
        use Slot::{Parameters, Read, Texture, Write};
        match self {
            Self::Linear { .. } | Self::Conv2d { .. } | Self::Geglu { .. } | Self::SumSplits => {
                &[Read, Read, Read, Read, Read, Write, Parameters]
            }
            Self::Attention(_) => &[Read, Read, Read, Write, Parameters],
            Self::LayerNorm | Self::GroupNormFactors | Self::GroupNorm | Self::Add | Self::ConcatChannels => {
                &[Read, Read, Write, Parameters]
            }
            Self::GroupNormStatistics | Self::Activate | Self::UpsampleNearest | Self::SelectToken => {
                &[Read, Write, Parameters]
            }
            Self::Show => &[Read, Texture, Parameters],
        }
    }

    /// The names of its parameters, in their order.
    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Linear { .. } | Self::Conv2d { .. } | Self::Geglu { .. } | Self::SumSplits => {
                parameters::Product::NAMES
            }
            Self::Attention(_) => parameters::Attention::NAMES,
            Self::LayerNorm => parameters::LayerNorm::NAMES,
            Self::GroupNormStatistics | Self::GroupNormFactors | Self::GroupNorm => parameters::GroupNorm::NAMES,
            Self::Activate | Self::Add | Self::SelectToken => parameters::Elementwise::NAMES,
            Self::ConcatChannels => parameters::ConcatChannels::NAMES,
            Self::UpsampleNearest => parameters::UpsampleNearest::NAMES,
            Self::Show => parameters::Show::NAMES,
        }
    }

    fn flags(self) -> Vec<&'static str> {
        let flags = match self {
            Self::Linear { split, .. } => [("SPLIT", split), ("RESIZED", false)],
            Self::Conv2d { split, resized, .. } => [("SPLIT", split), ("RESIZED", resized)],
            Self::Attention(head) => [("SCALARS", head.scalars), ("", false)],
            _ => [("", false); 2],
        };
        flags.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect()
    }

    fn constants(self) -> Vec<(&'static str, u32)> {
        match self {
            Self::Linear { tile, .. } | Self::Conv2d { tile, .. } | Self::Geglu { tile } => tile.constants().to_vec(),
            Self::Attention(head) => head.constants().to_vec(),
            _ => Vec::new(),
        }
    }
}

impl Variant {
    /// Everything that tells it from the others.
    pub(super) fn name(self) -> String {
        let mut name = format!("{} {}", self.kernel.name(), self.width.name());
        for flag in self.kernel.flags() {
            name = format!("{name} {}", flag.to_lowercase());
        }
        for (constant, value) in self.kernel.constants() {
            name = format!("{name} {}={value}", constant.to_lowercase());
        }
        if self.subgroups { name + " subgroups" } else { name }
    }

    pub(super) fn text(self) -> String {
        let (flags, constants) = (self.kernel.flags(), self.kernel.constants());
        let fixed = Fixed { width: self.width, subgroups: self.subgroups, flags: &flags, constants: &constants };
        shader::text(&format!("{}.wgsl", self.kernel.name()), &fixed)
    }
}

/// A shader as it is compiled, to be validated without a device.
#[derive(Clone, Debug)]
pub struct Shader {
    /// The operation and what this variant fixes.
    pub name: String,
    /// Its text in WGSL.
    pub text: String,
    /// What its uniform `Parameters` have to be called, in this order.
    pub parameters: &'static [&'static str],
}

/// Every variant of every shader that some device compiles for the networks there are.
pub fn shaders() -> Vec<Shader> {
    let mut kernels = vec![
        Kernel::SumSplits,
        Kernel::LayerNorm,
        Kernel::GroupNormStatistics,
        Kernel::GroupNormFactors,
        Kernel::GroupNorm,
        Kernel::Activate,
        Kernel::Add,
        Kernel::ConcatChannels,
        Kernel::UpsampleNearest,
        Kernel::SelectToken,
        Kernel::Show,
    ];
    for tile in Tile::all() {
        kernels.push(Kernel::Geglu { tile });
        for split in [false, true] {
            kernels.push(Kernel::Linear { tile, split });
            kernels.extend([false, true].map(|resized| Kernel::Conv2d { tile, split, resized }));
        }
    }
    kernels.extend(Head::all().into_iter().map(Kernel::Attention));
    let widths = |kernel| [Width::F32, Width::F16].map(|width| (kernel, width));
    let variants = kernels.into_iter().flat_map(widths).flat_map(|(kernel, width)| {
        let subgroups = if kernel.adds_up() { &[false, true][..] } else { &[false] };
        subgroups.iter().map(move |subgroups| Variant { kernel, width, subgroups: *subgroups })
    });
    variants.map(|v| Shader { name: v.name(), text: v.text(), parameters: v.kernel.parameters() }).collect()
}
