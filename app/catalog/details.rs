//! More of a model or a LoRA than painting needs to know: what `fourstep models inspect` says.

use crate::{
    Catalog, LoraLocation, catalog::NO_MODEL, entry::Entry, inspect::unreadable, items::size_on_disk,
    scan::look::NO_LORA,
};
use fourstep_protocol::{Failure, LoraInfo, LoraReport, ModelInfo, ModelRef};
use fourstep_weights::{
    Lora, Merged, ModelFiles, ModelSource, Network, NetworkClass, Part, Prediction, Storage, lora_report,
};
use serde::Serialize;
use std::sync::Arc;

/// A model with its networks.
#[derive(Clone, Debug, Serialize)]
pub struct ModelDetails {
    /// What it is and wants.
    #[serde(flatten)]
    pub info: ModelInfo,
    /// What its U-Net predicts: `epsilon`, `v` or `sample`.
    pub prediction: &'static str,
    /// What its maker calls it.
    pub title: Option<String>,
    /// On disk; 0 for what is in the program.
    pub size_bytes: u64,
    /// Each network, the U-Net first.
    pub networks: Vec<NetworkDetails>,
}

/// A network of a model.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkDetails {
    /// `U-Net`, `autoencoder`, `text encoder`
    pub part: &'static str,
    /// As diffusers calls it: `AutoencoderKL`.
    pub class: &'static str,
    /// Numbers in all tensors.
    pub parameters: u64,
    /// How many tensors it has.
    pub tensors: usize,
}

/// A LoRA, and how it fits a model.
#[derive(Clone, Debug, Serialize)]
pub struct LoraDetails {
    /// What it is.
    #[serde(flatten)]
    pub info: LoraInfo,
    /// How it fits the model it was matched against.
    pub report: Option<LoraReport>,
}

impl Catalog {
    /// A model with its networks, from headers and configurations.
    ///
    /// # Errors
    /// As [`inspect`](Self::inspect).
    pub fn details(&self, model: &ModelRef) -> Result<ModelDetails, Failure> {
        let info = self.inspect(model)?;
        let (files, size_bytes) = self.open(model)?;
        let mut networks = vec![network("U-Net", &files.unet)];
        networks.extend(files.vae.iter().map(|vae| network("autoencoder", vae)));
        networks.extend(files.text_encoders.iter().map(|encoder| network(encoder.part.label(), &encoder.network)));
        Ok(ModelDetails {
            prediction: match files.identity.prediction {
                Prediction::Epsilon => "epsilon",
                Prediction::V => "v",
                Prediction::Sample => "sample",
            },
            title: files.identity.title,
            info,
            size_bytes,
            networks,
        })
    }

    /// What a LoRA is: an id of the catalog, or the path of a file.
    ///
    /// # Errors
    /// As [`locate_lora`](Self::locate_lora), and where the file is damaged or no LoRA.
    pub fn lora(&self, source: &str) -> Result<LoraInfo, Failure> {
        let info = match self.locate_lora(source)? {
            LoraLocation::File(path) => self.lora_info(&path)?,
            LoraLocation::Embedded(bytes) => {
                Lora::from_bytes(source, Arc::new(bytes)).map_err(|e| unreadable(NO_LORA, &e))?.info(source)
            }
        };
        Ok(match self.entry(source) {
            Some(Entry::Part(_, part)) => {
                let few_step = info.few_step || part.few_step;
                LoraInfo { source: part.id, name: part.name, few_step, ..info }
            }
            _ => LoraInfo { source: source.to_owned(), ..info },
        })
    }

    /// What a LoRA is, and how it fits a model.
    ///
    /// # Errors
    /// As [`lora`](Self::lora) and [`inspect`](Self::inspect), and where it was made for another family.
    pub fn lora_details(&self, source: &str, model: Option<&ModelRef>) -> Result<LoraDetails, Failure> {
        let info = self.lora(source)?;
        let report = model.map(|model| self.fits(source, model)).transpose()?;
        Ok(LoraDetails { info, report })
    }

    fn fits(&self, source: &str, model: &ModelRef) -> Result<LoraReport, Failure> {
        let fail = |e| unreadable("The LoRA cannot be used with this model", &e);
        let lora = match self.locate_lora(source)? {
            LoraLocation::File(path) => Lora::open(&path),
            LoraLocation::Embedded(bytes) => Lora::from_bytes(source, Arc::new(bytes)),
        };
        let lora = Arc::new(lora.map_err(fail)?);
        let (files, _) = self.open(model)?;
        lora.check_family(files.identity.family).map_err(fail)?;
        let texts = files.text_encoders.into_iter().map(|encoder| (encoder.part, encoder.network));
        let mut reports = Vec::new();
        for (part, network) in texts.chain([(Part::UNet, files.unet)]) {
            let merged = Merged::new(network.weights, vec![(lora.clone(), 1.0)], part).map_err(fail)?;
            reports.extend(merged.reports().to_vec());
        }
        Ok(lora_report(source, &lora, &reports))
    }

    /// A model's files with the U-Net and autoencoder that its entry gives it, and their size on disk.
    fn open(&self, model: &ModelRef) -> Result<(ModelFiles, u64), Failure> {
        let location = self.locate(model)?;
        let files = location.open().map_err(|e| unreadable(NO_MODEL, &e))?;
        let base = match &location.source {
            ModelSource::File(path) | ModelSource::Folder(Storage::Directory(path)) => size_on_disk(path),
            ModelSource::Folder(Storage::Embedded(_)) => 0,
        };
        let parts = [location.unet, location.vae].into_iter().flatten();
        Ok((files, base + parts.map(|path| size_on_disk(&path)).sum::<u64>()))
    }
}

fn network(part: &'static str, network: &Network) -> NetworkDetails {
    NetworkDetails {
        part,
        class: match network.class {
            NetworkClass::UNet => "UNet2DConditionModel",
            NetworkClass::AutoencoderKl => "AutoencoderKL",
            NetworkClass::AutoencoderTiny => "AutoencoderTiny",
            NetworkClass::ClipText => "CLIPTextModel",
        },
        parameters: network.elements(),
        tensors: network.weights.keys().count(),
    }
}
