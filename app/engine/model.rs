//! A model on the device: opened from its folder, merged with its LoRAs, packed.

use crate::{
    fault::{Result, RunError},
    observed::Observed,
    samplers::NoiseSchedule,
    tokenizer::ClipTokenizer,
};
use fourstep_catalog::{Catalog, Location, LoraLocation};
use fourstep_compute::{Backend, CancelToken};
use fourstep_nets::{
    Autoencoder, AutoencoderConfig, ClipTextConfig, ClipTextEncoder, TinyAutoencoder, TinyAutoencoderConfig, UNet,
    UNetConfig,
};
use fourstep_protocol::{Failure, LoraRef, ModelInfo, ModelRef};
use fourstep_weights::{Checkpoint, KeyedSource, Lora, Merged, Part, Storage, VARIANTS};
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc};

/// What of a model does not change with LoRAs. Opening it packs the autoencoder only; the other weights stay files.
pub(crate) struct Base<B: Backend> {
    pub(crate) info: ModelInfo,
    pub(crate) tokenizers: Vec<ClipTokenizer>,
    pub(crate) vae: Vae<B>,
    pub(crate) schedule: NoiseSchedule,
    /// SDXL: an empty negative prompt is not encoded but all zeros.
    pub(crate) zero_empty_negative: bool,
    pub(crate) unet_config: UNetConfig,
    unet: Arc<Checkpoint>,
    text_encoders: Vec<(ClipTextConfig, Arc<Checkpoint>, Part)>,
}

/// The networks that LoRAs change.
pub(crate) struct Networks<B: Backend> {
    pub(crate) unet: UNet<B>,
    pub(crate) text_encoders: Vec<ClipTextEncoder<B>>,
}

/// Either autoencoder: latents ⇄ picture.
pub(crate) enum Vae<B: Backend> {
    /// `AutoencoderKL`, the full one.
    Kl(Box<Autoencoder<B>>),
    /// `AutoencoderTiny`.
    Tiny(Box<TinyAutoencoder<B>>),
}

/// What loading needs of the run it happens in.
pub(crate) struct Loading<'a> {
    pub(crate) cancel: CancelToken,
    /// Told how much is done, 0 … 1.
    pub(crate) progress: &'a (dyn Fn(f32) + Sync),
}

/// `model_index.json`: which class each folder is.
#[derive(Deserialize)]
struct ModelIndex {
    /// SDXL only, where absent means yes, as in diffusers.
    force_zeros_for_empty_prompt: Option<bool>,
    #[serde(flatten)]
    parts: HashMap<String, serde_json::Value>,
}

impl ModelIndex {
    fn class(&self, part: &str) -> Option<&str> {
        self.parts.get(part)?.as_array()?.get(1)?.as_str()
    }
}

impl<B: Backend> Base<B> {
    pub(crate) fn open(b: &B, catalog: &Catalog, info: ModelInfo, cancel: &CancelToken) -> Result<Self> {
        let storage = storage(catalog.locate(&info.model)?);
        let index: ModelIndex = storage.json("model_index.json")?;
        let pairs = [("", Part::TextEncoder1), ("_2", Part::TextEncoder2)];
        let mut tokenizers = Vec::new();
        let mut text_encoders = Vec::new();
        for (ending, part) in pairs {
            let folder = format!("text_encoder{ending}");
            if index.class(&folder).is_none() {
                continue;
            }
            tokenizers.push(ClipTokenizer::load(&storage, &format!("tokenizer{ending}"))?);
            let config = storage.json(&format!("{folder}/config.json"))?;
            text_encoders.push((config, Arc::new(Checkpoint::open(&storage, &folder, VARIANTS)?), part));
        }
        if text_encoders.is_empty() {
            return Err(no_text_encoder(&info).into());
        }
        let xl = text_encoders.len() == 2;
        Ok(Self {
            tokenizers,
            text_encoders,
            vae: Vae::open(b, &storage, index.class("vae"), cancel)?,
            schedule: schedule(&storage)?,
            zero_empty_negative: xl && index.force_zeros_for_empty_prompt.unwrap_or(true),
            unet_config: storage.json("unet/config.json")?,
            unet: Arc::new(Checkpoint::open(&storage, "unet", VARIANTS)?),
            info,
        })
    }

