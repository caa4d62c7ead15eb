//! In which precision and order the weights of each layer are kept.

use crate::shapes::Kernels;
use fourstep_kernels::product::{Layout, Precision};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What a layer's weights are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Linear,
    Geglu,
    Conv2d,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Geglu => "geglu",
            Self::Conv2d => "conv2d",
        }
    }
}

/// Channels below which a layer stands at an end of its network.
pub(super) const FEW_CHANNELS: usize = 64;

/// The precision of a layer's weights `[outputs, inputs, kernel places]` where `asked` is the network's. Kept in bf16
/// where others are in int8:
///
/// - layers with few channels on a side, such as the first and the last of a network and all of a tiny decoder: there is
///   nothing to gain, and what they get wrong stands in the picture as it is;
/// - layers whose results are `kept`, by timestep or by prompt: they run so seldom that their speed does not matter,
///   and a wrong time embedding is wrong for every pixel.
pub(super) fn precision_of_layer(asked: Precision, kind: Kind, shape: [usize; 3], kept: bool) -> Precision {
    let [outputs, inputs, _] = shape;
    let outputs = if kind == Kind::Geglu { outputs / 2 } else { outputs };
    if asked == Precision::Int8 && (kept || outputs.min(inputs) <= FEW_CHANNELS) { Precision::Bf16 } else { asked }
}

/// In which order kernels are packed: few outputs with all places as outputs; for Winograd's convolution where it has
/// fewer multiplications to offer, against 16 / 9 of the memory. Few channels drown in its transforms; where weights are
/// many and pixels few, as after two halvings, in bf16 a tenth of the time is not worth a seventh of a network's memory;
/// bytes cannot be transformed.
pub(super) fn layout_of_kernels(precision: Precision, kernels: &Kernels, level: usize) -> Layout {
    /// Outputs whose places fill two panels at most.
    const FEW_OUTPUTS: usize = 4;
    let [h, w] = kernels.size;
    if kernels.outputs <= FEW_OUTPUTS && h * w > 1 && kernels.inputs >= FEW_CHANNELS {
        return Layout::Places { taps: h * w };
    }
    let fits = [h, w, kernels.spec.stride] == [3, 3, 1] && kernels.inputs.min(kernels.outputs) >= FEW_CHANNELS;
    match precision {
        Precision::F32 if fits && level < 3 => Layout::Winograd,
        Precision::Bf16 if fits && level < 2 => Layout::Winograd,
        _ => Layout::Kernel { taps: h * w },
    }
}

/// How many layers there are of each kind and precision, and the bytes they take.
#[derive(Debug, Default)]
pub(super) struct Layers(Mutex<BTreeMap<(Kind, &'static str), Count>>);

/// Layers of one kind and precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) layers: usize,
    pub(super) bytes: usize,
}

/// A layer that is counted as long as it is there.
#[derive(Debug)]
pub(super) struct Counted {
    layers: Arc<Layers>,
    key: (Kind, &'static str),
    bytes: usize,
}

impl Layers {
    pub(super) fn count(self: &Arc<Self>, kind: Kind, precision: Precision, bytes: usize) -> Counted {
        let key = (kind, name(precision));
        self.change(key, |count| *count = Count { layers: count.layers + 1, bytes: count.bytes + bytes });
        Counted { layers: self.clone(), key, bytes }
    }

    pub(super) fn counts(&self) -> BTreeMap<(Kind, &'static str), Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, key: (Kind, &'static str), change: impl FnOnce(&mut Count)) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        change(count);
        if count.layers == 0 {
            counts.remove(&key);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let bytes = self.bytes;
        let less = |count: &mut Count| *count = Count { layers: count.layers - 1, bytes: count.bytes - bytes };
        self.layers.change(self.key, less);
    }
}

fn name(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16",
        Precision::Int8 => "int8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conv2dSpec;

    #[test]
    fn ends_of_networks_and_what_is_kept_stay_wider() {
        let of = |kind, shape, kept| precision_of_layer(Precision::Int8, kind, shape, kept);
        assert_eq!(of(Kind::Conv2d, [320, 320, 9], false), Precision::Int8);
        assert_eq!(of(Kind::Geglu, [2560, 320, 1], false), Precision::Int8);
        for shape in [[320, 4, 9], [4, 320, 9], [64, 64, 9]] {
            assert_eq!(of(Kind::Conv2d, shape, false), Precision::Bf16);
        }
        assert_eq!(of(Kind::Linear, [1280, 1280, 1], true), Precision::Bf16);
        assert_eq!(precision_of_layer(Precision::F32, Kind::Linear, [4, 4, 1], true), Precision::F32);
    }

    #[test]
    fn kernels_of_many_channels_and_pixels_are_transformed() {
        let of = |outputs, inputs, precision, level| {
            let kernels = Kernels { outputs, inputs, size: [3, 3], spec: Conv2dSpec::padded(1) };
            layout_of_kernels(precision, &kernels, level) == Layout::Winograd
        };
        assert!(of(320, 320, Precision::F32, 0) && of(640, 1920, Precision::Bf16, 1));
        assert!(!of(4, 320, Precision::F32, 0) && !of(1280, 1280, Precision::Bf16, 3));
        assert!(!of(320, 320, Precision::Int8, 0));
    }

    #[test]
    fn layers_are_counted_while_they_are_there() {
        let layers = Arc::new(Layers::default());
        let two = [(); 2].map(|()| layers.count(Kind::Linear, Precision::Bf16, 10));
        assert_eq!(layers.counts()[&(Kind::Linear, "bf16")], Count { layers: 2, bytes: 20 });
        drop(two);
        assert!(layers.counts().is_empty());
    }
}
