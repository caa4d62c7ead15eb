use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::{ops::RangeInclusive, str::FromStr};

/// The rule that goes from noise to picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Latent consistency sampling, 1–8 steps (arXiv 2310.04378).
    Lcm,
    /// DDIM with η = 0 (arXiv 2010.02502).
    Ddim,
    /// Euler on the probability-flow ODE (arXiv 2206.00364).
    Euler,
    /// Euler with fresh noise at each step.
    EulerA,
    /// DPM-Solver++ 2M (arXiv 2211.01095).
    #[serde(rename = "dpmpp-2m")]
    DpmPp2m,
    /// DPM-Solver++ 2M on Karras' sigmas.
    #[serde(rename = "dpmpp-2m-karras")]
    DpmPp2mKarras,
    /// `UniPC`, order 2 (arXiv 2302.04867).
    #[serde(rename = "unipc")]
    UniPc,
}

impl Sampler {
    /// Every sampler, in the order of menus.
    pub const ALL: [Self; 7] =
        [Self::Lcm, Self::Ddim, Self::Euler, Self::EulerA, Self::DpmPp2m, Self::DpmPp2mKarras, Self::UniPc];

    /// The name on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lcm => "lcm",
            Self::Ddim => "ddim",
            Self::Euler => "euler",
            Self::EulerA => "euler-a",
            Self::DpmPp2m => "dpmpp-2m",
            Self::DpmPp2mKarras => "dpmpp-2m-karras",
            Self::UniPc => "unipc",
        }
    }

    /// The name people know, which is also the one in A1111 infotext.
    pub fn label(self) -> &'static str {
        match self {
            Self::Lcm => "LCM",
            Self::Ddim => "DDIM",
            Self::Euler => "Euler",
            Self::EulerA => "Euler a",
            Self::DpmPp2m => "DPM++ 2M",
            Self::DpmPp2mKarras => "DPM++ 2M Karras",
            Self::UniPc => "UniPC",
        }
    }

    /// The step counts that make sense: an LCM is trained for few steps, a classic sampler needs many.
    pub fn steps(self) -> RangeInclusive<u32> {
        if self == Self::Lcm { 1..=8 } else { 1..=100 }
    }
}

impl FromStr for Sampler {
    type Err = Invalid;

    fn from_str(s: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|k| k.id().eq_ignore_ascii_case(s) || k.label().eq_ignore_ascii_case(s))
            .ok_or_else(|| Invalid::SamplerText(s.into()))
    }
}

/// Which generator turns a seed into noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// MT19937 with PyTorch's normal: the CPU generator of diffusers and ComfyUI.
    #[default]
    Torch,
    /// Philox 4×32: the CUDA generator, the pictures of AUTOMATIC1111.
    Philox,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplers_are_found_by_id_and_by_label() {
        for s in Sampler::ALL {
            assert_eq!(s.id().parse(), Ok(s));
            assert_eq!(s.label().parse(), Ok(s));
            assert_eq!(serde_json::to_string(&s).expect("serialise"), format!("\"{}\"", s.id()));
        }
    }
}
