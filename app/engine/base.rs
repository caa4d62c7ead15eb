use crate::{fault::Result, samplers::NoiseSchedule, tokenizer::ClipTokenizer, vae::from_config};
use fourstep_catalog::Catalog;
use fourstep_compute::CancelToken;
use fourstep_nets::{ClipTextConfig, UNetConfig};
use fourstep_protocol::{Failure, ModelInfo};
use fourstep_weights::{KeyedSource, ModelFiles, Network, Part, TextEncoder, Tokenizer, open_vae};
use std::sync::Arc;

/// What of a model does not change with LoRAs, as it lies in its files: nothing is on the device yet.
pub(crate) struct Base {
    pub(crate) info: ModelInfo,
    pub(crate) schedule: NoiseSchedule,
    /// SDXL: an empty negative prompt is not encoded but all zeros.
    pub(crate) zero_empty_negative: bool,
    pub(crate) text_encoders: Vec<TextPart>,
    pub(crate) unet_config: UNetConfig,
    pub(crate) unet: Network,
    vae: Option<Network>,
}

/// A text encoder in its file, and its tokenizer.
pub(crate) struct TextPart {
    pub(crate) part: Part,
    pub(crate) tokenizer: ClipTokenizer,
    pub(crate) config: ClipTextConfig,
    pub(crate) weights: Arc<dyn KeyedSource>,
}

impl Base {
    /// Ends between two files where nobody waits for the model any more.
    pub(crate) fn open(catalog: &Catalog, info: ModelInfo, cancel: &CancelToken) -> Result<Self> {
        cancel.check()?;
        let files = catalog.locate(&info.model)?.open()?;
        Self::new(info, files, cancel)
    }

    pub(crate) fn new(info: ModelInfo, files: ModelFiles, cancel: &CancelToken) -> Result<Self> {
        let xl = files.unet.weights.contains("add_embedding.linear_1.weight");
        let encoders = if xl { 2 } else { 1 };
        if files.text_encoders.len() < encoders {
            return Err(no_text_encoder(&info, files.text_encoders.len(), encoders).into());
        }
        let open_text = |encoder| -> Result<_> {
            cancel.check()?;
            TextPart::open(encoder)
        };
        Ok(Self {
            text_encoders: files.text_encoders.into_iter().map(open_text).collect::<Result<_>>()?,
            schedule: NoiseSchedule::from_json(&files.scheduler.to_string())?,
            zero_empty_negative: files.zero_empty_negative,
            unet_config: from_config(&files.unet.config)?,
            unet: files.unet,
            vae: files.vae,
            info,
        })
    }

    /// The autoencoder to use: the one asked for, else the model's.
    pub(crate) fn vae(&self, catalog: &Catalog, asked: Option<&str>) -> Result<Network> {
        match (asked, &self.vae) {
            (Some(asked), _) => Ok(open_vae(&catalog.locate_vae(asked)?)?.for_latents_of(&*self.unet.weights)),
            (None, Some(own)) => Ok(own.clone()),
            (None, None) => Err(no_vae(&self.info).into()),
        }
    }
}

impl TextPart {
    fn open(encoder: TextEncoder) -> Result<Self> {
        let TextEncoder { part, network, tokenizer } = encoder;
        let tokenizer = match tokenizer {
            Tokenizer::Files(storage, folder) => ClipTokenizer::load(&storage, &folder)?,
            Tokenizer::Clip { pad_with_zero } => ClipTokenizer::standard(pad_with_zero)?,
        };
        Ok(Self { part, tokenizer, config: from_config(&network.config)?, weights: network.weights })
    }
}

fn no_text_encoder(info: &ModelInfo, has: usize, needs: usize) -> Failure {
    let has = if has == 0 { "no text encoder".into() } else { format!("{has} of its {needs} text encoders") };
    let why = format!("{} has {has} in its files, so nothing can read the prompt", info.name);
    let remedy = "Choose the complete checkpoint (often the larger of two files), or a folder in the diffusers layout.";
    Failure::input("The model cannot be run", why, remedy)
}

fn no_vae(info: &ModelInfo) -> Failure {
    let why =
        format!("{} has no autoencoder (VAE) in its files, so nothing can turn its latents into a picture", info.name);
    let vae = match info.family {
        fourstep_protocol::Family::Sdxl | fourstep_protocol::Family::Ssd1b => "sdxl-vae-fp16-fix",
        _ => "a VAE for Stable Diffusion 1.5, such as vae-ft-mse-840000",
    };
    Failure::input(
        "The model cannot be run",
        why,
        format!("Choose an autoencoder for it: {vae} (on the command line with --vae)."),
    )
}
