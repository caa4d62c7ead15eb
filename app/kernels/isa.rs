use pulp::WithSimd;
use std::{fmt, str::FromStr};

/// A set of instructions, each containing those before it of the same architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// No vector instructions: every machine, and the reference of the tests.
    Scalar,
    /// AVX2 and FMA: f32; narrower weights are widened.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Dot products of bytes in 256 bits.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// AVX-512 F, BW, CD, DQ and VL: f32; narrower weights are widened.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Dot products of bytes in 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// Dot products of bf16 in 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    /// The vector instructions every 64-bit ARM has: f32; narrower weights are widened.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Isa {
    /// Those of this architecture by name, the least first.
    const NAMES: &[(Self, &str)] = &[
        (Self::Scalar, "scalar"),
        #[cfg(target_arch = "x86_64")]
        (Self::Avx2, "avx2"),
        #[cfg(target_arch = "x86_64")]
        (Self::AvxVnni, "avx-vnni"),
        #[cfg(target_arch = "x86_64")]
        (Self::Avx512, "avx512"),
        #[cfg(target_arch = "x86_64")]
        (Self::Avx512Vnni, "avx512-vnni"),
        #[cfg(target_arch = "x86_64")]
        (Self::Avx512Bf16, "avx512-bf16"),
        #[cfg(target_arch = "aarch64")]
        (Self::Neon, "neon"),
    ];

    /// Those that this machine has, the least first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(isa, _)| *isa).filter(|isa| isa.is_available())
    }

    /// The most that this machine has.
    pub fn best() -> Self {
        Self::available().last().unwrap_or(Self::Scalar)
    }

    /// The one that the environment variable `FOURSTEP_ISA` names; the best where it is not set.
    ///
    /// # Errors
    /// [`IsaError`] where it names none, or one that this machine lacks.
    pub fn from_environment() -> Result<Self, IsaError> {
        match std::env::var("FOURSTEP_ISA") {
            Ok(name) if !name.is_empty() => name.parse(),
            _ => Ok(Self::best()),
        }
    }

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => pulp::x86::V3::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => Self::Avx2.is_available() && is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => pulp::x86::V4::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => Self::Avx512.is_available() && is_x86_feature_detected!("avx512vnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => Self::Avx512Vnni.is_available() && is_x86_feature_detected!("avx512bf16"),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => pulp::aarch64::Neon::try_new().is_some(),
        }
    }

    /// Whether it multiplies bf16 without widening them first.
    pub fn has_bf16(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => true,
            _ => false,
        }
    }

    /// Its name in `FOURSTEP_ISA` and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(isa, _)| *isa == self).map_or("scalar", |(_, name)| name)
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = IsaError;

    /// One that this machine has, by its name.
    fn from_str(name: &str) -> Result<Self, IsaError> {
        let found = Self::NAMES.iter().find(|(_, known)| *known == name).map(|(isa, _)| *isa);
        found.filter(|isa| isa.is_available()).ok_or_else(|| IsaError {
            name: name.into(),
            known: found.is_some(),
            available: Self::available().map(Self::name).collect::<Vec<_>>().join(", "),
        })
    }
}

/// An instruction set that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}; this machine has: {available}",
    if *.known { format!("this processor has no {name}") } else { format!("there is no instruction set {name:?}") }
)]
pub struct IsaError {
    /// What was asked for.
    pub name: String,
    known: bool,
    available: String,
}

/// Runs `body` compiled for these instructions.
///
/// # Panics
/// Where the machine lacks them: an [`Isa`] is to be made by [`Isa::best`] or by name.
#[inline]
pub(crate) fn dispatch<W: WithSimd>(isa: Isa, body: W) -> W::Output {
    use pulp::Simd;
    const ABSENT: &str = "an instruction set is checked before it is used";
    match isa {
        Isa::Scalar => Simd::vectorize(pulp::Scalar::new(), body),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni => Simd::vectorize(pulp::x86::V3::try_new().expect(ABSENT), body),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16 => {
            Simd::vectorize(pulp::x86::V4::try_new().expect(ABSENT), body)
        }
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => Simd::vectorize(pulp::aarch64::Neon::try_new().expect(ABSENT), body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_what_they_name() {
        for isa in Isa::available() {
            assert_eq!(isa.name().parse(), Ok(isa));
        }
        assert_eq!(Isa::available().next(), Some(Isa::Scalar));
    }

    #[test]
    fn what_there_is_not_says_what_there_is() {
        let error = "mmx".parse::<Isa>().expect_err("unknown");
        assert!(error.to_string().contains("mmx") && error.to_string().contains("scalar"), "{error}");
    }
}
