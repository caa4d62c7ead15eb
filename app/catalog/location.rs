use fourstep_weights::{ModelFiles, ModelSource, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the files of a model are.
#[derive(Clone, Debug)]
pub struct Location {
    /// The model itself, or the base of a composite one.
    pub source: ModelSource,
    /// A file or diffusers folder whose U-Net replaces the base's own (`latent-consistency/lcm-sdxl`).
    pub unet: Option<PathBuf>,
    /// A file or diffusers folder with a better autoencoder than the base's own (`sdxl-vae-fp16-fix`).
    pub vae: Option<PathBuf>,
}

impl Location {
    /// A model that is complete by itself.
    pub(crate) fn of(source: ModelSource) -> Self {
        Self { source, unet: None, vae: None }
    }

    /// Opens the model, with the U-Net and the autoencoder that replace its own.
    ///
    /// # Errors
    /// Those of [`ModelFiles::open`], and where the U-Net does not fit.
    pub fn open(&self) -> Result<ModelFiles> {
        let mut files = ModelFiles::open(&self.source)?;
        if let Some(path) = &self.unet {
            files.replace_unet(path)?;
        }
        if let Some(path) = &self.vae {
            files.replace_vae(path)?;
        }
        Ok(files)
    }
}

/// Where a LoRA is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoraLocation {
    /// A `.safetensors` file on disk.
    File(PathBuf),
    /// In the binary.
    Embedded(&'static [u8]),
}

/// A file of a repository on the Hugging Face hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HubFile {
    /// `stabilityai/sdxl-turbo`
    pub repo: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// Within the repository, with `/`.
    pub path: String,
    /// As far as it is known before the hub is asked; approximate, the hub's answer decides.
    pub size_bytes: Option<u64>,
    /// Lowercase hexadecimal, where it is known before the hub is asked.
    pub sha256: Option<String>,
}
