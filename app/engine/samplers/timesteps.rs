//! Which timesteps a run visits.

use super::{NoiseSchedule, SamplerError, schedule::Spacing};

/// The timesteps of a run and the sigma at each, with the final 0; falling.
pub(super) struct Sigmas {
    pub(super) timesteps: Vec<f32>,
    /// σ/α, one more than there are timesteps.
    pub(super) sigmas: Vec<f64>,
}

pub(super) fn checked_strength(strength: f32) -> Result<f64, SamplerError> {
    if !(strength > 0.0 && strength <= 1.0) {
        return Err(SamplerError::Strength(strength));
    }
    // 0.7 is meant as 0.7 and not as the 0.69999999 that f32 makes of it: ⌊50·strength⌋ depends on it.
    Ok(strength.to_string().parse().unwrap_or(f64::from(strength)))
}

pub(super) fn checked_steps(schedule: &NoiseSchedule, steps: u32) -> Result<usize, SamplerError> {
    // The multistep samplers divide the training timesteps by steps + 1, and an offset must fit behind the last.
    let most = (schedule.num_train_timesteps() - 1).saturating_sub(schedule.steps_offset);
    match steps as usize {
        0 => Err(SamplerError::NoSteps),
        steps if steps > most => Err(SamplerError::TooManySteps { steps, most }),
        steps => Ok(steps),
    }
}

/// How many of `steps` steps an image-to-image run leaves out at its beginning.
///
/// # Errors
/// [`SamplerError::TooWeak`] where that is all of them.
pub(super) fn skipped(steps: usize, strength: f64) -> Result<usize, SamplerError> {
    let kept = |steps: usize| (steps as f64 * strength) as usize;
    if kept(steps) >= 1 {
        return Ok(steps - kept(steps).min(steps));
    }
    let min_steps = (1.0 / strength).ceil() as usize;
    Err(SamplerError::TooWeak {
        steps,
        strength,
        min_strength: hundredths_up(1.0 / steps as f64),
        min_steps: if kept(min_steps) >= 1 { min_steps } else { min_steps + 1 },
    })
}

pub(super) fn hundredths_up(value: f64) -> f64 {
    (value * 100.0).ceil() / 100.0
}

/// Timesteps of the single-step samplers (DDIM, Euler): the last is next to 0.
pub(super) fn spaced(schedule: &NoiseSchedule, spacing: Spacing, steps: usize) -> Vec<f64> {
    let train = schedule.num_train_timesteps();
    match spacing {
        // A single step starts at the noisiest timestep; diffusers would start at 0, where there is nothing to do.
        Spacing::Linspace => linspace_down(train, steps, steps.max(2) - 1),
        Spacing::Leading => leading(schedule, steps, train / steps, 0),
        Spacing::Trailing => trailing(train, steps),
    }
}

/// Timesteps of the multistep samplers (DPM++, UniPC): spaced for one more, of which the last, next to 0, is left out.
pub(super) fn spaced_multistep(schedule: &NoiseSchedule, spacing: Spacing, steps: usize) -> Vec<f64> {
    let train = schedule.num_train_timesteps();
    let mut timesteps = match spacing {
        Spacing::Linspace => linspace_down(train, steps, steps),
        Spacing::Leading => leading(schedule, steps, train / (steps + 1), 1),
        Spacing::Trailing => trailing(train, steps),
    };
    timesteps.iter_mut().for_each(|t| *t = t.round_ties_even());
    timesteps
}

/// The first `steps` of the falling grid that divides `train − 1` into `intervals`.
fn linspace_down(train: usize, steps: usize, intervals: usize) -> Vec<f64> {
    let step = (train - 1) as f64 / intervals as f64;
    (0..steps).rev().map(|i| (i + intervals + 1 - steps) as f64 * step).collect()
}

fn leading(schedule: &NoiseSchedule, steps: usize, ratio: usize, first: usize) -> Vec<f64> {
    (first..first + steps).rev().map(|i| (i * ratio + schedule.steps_offset) as f64).collect()
}

fn trailing(train: usize, steps: usize) -> Vec<f64> {
    let ratio = train as f64 / steps as f64;
    (0..steps).map(|i| (train as f64 - i as f64 * ratio).round_ties_even() - 1.0).collect()
}

impl Sigmas {
    /// The training sigmas at these timesteps, between two of them by straight lines.
    pub(super) fn at(schedule: &NoiseSchedule, timesteps: &[f64]) -> Self {
        let table = schedule.karras_sigmas();
        let interpolate = |t: f64| {
            let below = (t as usize).min(table.len() - 1);
            let above = (below + 1).min(table.len() - 1);
            table[below] + (table[above] - table[below]) * (t - below as f64)
        };
        Self::new(timesteps.iter().copied(), timesteps.iter().map(|&t| interpolate(f64::from(t as f32))))
    }

    /// Karras' sigmas with ρ = 7 (arXiv 2206.00364, equation 5) over the range of training, and the nearest timesteps.
    pub(super) fn karras(schedule: &NoiseSchedule, steps: usize) -> Self {
        const RHO: f64 = 7.0;
        let table = schedule.karras_sigmas();
        let (min, max) = (table[0].powf(1.0 / RHO), table[table.len() - 1].powf(1.0 / RHO));
        let ramp = |i: usize| if i == 0 { 0.0 } else { i as f64 / (steps - 1) as f64 };
        let sigmas: Vec<f64> = (0..steps).map(|i| (max + ramp(i) * (min - max)).powf(RHO)).collect();
        let logs: Vec<f64> = table.iter().map(|sigma| sigma.ln()).collect();
        let timestep = |sigma: f64| {
            let below = logs.partition_point(|&log| log <= sigma.ln()).saturating_sub(1).min(logs.len() - 2);
            let fraction = (sigma.ln() - logs[below]) / (logs[below + 1] - logs[below]);
            (below as f64 + fraction.clamp(0.0, 1.0)).round_ties_even()
        };
        let timesteps: Vec<f64> = sigmas.iter().map(|&sigma| timestep(sigma)).collect();
        Self::new(timesteps.into_iter(), sigmas.into_iter())
    }

    fn new(timesteps: impl Iterator<Item = f64>, sigmas: impl Iterator<Item = f64>) -> Self {
        Self {
            timesteps: timesteps.map(|t| t as f32).collect(),
            sigmas: sigmas.map(|sigma| f64::from(sigma as f32)).chain([0.0]).collect(),
        }
    }

    /// Without what an image-to-image strength leaves out.
    pub(super) fn skip(mut self, strength: f64) -> Result<Self, SamplerError> {
        let skipped = skipped(self.timesteps.len(), strength)?;
        self.timesteps.drain(..skipped);
        self.sigmas.drain(..skipped);
        Ok(self)
    }
}
