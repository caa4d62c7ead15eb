//! One network on its own: what replaces a model's U-Net or autoencoder.

use super::{Network, NetworkClass, identity, naming, refusal};
use crate::{Checkpoint, Fault, KeyedSource, Result, Storage, VARIANTS};
use serde_json::Value;
use std::{path::Path, sync::Arc};

/// A U-Net that replaces a model's own: a folder of diffusers, or a file, with `config.json` beside it or without.
///
/// # Errors
/// [`Fault::UnknownModel`] where it holds no U-Net, and everything that can be wrong with a file.
pub fn open_unet(path: &Path) -> Result<Network> {
    unet_beside(path, None)
}

/// The same, for text encoders whose pooled output is so wide: a file of SDXL's form does not tell it otherwise.
pub(super) fn unet_beside(path: &Path, pooled: Option<usize>) -> Result<Network> {
    let (file, config) = open(path)?;
    unet(&file, config, pooled).map_err(|fault| fault.of(path.display().to_string()))
}

/// An autoencoder that replaces a model's own, or a tiny decoder: a folder of diffusers, or a file, with `config.json`
/// beside it or without, in the names of diffusers, ldm or TAESD.
///
/// Without a `config.json` an `AutoencoderKL` has no `scaling_factor`: the file does not tell it. Set it to a model's
/// latents with [`Network::for_latents_of`] before decoding.
///
/// # Errors
/// [`Fault::NoAutoencoder`], and everything that can be wrong with a file.
pub fn open_vae(path: &Path) -> Result<Network> {
    let (file, config) = open(path)?;
    autoencoder(&file, config).map_err(|fault| fault.of(path.display().to_string()))
}

fn unet(file: &Arc<Checkpoint>, config: Option<Value>, pooled: Option<usize>) -> Result<Network, Fault> {
    let source: Arc<dyn KeyedSource> = file.clone();
    let config = config.filter(|config| config["_class_name"] == "UNet2DConditionModel");
    if let (Some(config), true) = (config, source.contains("conv_in.weight")) {
        identity::check_channels(config["in_channels"].as_u64().unwrap_or(4))?;
        return Ok(Network { class: NetworkClass::UNet, config, weights: source });
    }
    if let Some(other) = refusal::other_kind(file) {
        return Err(other);
    }
    refusal::check_formats(file)?;
    naming::unet(&source, pooled).unwrap_or_else(|| Err(refusal::without_unet(file)))
}

fn autoencoder(file: &Arc<Checkpoint>, config: Option<Value>) -> Result<Network, Fault> {
    let source: Arc<dyn KeyedSource> = file.clone();
    let class = config.as_ref().and_then(|config| match config["_class_name"].as_str()? {
        "AutoencoderKL" => Some((NetworkClass::AutoencoderKl, "decoder.up_blocks.0.resnets.0.conv1.weight")),
        "AutoencoderTiny" => Some((NetworkClass::AutoencoderTiny, "decoder.layers.0.weight")),
        _ => None,
    });
    if let (Some(config), Some((class, key))) = (config, class)
        && source.contains(key)
    {
        return Ok(Network { class, config, weights: source });
    }
    let Some(vae) = naming::autoencoder(&source) else {
        refusal::check_formats(file)?;
        return Err(Fault::NoAutoencoder);
    };
    vae
}

/// The weights, and the `config.json` beside them. Of another network's, which may lie in a folder of loose files, the
/// caller sees by its class.
fn open(path: &Path) -> Result<(Arc<Checkpoint>, Option<Value>)> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let storage = Storage::Directory(folder.into());
    let file = if path.is_dir() { Checkpoint::open(&storage, "", VARIANTS)? } else { Checkpoint::open_file(path)? };
    let config = storage.exists("config.json").then(|| storage.json("config.json")).transpose();
    // A damaged configuration beside a loose file may not be this file's.
    let config = if path.is_dir() { config? } else { config.unwrap_or_default() };
    Ok((Arc::new(file), config))
}
