use super::{SamplerError, level::combine};

/// Where a run stands: its timesteps, and which comes next.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) timesteps: Vec<f32>,
    next: usize,
}

impl Progress {
    pub(super) fn new(timesteps: Vec<f32>) -> Self {
        Self { timesteps, next: 0 }
    }

    /// Checks what a step is given, and counts it.
    pub(super) fn enter(&mut self, i: usize, x: &[f32], model_output: &[f32]) -> Result<(), SamplerError> {
        same_length("the model output", x.len(), model_output)?;
        if i != self.next || i >= self.timesteps.len() {
            return Err(SamplerError::Order { expected: self.next, actual: i, steps: self.timesteps.len() });
        }
        self.next += 1;
        Ok(())
    }

    /// Checks that there is a step `i`.
    pub(super) fn has(&self, i: usize) -> Result<(), SamplerError> {
        match i < self.timesteps.len() {
            true => Ok(()),
            false => Err(SamplerError::Order { expected: self.next, actual: i, steps: self.timesteps.len() }),
        }
    }

    pub(super) fn is_last(&self, i: usize) -> bool {
        i + 1 == self.timesteps.len()
    }
}

/// `alpha·clean + sigma·noise`, once the two are of one length; `what` names the noise in the error.
pub(super) fn noised(
    what: &'static str,
    alpha: f64,
    clean: &[f32],
    sigma: f64,
    noise: &[f32],
) -> Result<Vec<f32>, SamplerError> {
    same_length(what, clean.len(), noise)?;
    Ok(combine(alpha, clean, sigma, noise))
}

pub(super) fn same_length(what: &'static str, expected: usize, values: &[f32]) -> Result<(), SamplerError> {
    let actual = values.len();
    if actual == expected { Ok(()) } else { Err(SamplerError::Length { what, expected, actual }) }
}
