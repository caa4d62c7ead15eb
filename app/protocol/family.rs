use serde::{Deserialize, Serialize};
use std::fmt;

/// Networks that LoRAs, decoders and recipes are made for. Told from the shapes of tensors, never from a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Stable Diffusion 1.x: CLIP ViT-L, cross-attention 768 wide.
    Sd15,
    /// Stable Diffusion 2.x: OpenCLIP ViT-H, cross-attention 1024 wide.
    Sd2,
    /// Stable Diffusion XL base: two text encoders, cross-attention 2048 wide.
    Sdxl,
    /// Segmind's distilled SDXL, with fewer transformer blocks.
    #[serde(rename = "ssd-1b")]
    Ssd1b,
    /// Networks of the same kind in sizes of their own, such as the embedded model.
    Custom,
}

impl Family {
    /// As people say it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Sd15 => "SD1.5",
            Self::Sd2 => "SD2",
            Self::Sdxl => "SDXL",
            Self::Ssd1b => "SSD-1B",
            Self::Custom => "own sizes",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
