use super::{Prediction, SamplerError, betas, level::Level};
use serde::Deserialize;

/// The noise that a model was trained with, as `scheduler_config.json` in a diffusers folder describes it.
///
/// What concerns one sampler class only (solver order, Karras' sigmas, …) is the choice of the
/// [`Sampler`](fourstep_protocol::Sampler) instead, and is not read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Config")]
pub struct NoiseSchedule {
    /// ᾱ by training timestep.
    pub(super) alphas_cumprod: Vec<f32>,
    pub(super) prediction: Prediction,
    /// `None` where the file is silent: every sampler has its own default then, as in diffusers.
    pub(super) spacing: Option<Spacing>,
    pub(super) steps_offset: usize,
    pub(super) set_alpha_to_one: bool,
    /// LCM: steps of the grid it was distilled on.
    pub(super) original_inference_steps: usize,
    /// LCM: s = scaling·t in the boundary condition.
    pub(super) timestep_scaling: f64,
    rescale_betas_zero_snr: bool,
}

/// How a run's timesteps are laid over the training timesteps (arXiv 2305.08891, table 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spacing {
    Linspace,
    Leading,
    Trailing,
}

/// The fields that are read; defaults are those of Stable Diffusion 1.5.
#[derive(Deserialize)]
#[serde(default)]
struct Config {
    num_train_timesteps: usize,
    beta_start: f64,
    beta_end: f64,
    beta_schedule: String,
    trained_betas: Option<Vec<f64>>,
    prediction_type: String,
    timestep_spacing: Option<String>,
    steps_offset: usize,
    set_alpha_to_one: bool,
    original_inference_steps: usize,
    timestep_scaling: f64,
    rescale_betas_zero_snr: bool,
    clip_sample: bool,
    thresholding: bool,
    final_sigmas_type: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            num_train_timesteps: 1000,
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: "scaled_linear".into(),
            trained_betas: None,
            prediction_type: "epsilon".into(),
            timestep_spacing: None,
            steps_offset: 0,
            set_alpha_to_one: true,
            original_inference_steps: 50,
            timestep_scaling: 10.0,
            rescale_betas_zero_snr: false,
            clip_sample: false,
            thresholding: false,
            final_sigmas_type: "zero".into(),
        }
    }
}

impl NoiseSchedule {
    /// Reads the text of a `scheduler_config.json`.
    ///
    /// # Errors
    /// [`SamplerError::Config`] where it is not such a file, [`SamplerError::Unsupported`] for a value that no sampler
    /// here follows.
    pub fn from_json(text: &str) -> Result<Self, SamplerError> {
        serde_json::from_str::<Config>(text).map_err(|e| SamplerError::Config(e.to_string()))?.try_into()
    }

    /// What the network predicts.
    pub fn prediction(&self) -> Prediction {
        self.prediction
    }

    /// Number of training timesteps.
    pub fn num_train_timesteps(&self) -> usize {
        self.alphas_cumprod.len()
    }

    /// The noise level at a training timestep below [`num_train_timesteps`](Self::num_train_timesteps).
    pub(super) fn level(&self, timestep: usize) -> Level {
        Level::from_alpha_cumprod(self.alphas_cumprod[timestep])
    }

    /// σ/α by training timestep, rising.
    pub(super) fn karras_sigmas(&self) -> Vec<f64> {
        let mut alphas_cumprod = self.alphas_cumprod.clone();
        if self.rescale_betas_zero_snr
            && let Some(last) = alphas_cumprod.last_mut()
        {
            // diffusers keeps the last sigma finite with the smallest f16.
            *last = f32::powi(2.0, -24);
        }
        alphas_cumprod.iter().map(|&a| f64::from(((1.0 - a) / a).sqrt())).collect()
    }
}

impl TryFrom<Config> for NoiseSchedule {
    type Error = SamplerError;

    fn try_from(config: Config) -> Result<Self, SamplerError> {
        let betas = betas(&config)?;
        let switched_off = |field, on: bool| if on { Err(unsupported(field, "true", "false")) } else { Ok(()) };
        switched_off("clip_sample", config.clip_sample)?;
        switched_off("thresholding", config.thresholding)?;
        if config.final_sigmas_type != "zero" {
            return Err(unsupported("final_sigmas_type", &config.final_sigmas_type, "zero"));
        }
        // A larger offset could point behind the last training timestep.
        if config.steps_offset > 1 {
            return Err(unsupported("steps_offset", &config.steps_offset, "0, 1"));
        }
        Ok(Self {
            alphas_cumprod: betas::alphas_cumprod(betas, config.rescale_betas_zero_snr),
            prediction: match config.prediction_type.as_str() {
                "epsilon" => Prediction::Epsilon,
                "v_prediction" => Prediction::V,
                "sample" => Prediction::Sample,
                other => return Err(unsupported("prediction_type", other, "epsilon, v_prediction, sample")),
            },
            spacing: match config.timestep_spacing.as_deref() {
                None => None,
                Some("linspace") => Some(Spacing::Linspace),
                Some("leading") => Some(Spacing::Leading),
                Some("trailing") => Some(Spacing::Trailing),
                Some(other) => return Err(unsupported("timestep_spacing", other, "linspace, leading, trailing")),
            },
            steps_offset: config.steps_offset,
            set_alpha_to_one: config.set_alpha_to_one,
            original_inference_steps: config.original_inference_steps,
            timestep_scaling: config.timestep_scaling,
            rescale_betas_zero_snr: config.rescale_betas_zero_snr,
        })
    }
}

pub(super) fn unsupported(
    field: &'static str,
    value: &(impl ToString + ?Sized),
    supported: &'static str,
) -> SamplerError {
    SamplerError::Unsupported { field, value: value.to_string(), supported }
}

/// β by training timestep.
fn betas(config: &Config) -> Result<Vec<f32>, SamplerError> {
    let train = config.num_train_timesteps;
    if !(2..=100_000).contains(&train) {
        return Err(unsupported("num_train_timesteps", &train, "2 to 100000"));
    }
    for (field, beta) in [("beta_start", config.beta_start), ("beta_end", config.beta_end)] {
        if !(beta > 0.0 && beta < 1.0) {
            return Err(unsupported(field, &beta, "numbers between 0 and 1"));
        }
    }
    if config.trained_betas.is_some() {
        return Err(unsupported("trained_betas", "a list", "null"));
    }
    match config.beta_schedule.as_str() {
        "linear" => Ok(betas::linear(config.beta_start, config.beta_end, train)),
        "scaled_linear" => Ok(betas::scaled_linear(config.beta_start, config.beta_end, train)),
        other => Err(unsupported("beta_schedule", other, "linear, scaled_linear")),
    }
}
