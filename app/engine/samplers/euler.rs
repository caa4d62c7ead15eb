use super::{
    NoiseSchedule, Prediction, SamplerError, SamplerRun, Step,
    level::{Level, add_scaled, combine},
    run::{Progress, noised, same_length},
    schedule::Spacing,
    timesteps::{Sigmas, spaced},
};

/// Euler on the probability-flow ODE, `dx = (x − denoised)/σ·dσ`, and its ancestral form, which steps further down and
/// adds fresh noise back up to the next σ (arXiv 2206.00364; k-diffusion `sample_euler`, `sample_euler_ancestral`;
/// diffusers `EulerDiscreteScheduler`, `EulerAncestralDiscreteScheduler`).
///
/// `x = x0 + σ·ε` here, in contrast to the variance-preserving samplers.
#[derive(Clone, Debug)]
pub(super) struct Euler {
    progress: Progress,
    prediction: Prediction,
    /// At each timestep, and 0 at the end.
    sigmas: Vec<f64>,
    init_noise_sigma: f64,
    ancestral: bool,
}

impl Euler {
    pub(super) fn start(schedule: &NoiseSchedule, steps: usize, strength: f64) -> Result<Self, SamplerError> {
        let spacing = schedule.spacing.unwrap_or(Spacing::Linspace);
        let grid = Sigmas::at(schedule, &spaced(schedule, spacing, steps));
        let sigma_max = grid.sigmas[0];
        // With leading spacing the first timestep is not the last of training: pure noise is taken for x, not for ε.
        let init_noise_sigma =
            if spacing == Spacing::Leading { (sigma_max * sigma_max + 1.0).sqrt() } else { sigma_max };
        let Sigmas { timesteps, sigmas } = grid.skip(strength)?;
        let progress = Progress::new(timesteps);
        Ok(Self { progress, prediction: schedule.prediction, sigmas, init_noise_sigma, ancestral: false })
    }

    /// The same run with fresh noise at each step but the last.
    pub(super) fn ancestral(self) -> Self {
        Self { ancestral: true, ..self }
    }
}

/// How far to step down, and how much noise to add, to go from one σ to the next.
fn ancestral_step(from: f64, to: f64) -> (f64, f64) {
    let up = (to * to * (from * from - to * to) / (from * from)).sqrt();
    ((to * to - up * up).sqrt(), up)
}

impl SamplerRun for Euler {
    fn timesteps(&self) -> &[f32] {
        &self.progress.timesteps
    }

    fn init_noise_sigma(&self) -> f32 {
        self.init_noise_sigma as f32
    }

    fn add_noise(&self, i: usize, init_latents: &[f32], noise: &[f32]) -> Result<Vec<f32>, SamplerError> {
        self.progress.has(i)?;
        noised("the noise", 1.0, init_latents, self.sigmas[i], noise)
    }

    fn scale_model_input(&self, i: usize, x: &[f32]) -> Vec<f32> {
        let alpha = Level::from_karras_sigma(self.sigmas[i]).alpha;
        x.iter().map(|&x| (alpha * f64::from(x)) as f32).collect()
    }

    fn prediction(&self, i: usize) -> (Prediction, Level) {
        (self.prediction, Level::from_karras_sigma(self.sigmas[i]))
    }

    fn boxed(&self) -> Box<dyn SamplerRun> {
        Box::new(self.clone())
    }

    fn step(
        &mut self,
        i: usize,
        x: &[f32],
        model_output: &[f32],
        fresh_noise: &mut dyn FnMut(usize) -> Vec<f32>,
    ) -> Result<Step, SamplerError> {
        self.progress.enter(i, x, model_output)?;
        let (sigma, next) = (self.sigmas[i], self.sigmas[i + 1]);
        let input = self.scale_model_input(i, x);
        let denoised = self.prediction.denoised(Level::from_karras_sigma(sigma), &input, model_output);
        let (down, up) = if self.ancestral { ancestral_step(sigma, next) } else { (next, 0.0) };
        // x + (x − denoised)/σ·(down − σ)
        let mut next = combine(down / sigma, x, 1.0 - down / sigma, &denoised);
        if up > 0.0 {
            let noise = fresh_noise(x.len());
            same_length("the fresh noise", x.len(), &noise)?;
            add_scaled(&mut next, up, &noise);
        }
        Ok(Step { next, denoised })
    }
}
