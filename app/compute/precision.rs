use std::{fmt, str::FromStr};

/// How wide numbers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// What suits the device: the narrowest numbers that it computes with at full speed and whose pictures cannot be
    /// told from those of f32.
    #[default]
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits, IEEE half.
    F16,
    /// 16 bits, truncated f32.
    Bf16,
    /// Weights of most layers in 8 bits, everything else as [`Bf16`](Self::Bf16).
    Int8,
}

impl Precision {
    /// Every precision with its name on the command line.
    pub const ALL: [(Self, &'static str); 5] =
        [(Self::Auto, "auto"), (Self::F32, "f32"), (Self::F16, "f16"), (Self::Bf16, "bf16"), (Self::Int8, "int8")];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(precision, _)| *precision == self).map_or("auto", |(_, name)| name)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|(_, name)| *name == s).map(|(precision, _)| precision).ok_or_else(|| {
            let names = Self::ALL.map(|(_, name)| name).join(", ");
            format!("`{s}` is not a precision; choose one of {names}")
        })
    }
}
