//! One network on its own: what replaces a model's U-Net or autoencoder.

use super::{Network, NetworkClass};
use crate::{Checkpoint, Fault, Result, Storage, VARIANTS};
use serde_json::Value;
use std::{path::Path, sync::Arc};

/// A U-Net that replaces a model's own: a file, or a folder of diffusers.
///
/// # Errors
/// Everything that can be wrong with a file.
pub fn open_unet(path: &Path) -> Result<Network> {
    let (weights, config) = open(path)?;
    let Some(config) = config else {
        return Err(Fault::UnknownModel("no config.json".into()).of(path.display().to_string()));
    };
    Ok(Network { class: NetworkClass::UNet, config, weights: Arc::new(weights) })
}

/// An autoencoder that replaces a model's own, or a tiny decoder: a file, or a folder of diffusers.
///
/// # Errors
/// Everything that can be wrong with a file.
pub fn open_vae(path: &Path) -> Result<Network> {
    let (weights, config) = open(path)?;
    let Some(config) = config else {
        return Err(Fault::UnknownModel("no config.json".into()).of(path.display().to_string()));
    };
    let class = match config["_class_name"].as_str() {
        Some("AutoencoderTiny") => NetworkClass::AutoencoderTiny,
        _ => NetworkClass::AutoencoderKl,
    };
    Ok(Network { class, config, weights: Arc::new(weights) })
}

/// The weights, and the `config.json` beside them.
fn open(path: &Path) -> Result<(Checkpoint, Option<Value>)> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let storage = Storage::Directory(folder.into());
    let weights = if path.is_dir() { Checkpoint::open(&storage, "", VARIANTS)? } else { Checkpoint::open_file(path)? };
    let config = storage.exists("config.json").then(|| storage.json("config.json")).transpose()?;
    Ok((weights, config))
}
