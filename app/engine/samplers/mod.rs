//! Samplers: the rules that go from noise to latents in a given number of network evaluations.
//!
//! Host-side arithmetic on plain slices, one file per sampler, written like its paper. Each equals the scheduler of
//! diffusers that is named in its file, created `from_config` with the model's `scheduler_config.json`.
//!
//! A run goes: [`start`]; from pure noise, scale it by [`init_noise_sigma`](SamplerRun::init_noise_sigma), from a
//! picture, [`add_noise`](SamplerRun::add_noise) to its latents; then for each timestep evaluate the network on
//! [`scale_model_input`](SamplerRun::scale_model_input) and [`step`](SamplerRun::step).

mod betas;
mod ddim;
mod dpmpp_2m;
mod error;
mod euler;
mod lcm;
mod level;
mod prediction;
mod run;
mod schedule;
mod timesteps;
mod unipc;

pub use error::SamplerError;
pub use level::Level;
pub use prediction::Prediction;
pub use schedule::NoiseSchedule;

use fourstep_protocol::Sampler;

/// One run of a sampler over its timesteps.
pub trait SamplerRun: Send {
    /// What the network is told at each step; strictly what is left after an image-to-image strength.
    fn timesteps(&self) -> &[f32];

    /// What standard normal noise is multiplied with to become the first `x` of a run from pure noise; 1 for the
    /// variance-preserving samplers.
    fn init_noise_sigma(&self) -> f32 {
        1.0
    }

    /// Clean latents with standard normal noise at the level that step `i` begins with: at the first step the `x` of an
    /// image-to-image run, at the others what it holds outside of a mask.
    ///
    /// # Errors
    /// [`SamplerError::Length`] where the two differ in length, [`SamplerError::Order`] where there is no step `i`.
    fn add_noise(&self, i: usize, init_latents: &[f32], noise: &[f32]) -> Result<Vec<f32>, SamplerError>;

    /// What the network sees of `x` at step `i`; `x` itself for the variance-preserving samplers.
    fn scale_model_input(&self, _i: usize, x: &[f32]) -> Vec<f32> {
        x.to_vec()
    }

    /// What the network predicts at step `i`, and how much noise the `x` has that it sees.
    fn prediction(&self, i: usize) -> (Prediction, Level);

    /// The run as it stands, to be gone on with more than once.
    fn boxed(&self) -> Box<dyn SamplerRun>;

    /// Goes from step `i` to the next. `model_output` is the network's answer, with guidance applied;
    /// `fresh_noise(len)` draws standard normal noise and is called only by samplers and steps that need it.
    ///
    /// # Errors
    /// [`SamplerError::Order`] where `i` is not the step after the last one, [`SamplerError::Length`] where `x` and
    /// `model_output` differ in length.
    fn step(
        &mut self,
        i: usize,
        x: &[f32],
        model_output: &[f32],
        fresh_noise: &mut dyn FnMut(usize) -> Vec<f32>,
    ) -> Result<Step, SamplerError>;
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The next `x`; after the last step, the finished latents.
    pub next: Vec<f32>,
    /// What the finished latents are taken to be at this step: the preview shows these.
    pub denoised: Vec<f32>,
}

/// Starts a run of `steps` steps, of which an image-to-image run with `strength` (0 < strength ≤ 1) does the last part.
///
/// The classic samplers do ⌊steps·strength⌋ steps, as `StableDiffusionImg2ImgPipeline.get_timesteps`; LCM does all
/// steps, on the part of its grid that the strength leaves.
///
/// # Errors
/// [`SamplerError`] where steps, strength and schedule do not make a run; the message says what to change.
pub fn start(
    kind: Sampler,
    schedule: &NoiseSchedule,
    steps: u32,
    strength: Option<f32>,
) -> Result<Box<dyn SamplerRun>, SamplerError> {
    let strength = strength.map_or(Ok(1.0), timesteps::checked_strength)?;
    let steps = timesteps::checked_steps(schedule, steps)?;
    Ok(match kind {
        Sampler::Lcm => Box::new(lcm::Lcm::start(schedule, steps, strength)?),
        Sampler::Ddim => Box::new(ddim::Ddim::start(schedule, steps, strength)?),
        Sampler::Euler => Box::new(euler::Euler::start(schedule, steps, strength)?),
        Sampler::EulerA => Box::new(euler::Euler::start(schedule, steps, strength)?.ancestral()),
        Sampler::DpmPp2m => Box::new(dpmpp_2m::DpmPp2m::start(schedule, steps, strength)?),
        Sampler::DpmPp2mKarras => Box::new(dpmpp_2m::DpmPp2m::start_karras(schedule, steps, strength)?),
        Sampler::UniPc => Box::new(unipc::UniPc::start(schedule, steps, strength)?),
    })
}
