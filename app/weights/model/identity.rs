//! What kind of model it is, from tensors, metadata and the noise schedule.

use super::Network;
use crate::{Checkpoint, Fault, KeyedSource};
use fourstep_protocol::Family;
use serde_json::{Value, json};

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
/// Sides of pictures that a metadata's resolution is believed to mean.
const PLAUSIBLE_PX: std::ops::RangeInclusive<u32> = 64..=4096;

impl Prediction {
    /// As schedulers call it; absent means noise.
    pub(super) fn of(scheduler: &Value) -> Self {
        match scheduler["prediction_type"].as_str() {
            Some("v_prediction") => Self::V,
            Some("sample") => Self::Sample,
            _ => Self::Epsilon,
        }
    }

    /// What a single file says: in its metadata, with an empty tensor `v_pred`, or, of Stable Diffusion 2, by how widely
    /// the values of one bias are spread (ComfyUI's `supported_models.py`).
    pub(super) fn of_file(file: &Checkpoint, unet: &Network, family: Family) -> Result<Self, Fault> {
        const MARK: &str = "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias";
        const V_SPREAD: f64 = 0.09;
        if file.mentions("v_pred") {
            return Ok(Self::V);
        }
        match file.metadata().get("modelspec.prediction_type").map(String::as_str) {
            Some("v" | "v_prediction") => return Ok(Self::V),
            Some("epsilon") => return Ok(Self::Epsilon),
            _ => {}
        }
        if family != Family::Sd2 || !unet.weights.contains(MARK) {
            return Ok(Self::Epsilon);
        }
        let bias = unet.weights.tensor(MARK).map_err(|e| Fault::Damaged(e.to_string()))?;
        Ok(if spread(&bias.to_f32()) > V_SPREAD { Self::V } else { Self::Epsilon })
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

    /// What a single file says. Of distillation into few steps there is no trace in tensors unless guidance was trained
    /// in: the title in the metadata tells, and where there is none, as the last hint, the file's name.
    pub(super) fn of_file(unet: &Network, title: Option<&str>, stem: &str) -> Self {
        let name = title.unwrap_or(stem).to_lowercase();
        match name {
            _ if is_full_lcm(unet) => Self::FullLcm,
            name if name.contains("turbo") => Self::Turbo,
            name if name.contains("lcm") => Self::MergedLcm,
            _ => Self::No,
        }
    }
}

/// Whether the U-Net has an input for the guidance scale.
pub(super) fn is_full_lcm(unet: &Network) -> bool {
    unet.weights.contains("time_embedding.cond_proj.weight")
}

/// Whether the U-Net takes sizes and pooled text, as SDXL does.
pub(super) fn is_xl(unet: &dyn KeyedSource) -> bool {
    unet.contains("add_embedding.linear_1.weight")
}

/// The width of the text that the U-Net reads; 0 where it reads none.
pub(super) fn cross_attention(unet: &Network) -> usize {
    let width = |key: &str| unet.weights.shape(key)?.get(1).copied();
    cross_keys(unet).next().and_then(width).unwrap_or(0)
}

/// One key for each transformer layer.
fn cross_keys(unet: &Network) -> impl Iterator<Item = &str> {
    unet.weights.keys().filter(|key| key.ends_with(".attn2.to_k.weight"))
}

/// The family of a U-Net with diffusers keys: by the width of its cross-attention, SDXL's extra embedding, the width
/// of its levels and the number of its transformer layers.
pub(super) fn family(unet: &Network) -> Family {
    let channels = unet.weights.shape("conv_in.weight").and_then(|shape| shape.first()).copied().unwrap_or(0);
    match (is_xl(&*unet.weights), channels, cross_attention(unet), cross_keys(unet).count()) {
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

/// The `sample_size` of a U-Net's configuration for pictures of this width and height in px.
pub(super) fn sample_size([width, height]: [u32; 2]) -> Value {
    let [width, height] = [width, height].map(|px| u64::from(px) / LATENT_PX);
    if width == height { json!(width) } else { json!([height, width]) }
}

/// `modelspec.resolution`, `1024x1024` or `1024`, in px.
pub(super) fn resolution(text: &str) -> Option<[u32; 2]> {
    let (width, height) = text.split_once('x').unwrap_or((text, text));
    let px = |side: &str| side.trim().parse().ok().filter(|px| PLAUSIBLE_PX.contains(px));
    Some([px(width)?, px(height)?])
}

/// Standard deviation, as `torch.std` has it.
fn spread(values: &[f32]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
    (squares / (n - 1.0)).sqrt()
}
