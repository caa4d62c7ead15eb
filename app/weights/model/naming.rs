//! The networks of a single file, found by the names of their tensors and brought under diffusers' keys.

use super::{
    Network, NetworkClass,
    shapes::{self, Shapes},
};
use crate::{
    Fault, KeyedSource,
    keys::{open_clip, tiny, unet::UNetKeys, vae},
    mapped::{Mapped, View},
};
use std::sync::Arc;

type Source = Arc<dyn KeyedSource>;

/// What may stand before the keys of each network; none where the file holds nothing else.
const UNET: &[&str] = &["model.diffusion_model.", "diffusion_model.", "unet.", ""];
const VAE: &[&str] = &["first_stage_model.", "vae.", ""];
const TINY_DECODER: &[&str] = &["taesd_decoder.", "decoder.", ""];
const TINY_ENCODER: &[&str] = &["taesd_encoder.", "encoder."];

/// A text encoder found in a file.
pub(super) struct FoundText {
    pub(super) network: Network,
    pub(super) open_clip: bool,
}

/// The U-Net, in ldm's names or in diffusers'. `pooled` is the width of the pooled text of SDXL's form.
pub(super) fn unet(file: &Source, pooled: Option<usize>) -> Option<Result<Network, Fault>> {
    let weights = unet_weights(file)?;
    let config = shapes::unet(Shapes(&*weights), pooled);
    Some(config.map(|config| Network { class: NetworkClass::UNet, config, weights }))
}

fn unet_weights(file: &Source) -> Option<Source> {
    for prefix in UNET {
        let has = |key: &str| file.contains(&format!("{prefix}{key}"));
        if has("input_blocks.0.0.weight") {
            let keys: Vec<&str> = file.keys().filter_map(|key| key.strip_prefix(prefix)).collect();
            let keys = UNetKeys::new(&keys);
            let name = |key: &str| Some((keys.diffusers(key.strip_prefix(prefix)?)?, View::Whole));
            return Some(Arc::new(Mapped::new(file.clone(), |key| name(key).into_iter().collect())));
        }
        if has("conv_in.weight") && has("time_embedding.linear_1.weight") {
            return Some(without_prefix(file, prefix));
        }
    }
    None
}

/// The autoencoder: the full one in ldm's names or in diffusers', or the tiny one in TAESD's or in diffusers'.
pub(super) fn autoencoder(file: &Source) -> Option<Result<Network, Fault>> {
    if let Some(weights) = vae_weights(file) {
        let config = shapes::vae(Shapes(&*weights));
        return Some(config.map(|config| Network { class: NetworkClass::AutoencoderKl, config, weights }));
    }
    let weights = tiny_weights(file)?;
    let config = shapes::tiny(Shapes(&*weights));
    Some(config.map(|config| Network { class: NetworkClass::AutoencoderTiny, config, weights }))
}

fn vae_weights(file: &Source) -> Option<Source> {
    for prefix in VAE {
        let has = |key: &str| file.contains(&format!("{prefix}{key}"));
        if !has("decoder.conv_in.weight") {
            continue;
        }
        if has("decoder.up_blocks.0.resnets.0.conv1.weight") {
            return Some(without_prefix(file, prefix));
        }
        let levels = (0..).take_while(|level| has(&format!("decoder.up.{level}.block.0.conv1.weight"))).count();
        let name = |key: &str| vae::diffusers(key.strip_prefix(prefix)?, levels);
        return Some(Arc::new(Mapped::new(file.clone(), |key| name(key).into_iter().collect())));
    }
    None
}

fn tiny_weights(file: &Source) -> Option<Source> {
    if file.contains("decoder.layers.0.weight") {
        return Some(file.clone());
    }
    let is_decoder = |prefix: &&&str| file.contains(&format!("{prefix}3.conv.0.weight"));
    let decoder = TINY_DECODER.iter().find(is_decoder)?;
    let name = |key: &str| {
        let encoder = TINY_ENCODER.iter().find_map(|prefix| tiny::diffusers(key.strip_prefix(prefix)?, false));
        encoder.or_else(|| tiny::diffusers(key.strip_prefix(decoder)?, true))
    };
    let names = |key: &str| name(key).map(|name| (name, View::Whole)).into_iter().collect();
    Some(Arc::new(Mapped::new(file.clone(), names)))
}

/// The text encoder whose keys begin with `prefix` and a name of its library.
///
/// Of OpenCLIP's, `penultimate` leaves out the last layer, as Stable Diffusion 2 does, whose context is what comes out
/// of the layer before it; and with it the projection, which nothing reads then.
pub(super) fn text_encoder(file: &Source, prefixes: &[&str], penultimate: bool) -> Option<Result<FoundText, Fault>> {
    for prefix in prefixes {
        let has = |key: &str| file.contains(&format!("{prefix}{key}"));
        let (weights, open_clip) = if has("model.token_embedding.weight") {
            (open_clip_weights(file, &format!("{prefix}model."), penultimate), true)
        } else if has("transformer.text_model.embeddings.token_embedding.weight")
            || has("transformer.embeddings.token_embedding.weight")
        {
            let weights = without_prefix(file, &format!("{prefix}transformer."));
            let open_clip = is_open_clip(&*weights);
            (weights, open_clip)
        } else {
            continue;
        };
        let config = shapes::clip(Shapes(&*weights), open_clip);
        let network = |config| Network { class: NetworkClass::ClipText, config, weights };
        return Some(config.map(|config| FoundText { network: network(config), open_clip }));
    }
    None
}

fn open_clip_weights(file: &Source, prefix: &str, penultimate: bool) -> Source {
    let layers = (0..).take_while(|n| file.contains(&format!("{prefix}transformer.resblocks.{n}.ln_1.weight"))).count();
    let whole = layers == VIT_H_LAYERS || file.contains(&format!("{prefix}text_projection"));
    let left_out = (penultimate && whole).then(|| format!("transformer.resblocks.{}.", layers.saturating_sub(1)));
    let names = |key: &str| match key.strip_prefix(prefix) {
        Some(key) if left_out.as_ref().is_some_and(|last| key.starts_with(last)) => Vec::new(),
        Some("text_projection") if penultimate => Vec::new(),
        Some(key) => open_clip::transformers(key),
        None => Vec::new(),
    };
    Arc::new(Mapped::new(file.clone(), names))
}

/// Layers of the text encoder of Stable Diffusion 2, OpenCLIP ViT-H; converted files lack the last, and the projection.
const VIT_H_LAYERS: usize = 24;
/// Widths of OpenCLIP's ViT-H and bigG, where they come under the names of transformers.
const OPEN_CLIP_WIDTHS: [usize; 2] = [1024, 1280];

fn is_open_clip(weights: &dyn KeyedSource) -> bool {
    let widths = weights.keys().filter(|key| key.ends_with("embeddings.token_embedding.weight"));
    widths.filter_map(|key| weights.shape(key)?.get(1)).any(|width| OPEN_CLIP_WIDTHS.contains(width))
}

/// The tensors whose keys begin with `prefix`, without it. Tables of positions that some programs save are left out.
fn without_prefix(file: &Source, prefix: &str) -> Source {
    let name = |key: &str| key.strip_prefix(prefix).filter(|key| !key.ends_with("position_ids")).map(str::to_owned);
    let names = |key: &str| name(key).map(|name| (name, View::Whole)).into_iter().collect();
    Arc::new(Mapped::new(file.clone(), names))
}
