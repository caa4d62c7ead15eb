use super::{
    NoiseSchedule, Prediction, SamplerError, SamplerRun, Step,
    level::{Level, add_scaled, combine},
    run::{Progress, noised},
    schedule::Spacing,
    timesteps::{Sigmas, spaced_multistep},
};

/// DPM-Solver++ 2M (arXiv 2211.01095, algorithm 2; diffusers `DPMSolverMultistepScheduler` with its defaults: order 2,
/// midpoint, first order at the first and the last step).
#[derive(Clone, Debug)]
pub(super) struct DpmPp2m {
    progress: Progress,
    prediction: Prediction,
    /// At each timestep, and no noise at the end.
    levels: Vec<Level>,
    /// The clean sample that the step before predicted.
    previous: Option<Vec<f32>>,
}

impl DpmPp2m {
    pub(super) fn start(schedule: &NoiseSchedule, steps: usize, strength: f64) -> Result<Self, SamplerError> {
        let spacing = schedule.spacing.unwrap_or(Spacing::Linspace);
        let timesteps = spaced_multistep(schedule, spacing, steps);
        Ok(Self::new(schedule, Sigmas::at(schedule, &timesteps).skip(strength)?))
    }

    /// The same on Karras' sigmas.
    pub(super) fn start_karras(schedule: &NoiseSchedule, steps: usize, strength: f64) -> Result<Self, SamplerError> {
        Ok(Self::new(schedule, Sigmas::karras(schedule, steps).skip(strength)?))
    }

    fn new(schedule: &NoiseSchedule, Sigmas { timesteps, sigmas }: Sigmas) -> Self {
        let levels = sigmas.into_iter().map(Level::from_karras_sigma).collect();
        Self { progress: Progress::new(timesteps), prediction: schedule.prediction, levels, previous: None }
    }
}

impl SamplerRun for DpmPp2m {
    fn timesteps(&self) -> &[f32] {
        &self.progress.timesteps
    }

    fn add_noise(&self, i: usize, init_latents: &[f32], noise: &[f32]) -> Result<Vec<f32>, SamplerError> {
        self.progress.has(i)?;
        let Level { alpha, sigma } = self.levels[i];
        noised("the noise", alpha, init_latents, sigma, noise)
    }

    fn prediction(&self, i: usize) -> (Prediction, Level) {
        (self.prediction, self.levels[i])
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
        let (s, t) = (self.levels[i], self.levels[i + 1]);
        let x0 = self.prediction.denoised(s, x, model_output);
        let h = t.lambda() - s.lambda();
        let weight = -t.alpha * (-h).exp_m1();
        let mut next = combine(t.sigma / s.sigma, x, weight, &x0);
        if !self.progress.is_last(i)
            && let Some(previous) = &self.previous
        {
            // D1/2 with D1 = (x0 − previous)/r, the slope of the predicted sample over λ.
            let r = (s.lambda() - self.levels[i - 1].lambda()) / h;
            add_scaled(&mut next, weight / (2.0 * r), &combine(1.0, &x0, -1.0, previous));
        }
        self.previous = Some(x0.clone());
        Ok(Step { next, denoised: x0 })
    }
}
