//! What a folder in the diffusers layout holds, from its configuration files alone.

use fourstep_protocol::{Failure, Family, Guidance, ModelInfo, ModelRef, Recipe, Sampler, Size};
use serde::{Deserialize, de::DeserializeOwned};
use std::path::Path;

/// The file that makes a folder a model.
pub(crate) const INDEX: &str = "model_index.json";

const NO_MODEL: &str = "The model could not be opened";
/// Px of a picture for one of its latents, along a side.
const LATENT_PX: u32 = 8;
/// Guidance scales that LCMs are trained with, and what their authors use (arXiv 2310.04378, `LCM_Dreamshaper_v7`).
const LCM_GUIDANCE: Guidance = Guidance::Embedded { min: 3.0, max: 13.0 };
const LCM_GUIDANCE_SCALE: f32 = 8.0;

#[derive(Deserialize)]
struct Index {
    #[serde(rename = "_class_name")]
    pipeline: String,
}

#[derive(Deserialize)]
struct UNet {
    #[serde(rename = "_class_name", default)]
    class: Option<String>,
    in_channels: u32,
    sample_size: Option<Sides>,
    time_cond_proj_dim: Option<u32>,
}

/// diffusers writes one number for a square.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Sides {
    Square(u32),
    HeightWidth(u32, u32),
}

#[derive(Deserialize)]
struct Vae {
    #[serde(rename = "_class_name", default)]
    class: Option<String>,
    block_out_channels: Vec<u32>,
}

#[derive(Default, Deserialize)]
struct Scheduler {
    #[serde(rename = "_class_name", default)]
    class: String,
    #[serde(default)]
    timestep_spacing: String,
    #[serde(default)]
    prediction_type: Option<String>,
    #[serde(default)]
    rescale_betas_zero_snr: bool,
}

/// What the model in `folder` is and wants. The folder exists and has an index.
pub(crate) fn inspect(model: &ModelRef, folder: &Path) -> Result<ModelInfo, Failure> {
    let Index { pipeline } = read(folder, INDEX)?;
    let xl = is_xl(folder, &pipeline)?;
    let unet: UNet = read(folder, "unet/config.json")?;
    let vae: Vae = read(folder, "vae/config.json")?;
    check_unet(folder, &unet)?;
    check_vae(folder, &vae)?;
    let scheduler = match folder.join("scheduler/scheduler_config.json").is_file() {
        true => read(folder, "scheduler/scheduler_config.json")?,
        false => Scheduler::default(),
    };
    let kind = Kind::of(&unet, &scheduler);
    let (guidance, live) = kind.wants();
    Ok(ModelInfo {
        model: model.clone(),
        name: name(folder),
        detail: format!("{}{}", kind.label(), if xl { ", SDXL" } else { "" }),
        family: Family::Custom,
        guidance,
        native_size: native_size(unet.sample_size),
        live,
        compare: None,
        few_step: None,
    })
}

/// Whether the pipeline is of the SDXL family; an error where the program has no such networks.
fn is_xl(folder: &Path, pipeline: &str) -> Result<bool, Failure> {
    match pipeline {
        "StableDiffusionPipeline"
        | "StableDiffusionImg2ImgPipeline"
        | "LatentConsistencyModelPipeline"
        | "LatentConsistencyModelImg2ImgPipeline" => Ok(false),
        "StableDiffusionXLPipeline" | "StableDiffusionXLImg2ImgPipeline" => {
            // SDXL's refiner has the second encoder only, and continues pictures instead of starting them.
            if folder.join("text_encoder/config.json").is_file() {
                Ok(true)
            } else {
                Err(unsupported(folder, "it is an SDXL model without its first text encoder (a refiner)"))
            }
        }
        other => Err(unsupported(folder, &format!("it is for diffusers' {other}"))),
    }
}

fn check_unet(folder: &Path, unet: &UNet) -> Result<(), Failure> {
    if let Some(class) = unet.class.as_deref().filter(|class| *class != "UNet2DConditionModel") {
        return Err(unsupported(folder, &format!("its network is a {class}")));
    }
    match unet.in_channels {
        4 => Ok(()),
        9 => Err(unsupported(folder, "it is an inpainting model (its network takes 9 channels)")),
        8 => Err(unsupported(folder, "it edits pictures by instruction (its network takes 8 channels)")),
        n => Err(unsupported(folder, &format!("its network takes {n} channels instead of 4"))),
    }
}

