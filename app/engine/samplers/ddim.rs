use super::{
    NoiseSchedule, Prediction, SamplerError, SamplerRun, Step,
    level::{Level, combine},
    run::{Progress, noised},
    schedule::Spacing,
    timesteps::{skipped, spaced},
};

/// DDIM with η = 0 (arXiv 2010.02502, equation 12; diffusers `DDIMScheduler`).
#[derive(Clone, Debug)]
pub(super) struct Ddim {
    progress: Progress,
    schedule: NoiseSchedule,
    /// Noise level before each step, and after it.
    levels: Vec<(Level, Level)>,
}

impl Ddim {
    pub(super) fn start(schedule: &NoiseSchedule, steps: usize, strength: f64) -> Result<Self, SamplerError> {
        let spacing = schedule.spacing.unwrap_or(Spacing::Leading);
        let mut timesteps: Vec<usize> =
            spaced(schedule, spacing, steps).into_iter().map(|t| t.round_ties_even() as usize).collect();
        timesteps.drain(..skipped(steps, strength)?);

        let ratio = schedule.num_train_timesteps() / steps;
        let clean = || if schedule.set_alpha_to_one { Level { alpha: 1.0, sigma: 0.0 } } else { schedule.level(0) };
        let after = |t: usize| t.checked_sub(ratio).map_or_else(clean, |previous| schedule.level(previous));
        let levels = timesteps.iter().map(|&t| (schedule.level(t), after(t))).collect();
        let progress = Progress::new(timesteps.iter().map(|&t| t as f32).collect());
        Ok(Self { progress, schedule: schedule.clone(), levels })
    }
}

impl SamplerRun for Ddim {
    fn timesteps(&self) -> &[f32] {
        &self.progress.timesteps
    }

    fn add_noise(&self, i: usize, init_latents: &[f32], noise: &[f32]) -> Result<Vec<f32>, SamplerError> {
        self.progress.has(i)?;
        let (Level { alpha, sigma }, _) = self.levels[i];
        noised("the noise", alpha, init_latents, sigma, noise)
    }

    fn prediction(&self, i: usize) -> (Prediction, Level) {
        (self.schedule.prediction, self.levels[i].0)
    }

    fn boxed(&self) -> Box<dyn SamplerRun> {
        Box::new(self.clone())
    }

    fn step(
        &mut self,
        i: usize,
        x: &[f32],
        model_output: &[f32],
        _: &mut dyn FnMut(usize) -> Vec<f32>,
    ) -> Result<Step, SamplerError> {
        self.progress.enter(i, x, model_output)?;
        let (before, after) = self.levels[i];
        let denoised = self.schedule.prediction.denoised(before, x, model_output);
        let noise = self.schedule.prediction.noise(before, x, model_output);
        Ok(Step { next: combine(after.alpha, &denoised, after.sigma, &noise), denoised })
    }
}
