//! What kind of model it is, from tensors, metadata and the noise schedule.

use super::Network;
use crate::Fault;
use fourstep_protocol::Family;
use serde_json::Value;

/// What kind of model it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// From the shapes of its U-Net.
    pub family: Family,
    /// Whether it paints in few steps by itself.
    pub few_step: FewStep,
    /// What its U-Net predicts.
    pub prediction: Prediction,
    /// Width and height of the pictures it was trained with, in px.
    pub native_size: [u32; 2],
    /// What its maker calls it.
    pub title: Option<String>,
}

/// Whether a model paints in few steps by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FewStep {
    /// It needs many steps, or an LCM-LoRA.
    No,
    /// A latent consistency model with guidance trained in (`time_embedding.cond_proj`).
    FullLcm,
    /// A latent consistency model without: an LCM-LoRA merged in.
    MergedLcm,
    /// Adversarially distilled: one to four steps, no guidance.
    Turbo,
}

/// What a U-Net predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prediction {
    /// The noise ε.
    Epsilon,
    /// The velocity v (arXiv 2202.00512).
    V,
    /// The clean sample.
    Sample,
}

/// Px of a picture for one of its latents, along a side.
const LATENT_PX: u64 = 8;

impl Prediction {
    /// As schedulers call it; absent means noise.
    pub(super) fn of(scheduler: &Value) -> Self {
        match scheduler["prediction_type"].as_str() {
            Some("v_prediction") => Self::V,
            Some("sample") => Self::Sample,
            _ => Self::Epsilon,
        }
    }
}

impl FewStep {
    /// What a diffusers folder says.
    pub(super) fn of_folder(unet: &Network, scheduler: &Value) -> Self {
        if is_full_lcm(unet) {
            return Self::FullLcm;
        }
        let class = scheduler["_class_name"].as_str().unwrap_or_default();
        if class == "LCMScheduler" {
            return Self::MergedLcm;
        }
        // SD-Turbo and SDXL-Turbo carry no other mark. Zero-SNR models are spaced so too, but predict v.
        let trailing_euler = class.starts_with("Euler") && scheduler["timestep_spacing"] == "trailing";
        let zero_snr = scheduler["rescale_betas_zero_snr"] == true;
        let epsilon = Prediction::of(scheduler) == Prediction::Epsilon;
        if trailing_euler && epsilon && !zero_snr { Self::Turbo } else { Self::No }
    }
}

/// Whether the U-Net has an input for the guidance scale.
pub(super) fn is_full_lcm(unet: &Network) -> bool {
    unet.weights.contains("time_embedding.cond_proj.weight")
}

/// Whether the U-Net takes sizes and pooled text, as SDXL does.
pub(super) fn is_xl(unet: &Network) -> bool {
    unet.weights.contains("add_embedding.linear_1.weight")
}

/// The family of a U-Net with diffusers keys: by the width of its cross-attention, SDXL's extra embedding, the width
/// of its levels and the number of its transformer layers.
pub(super) fn family(unet: &Network) -> Family {
    let weights = &unet.weights;
    let width = |key: &str| weights.shape(key).and_then(|shape| shape.get(1)).copied().unwrap_or(0);
    let cross_keys: Vec<&str> = weights.keys().filter(|key| key.ends_with(".attn2.to_k.weight")).collect();
    let cross = cross_keys.first().map_or(0, |key| width(key));
    let channels = weights.shape("conv_in.weight").and_then(|shape| shape.first()).copied().unwrap_or(0);
    match (is_xl(unet), channels, cross, cross_keys.len()) {
        (false, 320, 768, 16) => Family::Sd15,
        (false, 320, 1024, 16) => Family::Sd2,
        (true, 320, 2048, 70) => Family::Sdxl,
        (true, 320, 2048, 34) => Family::Ssd1b,
        _ => Family::Custom,
    }
}

/// Refuses networks that want more than latents to start from.
pub(super) fn check_channels(in_channels: u64) -> Result<(), Fault> {
    let what = match in_channels {
        4 => return Ok(()),
        9 => "an inpainting model (its network takes 9 channels)".into(),
        8 => "a model that edits pictures by instruction (its network takes 8 channels)".into(),
        n => format!("a model whose network takes {n} channels instead of 4"),
    };
    Err(Fault::OtherModel(what))
}

/// Px of `sample_size` in a U-Net's configuration: diffusers writes one number for a square.
pub(super) fn sample_px(unet: &Value) -> Option<[u32; 2]> {
    let px = |side: &Value| u32::try_from(side.as_u64()?.saturating_mul(LATENT_PX)).ok();
    let size = &unet["sample_size"];
    match size.as_array().map(Vec::as_slice) {
        Some([height, width]) => Some([px(width)?, px(height)?]),
        _ => px(size).map(|side| [side, side]),
    }
}
