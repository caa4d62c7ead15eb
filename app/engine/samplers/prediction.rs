use super::level::{Level, combine};

/// What the network predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// The noise ε.
    Epsilon,
    /// The velocity `v = α·ε − σ·x0` (arXiv 2202.00512).
    V,
    /// The clean sample x0.
    Sample,
}

impl Prediction {
    /// The clean sample x0 that the output stands for, of `x = α·x0 + σ·ε`.
    pub(super) fn denoised(self, Level { alpha, sigma }: Level, x: &[f32], model_output: &[f32]) -> Vec<f32> {
        match self {
            Self::Epsilon => combine(1.0 / alpha, x, -sigma / alpha, model_output),
            Self::V => combine(alpha, x, -sigma, model_output),
            Self::Sample => model_output.to_vec(),
        }
    }

    /// The noise ε that the output stands for, of `x = α·x0 + σ·ε`.
    pub(super) fn noise(self, Level { alpha, sigma }: Level, x: &[f32], model_output: &[f32]) -> Vec<f32> {
        match self {
            Self::Epsilon => model_output.to_vec(),
            Self::V => combine(sigma, x, alpha, model_output),
            Self::Sample => combine(1.0 / sigma, x, -alpha / sigma, model_output),
        }
    }
}