    /// Packs the networks with these LoRAs merged in.
    pub(crate) fn networks(
        &self,
        b: &B,
        catalog: &Catalog,
        loras: &[LoraRef],
        loading: &Loading<'_>,
    ) -> Result<Networks<B>> {
        let loras = open_loras(catalog, loras)?;
        let parts = self.text_encoders.iter().map(|(_, checkpoint, _)| checkpoint).chain([&self.unet]);
        let total = parts.map(|c| elements(&**c)).sum::<usize>().max(1) as f32;
        let mut done = 0;
        let mut text_encoders = Vec::new();
        for (config, checkpoint, part) in &self.text_encoders {
            let merged = merged(checkpoint, &loras, *part)?;
            let progress = |read: usize| (loading.progress)((done + read) as f32 / total);
            let source = Observed::new(&merged, loading.cancel.clone(), &progress);
            text_encoders.push(ClipTextEncoder::load(b, &source, config)?);
            done += elements(&**checkpoint);
        }
        let merged = merged(&self.unet, &loras, Part::UNet)?;
        let progress = |read: usize| (loading.progress)((done + read) as f32 / total);
        let source = Observed::new(&merged, loading.cancel.clone(), &progress);
        Ok(Networks { unet: UNet::load(b, &source, &self.unet_config)?, text_encoders })
    }
}

impl<B: Backend> Vae<B> {
    fn open(b: &B, storage: &Storage, class: Option<&str>, cancel: &CancelToken) -> Result<Self> {
        let checkpoint = Checkpoint::open(storage, "vae", VARIANTS)?;
        let source = Observed::new(&checkpoint, cancel.clone(), &|_| ());
        match class {
            Some("AutoencoderTiny") => {
                let config: TinyAutoencoderConfig = storage.json("vae/config.json")?;
                Ok(Self::Tiny(Box::new(TinyAutoencoder::load(b, &source, &config)?)))
            }
            _ => {
                let config: AutoencoderConfig = storage.json("vae/config.json")?;
                Ok(Self::Kl(Box::new(Autoencoder::load(b, &source, &config)?)))
            }
        }
    }

    /// Latents → picture in −1 … 1.
    pub(crate) fn decode(&self, b: &B, latents: &B::Tensor) -> Result<B::Tensor> {
        Ok(match self {
            Self::Kl(vae) => vae.decode(b, latents)?,
            Self::Tiny(vae) => vae.decode(b, latents)?,
        })
    }
}

/// The model's own tiny decoder, for previews; `None` where it brings none.
///
/// # Errors
/// [`Failure`] where the model's files are missing or damaged.
pub fn open_tiny_decoder<B: Backend>(
    b: &B,
    catalog: &Catalog,
    model: &ModelRef,
) -> std::result::Result<Option<TinyAutoencoder<B>>, Failure> {
    let open = || -> Result<_> {
        let storage = storage(catalog.locate(model)?);
        let index: ModelIndex = storage.json("model_index.json")?;
        if index.class("vae") != Some("AutoencoderTiny") {
            return Ok(None);
        }
        let checkpoint = Checkpoint::open(&storage, "vae", VARIANTS)?;
        let config: TinyAutoencoderConfig = storage.json("vae/config.json")?;
        Ok(Some(TinyAutoencoder::load_decoder(b, &checkpoint, &config)?))
    };
    open().map_err(|error| match error {
        RunError::Failed(failure) => failure,
        RunError::Cancelled => Failure::machine("The preview decoder was not opened", "cancelled", "Try again."),
    })
}

fn storage(location: Location) -> Storage {
    match location {
        Location::Directory(path) => Storage::Directory(path),
        Location::Embedded(files) => Storage::Embedded(files),
    }
}

fn schedule(storage: &Storage) -> Result<NoiseSchedule> {
    let config: serde_json::Value = storage.json("scheduler/scheduler_config.json")?;
    Ok(NoiseSchedule::from_json(&config.to_string())?)
}

fn open_loras(catalog: &Catalog, loras: &[LoraRef]) -> Result<Vec<(Arc<Lora>, f32)>> {
    let open = |lora: &LoraRef| -> Result<_> {
        let opened = match catalog.locate_lora(&lora.source)? {
            LoraLocation::File(path) => Lora::open(&path)?,
            LoraLocation::Embedded(bytes) => Lora::from_bytes(&lora.source, Arc::new(bytes))?,
        };
        Ok((Arc::new(opened), lora.weight))
    };
    loras.iter().map(open).collect()
}

fn merged(base: &Arc<Checkpoint>, loras: &[(Arc<Lora>, f32)], part: Part) -> Result<Merged> {
    let merged = Merged::new(base.clone(), loras.to_vec(), part)?;
    for report in merged.reports().iter().filter(|report| report.total > 0) {
        log::info!("{}: {} of {} modules merged", report.lora, report.matched, report.total);
        if !report.ignored.is_empty() {
            log::warn!("{}: ignored {}", report.lora, report.ignored.join(", "));
        }
    }
    Ok(merged)
}

/// Numbers in all tensors: a measure of how long packing takes, whatever they are stored as.
fn elements(source: &dyn KeyedSource) -> usize {
    source.keys().filter_map(|key| source.shape(key)).map(|shape| shape.iter().product::<usize>()).sum()
}

fn no_text_encoder(info: &ModelInfo) -> Failure {
    Failure::input(
        "The model cannot be run",
        format!("{} has no text encoder in its model_index.json", info.name),
        "Choose a complete folder in the diffusers layout.",
    )
}
