//! A model on disk, whatever the file format: networks with the key names and configurations of diffusers.

mod folder;
mod identity;
mod lone;
mod naming;
mod refusal;
mod schedule;
mod shapes;
mod single_file;
#[cfg(test)]
mod tests;

pub use identity::{FewStep, Identity, Prediction};
pub use lone::{open_unet, open_vae};

use crate::{Fault, KeyedSource, Part, Result, Storage};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Between latents and what an autoencoder decodes: of SDXL's form, and of all others.
const SCALING_XL: f64 = 0.13025;
const SCALING: f64 = 0.18215;

/// Where a model's weights and configurations lie.
#[derive(Clone, Debug)]
pub enum ModelSource {
    /// A folder in the diffusers layout.
    Folder(Storage),
    /// A single-file `.safetensors` checkpoint.
    File(PathBuf),
}

/// A model, opened: headers and configurations were read, tensors are views of the files.
pub struct ModelFiles {
    /// What kind of model it is.
    pub identity: Identity,
    /// The denoising network.
    pub unet: Network,
    /// The autoencoder; files may come without one.
    pub vae: Option<Network>,
    /// In the order in which their outputs are joined; files may come without any.
    pub text_encoders: Vec<TextEncoder>,
    /// The noise it was trained with, as in `scheduler_config.json`.
    pub scheduler: serde_json::Value,
    /// SDXL: an empty negative prompt is not encoded but all zeros.
    pub zero_empty_negative: bool,
}

/// A network's weights, under the keys that diffusers or transformers give them, and its `config.json`.
#[derive(Clone)]
pub struct Network {
    /// Which network it is.
    pub class: NetworkClass,
    /// As in `config.json`.
    pub config: serde_json::Value,
    /// The tensors.
    pub weights: Arc<dyn KeyedSource>,
}

/// Which network reads a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkClass {
    /// `UNet2DConditionModel`
    UNet,
    /// `AutoencoderKL`
    AutoencoderKl,
    /// `AutoencoderTiny`; single files of it may hold the decoder only.
    AutoencoderTiny,
    /// `CLIPTextModel` or `CLIPTextModelWithProjection`
    ClipText,
}

/// A text encoder with the tokenizer it was trained with.
#[derive(Clone)]
pub struct TextEncoder {
    /// What LoRAs call it.
    pub part: Part,
    /// The network.
    pub network: Network,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
}

/// Where a tokenizer comes from.
#[derive(Clone, Debug)]
pub enum Tokenizer {
    /// Files in this folder of the model: `tokenizer`.
    Files(Storage, String),
    /// The standard vocabulary of CLIP, 49408 tokens.
    Clip {
        /// Fill up with token 0 (OpenCLIP) instead of with the end of text (OpenAI's CLIP).
        pad_with_zero: bool,
    },
}

impl ModelFiles {
    /// Opens a model. Reads headers and JSON only, and what tells families apart.
    ///
    /// # Errors
    /// [`Fault::OtherModel`](crate::Fault::OtherModel) and its neighbours where it is of a kind that is not painted
    /// with, and everything that can be wrong with a file.
    pub fn open(source: &ModelSource) -> Result<Self> {
        match source {
            ModelSource::Folder(storage) => folder::open(storage),
            ModelSource::File(path) => single_file::open(path),
        }
    }

    /// Replaces the U-Net by one of the same form, as `latent-consistency/lcm-sdxl` does. Whether it paints in few steps
    /// is the new one's matter then; it takes over the noise schedule and what is predicted.
    ///
    /// # Errors
    /// [`Fault::OtherModel`](crate::Fault::OtherModel) where it reads other text; those of [`open_unet`].
    pub fn replace_unet(&mut self, path: &Path) -> Result<()> {
        let unet = lone::unet_beside(path, pooled_width(&self.text_encoders))?;
        let old = [identity::is_xl(&*self.unet.weights).into(), identity::cross_attention(&self.unet)];
        if old != [identity::is_xl(&*unet.weights).into(), identity::cross_attention(&unet)] {
            let what =
                format!("a U-Net of {} and does not fit this {} model", identity::family(&unet), self.identity.family);
            return Err(Fault::OtherModel(what).of(path.display().to_string()));
        }
        if identity::is_full_lcm(&unet) {
            self.identity.few_step = FewStep::FullLcm;
        }
        self.identity.family = identity::family(&unet);
        self.unet = unet;
        Ok(())
    }

    /// Replaces the autoencoder by one for the same latents.
    ///
    /// # Errors
    /// Those of [`open_vae`].
    pub fn replace_vae(&mut self, path: &Path) -> Result<()> {
        self.vae = Some(open_vae(path)?.for_latents_of(&*self.unet.weights));
        Ok(())
    }

    /// Numbers in all networks.
    pub fn elements(&self) -> u64 {
        let texts = self.text_encoders.iter().map(|encoder| &encoder.network);
        texts.chain(&self.vae).chain([&self.unet]).map(Network::elements).fold(0, u64::saturating_add)
    }
}

impl Network {
    /// Numbers in all tensors.
    pub fn elements(&self) -> u64 {
        self.weights.elements()
    }

    /// An autoencoder set to the latents of the model that these weights of a U-Net are of: gives it the factor between latents and
    /// what it decodes, where its configuration is silent. Files of their own do not tell it, and it differs between
    /// SDXL's form and all others. A tiny autoencoder has none.
    #[must_use]
    pub fn for_latents_of(mut self, unet: &dyn KeyedSource) -> Self {
        if let (NetworkClass::AutoencoderKl, Some(config)) = (self.class, self.config.as_object_mut()) {
            let factor = if identity::is_xl(unet) { SCALING_XL } else { SCALING };
            config.entry("scaling_factor").or_insert_with(|| factor.into());
        }
        self
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({} tensors)", self.class, self.weights.keys().count())
    }
}

/// The width of the pooled text that a U-Net of SDXL's form is told.
fn pooled_width(encoders: &[TextEncoder]) -> Option<usize> {
    encoders.last()?.network.weights.shape("text_projection.weight")?.first().copied()
}
