use super::{
    NoiseSchedule, Prediction, SamplerError, SamplerRun, Step,
    level::{Level, combine},
    run::{Progress, noised},
    schedule::unsupported,
    timesteps::hundredths_up,
};

/// Multistep latent consistency sampling (arXiv 2310.04378, algorithm 2; diffusers `LCMScheduler`).
///
/// Every step jumps to the clean latents and, but for the last, adds fresh noise at the level of the next timestep.
#[derive(Clone, Debug)]
pub(super) struct Lcm {
    progress: Progress,
    schedule: NoiseSchedule,
    /// Training timesteps, falling.
    timesteps: Vec<usize>,
}

impl Lcm {
    /// All `steps`, evenly picked from the ⌊original steps·strength⌋ timesteps that distillation visited.
    pub(super) fn start(schedule: &NoiseSchedule, steps: usize, strength: f64) -> Result<Self, SamplerError> {
        let original = schedule.original_inference_steps;
        let train = schedule.num_train_timesteps();
        if !(1..=train).contains(&original) {
            return Err(unsupported("original_inference_steps", &original, "1 to num_train_timesteps"));
        }
        let room = (original as f64 * strength) as usize;
        if steps > original {
            return Err(SamplerError::TooManySteps { steps, most: original });
        }
        if steps > room {
            let min_strength = hundredths_up(steps as f64 / original as f64);
            return Err(SamplerError::LcmRoom { steps, strength, room, min_strength });
        }
        let skip = train / original;
        let stride = room as f64 / steps as f64;
        let timesteps: Vec<usize> = (0..steps).map(|i| (room - (i as f64 * stride) as usize) * skip - 1).collect();
        let progress = Progress::new(timesteps.iter().map(|&t| t as f32).collect());
        Ok(Self { progress, schedule: schedule.clone(), timesteps })
    }

    /// `c_skip` and `c_out`, which make the identity of the consistency function at timestep 0.
    fn boundary_condition(&self, timestep: usize) -> (f64, f64) {
        const SIGMA_DATA: f64 = 0.5;
        let s = timestep as f64 * self.schedule.timestep_scaling;
        let square = s * s + SIGMA_DATA * SIGMA_DATA;
        (SIGMA_DATA * SIGMA_DATA / square, s / square.sqrt())
    }
}

impl SamplerRun for Lcm {
    fn timesteps(&self) -> &[f32] {
        &self.progress.timesteps
    }

    fn add_noise(&self, i: usize, init_latents: &[f32], noise: &[f32]) -> Result<Vec<f32>, SamplerError> {
        self.progress.has(i)?;
        let Level { alpha, sigma } = self.schedule.level(self.timesteps[i]);
        noised("the noise", alpha, init_latents, sigma, noise)
    }

    fn prediction(&self, i: usize) -> (Prediction, Level) {
        (self.schedule.prediction, self.schedule.level(self.timesteps[i]))
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
        let t = self.timesteps[i];
        let (c_skip, c_out) = self.boundary_condition(t);
        let x0 = self.schedule.prediction.denoised(self.schedule.level(t), x, model_output);
        let denoised = combine(c_out, &x0, c_skip, x);
        if self.progress.is_last(i) {
            return Ok(Step { next: denoised.clone(), denoised });
        }
        let noise = fresh_noise(x.len());
        let Level { alpha, sigma } = self.schedule.level(self.timesteps[i + 1]);
        Ok(Step { next: noised("the fresh noise", alpha, &denoised, sigma, &noise)?, denoised })
    }
}
