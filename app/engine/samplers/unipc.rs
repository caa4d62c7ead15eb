use super::{
    NoiseSchedule, Prediction, SamplerError, SamplerRun, Step,
    level::{Level, add_scaled, combine},
    run::{Progress, noised},
    schedule::Spacing,
    timesteps::{Sigmas, spaced_multistep},
};

/// `UniPC` of order 2 with B₂(h), predicting x0 (arXiv 2302.04867, algorithms 5 to 8; diffusers `UniPCMultistepScheduler`
/// with its defaults).
///
/// Every step first corrects `x` with what the network says there (`UniC`), then predicts the next one (`UniP`).
#[derive(Clone, Debug)]
pub(super) struct UniPc {
    progress: Progress,
    prediction: Prediction,
    /// At each timestep, and no noise at the end.
    levels: Vec<Level>,
    /// The clean samples predicted at the last steps, newest last.
    history: Vec<Vec<f32>>,
    last: Option<Predicted>,
}

/// What the step before did, to be corrected.
#[derive(Clone, Debug)]
struct Predicted {
    x: Vec<f32>,
    order: usize,
}

/// The span of one step in λ, in the paper's terms.
struct Span {
    from: Level,
    to: Level,
    /// `h = λ_to − λ_from`.
    h: f64,
    /// B₂(−h) = e^(−h) − 1, which is also −h·φ₁(−h).
    b: f64,
}

impl Span {
    fn new(from: Level, to: Level) -> Self {
        let h = to.lambda() - from.lambda();
        Self { from, to, h, b: (-h).exp_m1() }
    }

    /// The first-order step: what remains when the predicted sample stays what it is.
    fn first_order(&self, x: &[f32], x0: &[f32]) -> Vec<f32> {
        combine(self.to.sigma / self.from.sigma, x, -self.to.alpha * self.b, x0)
    }

    /// Where an earlier level lies, in spans from `from`; negative.
    fn position(&self, earlier: Level) -> f64 {
        (earlier.lambda() - self.from.lambda()) / self.h
    }
}

impl UniPc {
    const ORDER: usize = 2;

    pub(super) fn start(schedule: &NoiseSchedule, steps: usize, strength: f64) -> Result<Self, SamplerError> {
        let spacing = schedule.spacing.unwrap_or(Spacing::Linspace);
        let timesteps = spaced_multistep(schedule, spacing, steps);
        let Sigmas { timesteps, sigmas } = Sigmas::at(schedule, &timesteps).skip(strength)?;
        let levels = sigmas.into_iter().map(Level::from_karras_sigma).collect();
        let progress = Progress::new(timesteps);
        Ok(Self { progress, prediction: schedule.prediction, levels, history: Vec::new(), last: None })
    }

    /// `UniC`: does the last step again, now that `x0` at its end is known.
    fn correct(&self, i: usize, last: &Predicted, x0: &[f32]) -> Option<Vec<f32>> {
        let span = Span::new(self.levels[i - 1], self.levels[i]);
        let newest = self.history.last()?;
        let mut x = span.first_order(&last.x, newest);
        let mut weight = 0.5;
        if last.order == 2 {
            let earlier = self.history.get(self.history.len().checked_sub(2)?)?;
            let r = span.position(self.levels[i - 2]);
            // φ₂ and 2·φ₃ over B(h); ρ solves [1 1; r 1]·ρ = [b1; b2].
            let phi2 = -span.b / span.h - 1.0;
            let b1 = phi2 / span.b;
            let b2 = 2.0 * (-phi2 / span.h - 0.5) / span.b;
            let rho = (b1 - b2) / (1.0 - r);
            weight = b1 - rho;
            add_scaled(&mut x, -span.to.alpha * span.b * rho / r, &combine(1.0, earlier, -1.0, newest));
        }
        add_scaled(&mut x, -span.to.alpha * span.b * weight, &combine(1.0, x0, -1.0, newest));
        Some(x)
    }

    /// `UniP`: the next `x` from the corrected one and the newest samples of `history`.
    fn predict(&self, i: usize, order: usize, x: &[f32], x0: &[f32]) -> Vec<f32> {
        let span = Span::new(self.levels[i], self.levels[i + 1]);
        let mut next = span.first_order(x, x0);
        if order == 2
            && let Some(earlier) = self.history.last()
        {
            let r = span.position(self.levels[i - 1]);
            add_scaled(&mut next, -span.to.alpha * span.b * 0.5 / r, &combine(1.0, earlier, -1.0, x0));
        }
        next
    }
}

impl SamplerRun for UniPc {
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
        let x0 = self.prediction.denoised(self.levels[i], x, model_output);
        let corrected = self.last.take().and_then(|last| self.correct(i, &last, &x0));
        let x = corrected.unwrap_or_else(|| x.to_vec());
        let steps_left = self.progress.timesteps.len() - i;
        let order = Self::ORDER.min(steps_left).min(i + 1);
        let next = self.predict(i, order, &x, &x0);
        self.history.push(x0.clone());
        self.history.drain(..self.history.len().saturating_sub(Self::ORDER));
        self.last = Some(Predicted { x, order });
        Ok(Step { next, denoised: x0 })
    }
}