fn check_vae(folder: &Path, vae: &Vae) -> Result<(), Failure> {
    let class = vae.class.as_deref().unwrap_or("AutoencoderKL");
    if !["AutoencoderKL", "AutoencoderTiny"].contains(&class) {
        return Err(unsupported(folder, &format!("its decoder is a {class}")));
    }
    match vae.block_out_channels.len() {
        4 => Ok(()),
        n => Err(unsupported(folder, &format!("its decoder has {n} levels, where 4 make {LATENT_PX} px of a latent"))),
    }
}

/// What kind of model it is, which decides how it wants to be sampled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A latent consistency model with guidance trained in.
    FullLcm,
    /// Few steps without a guidance embedding: an LCM-LoRA merged in.
    MergedLcm,
    /// Adversarially distilled: one to four steps, no guidance.
    Turbo,
    Plain,
}

impl Kind {
    fn of(unet: &UNet, scheduler: &Scheduler) -> Self {
        if unet.time_cond_proj_dim.is_some() {
            return Self::FullLcm;
        }
        if scheduler.class == "LCMScheduler" {
            return Self::MergedLcm;
        }
        // SD-Turbo and SDXL-Turbo carry no other mark. Zero-SNR models are spaced so too, but predict v.
        let epsilon = scheduler.prediction_type.as_deref().is_none_or(|p| p == "epsilon");
        let trailing_euler = scheduler.class.starts_with("Euler") && scheduler.timestep_spacing == "trailing";
        if trailing_euler && epsilon && !scheduler.rescale_betas_zero_snr { Self::Turbo } else { Self::Plain }
    }

    fn label(self) -> &'static str {
        match self {
            Self::FullLcm => "full LCM",
            Self::MergedLcm => "LCM",
            Self::Turbo => "Turbo",
            Self::Plain => "Stable Diffusion",
        }
    }

    fn wants(self) -> (Guidance, Recipe) {
        let recipe = |sampler, steps, guidance_scale| Recipe { loras: Vec::new(), sampler, steps, guidance_scale };
        match self {
            Self::FullLcm => (LCM_GUIDANCE, recipe(Sampler::Lcm, 4, LCM_GUIDANCE_SCALE)),
            Self::MergedLcm => (Guidance::ClassifierFree, recipe(Sampler::Lcm, 4, 1.0)),
            Self::Turbo => (Guidance::None, recipe(Sampler::EulerA, 4, 1.0)),
            Self::Plain => (Guidance::ClassifierFree, recipe(Sampler::DpmPp2mKarras, 20, 7.0)),
        }
    }
}

/// Within what the program accepts, whatever the file says.
fn native_size(sample_size: Option<Sides>) -> Size {
    let (height, width) = match sample_size.unwrap_or(Sides::Square(64)) {
        Sides::Square(side) => (side, side),
        Sides::HeightWidth(height, width) => (height, width),
    };
    Size::new(width.saturating_mul(LATENT_PX), height.saturating_mul(LATENT_PX)).nearest()
}

/// The folder's own name, also where the path ends in `.` or `..`.
fn name(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn read<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<T, Failure> {
    let path = folder.join(file);
    let remedy = "Download or export the model again, as a whole folder in the diffusers layout.";
    let text = std::fs::read(&path)
        .map_err(|e| Failure::input(NO_MODEL, format!("{} cannot be read ({e})", path.display()), remedy))?;
    serde_json::from_slice(&text)
        .map_err(|e| Failure::input(NO_MODEL, format!("{} is damaged ({e})", path.display()), remedy))
}

fn unsupported(folder: &Path, why: &str) -> Failure {
    let remedy = "Choose a Stable Diffusion 1.5, SDXL or latent consistency model.";
    Failure::input(NO_MODEL, format!("`{}` is of a kind that is not supported: {why}", folder.display()), remedy)
}
