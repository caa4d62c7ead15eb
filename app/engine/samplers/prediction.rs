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
    pub fn denoised(self, Level { alpha, sigma }: Level, x: &[f32], model_output: &[f32]) -> Vec<f32> {
        match self {
            Self::Epsilon => combine(1.0 / alpha, x, -sigma / alpha, model_output),
            Self::V => combine(alpha, x, -sigma, model_output),
            Self::Sample => model_output.to_vec(),
        }
    }

    /// The output that stands for this clean sample: the inverse of [`denoised`](Self::denoised).
    pub fn output(self, Level { alpha, sigma }: Level, x: &[f32], denoised: &[f32]) -> Vec<f32> {
        match self {
            Self::Epsilon => combine(1.0 / sigma, x, -alpha / sigma, denoised),
            Self::V => combine(alpha / sigma, x, -1.0 / sigma, denoised),
            Self::Sample => denoised.to_vec(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_made_for_a_sample_stands_for_it() {
        let level = Level { alpha: 0.6, sigma: 0.8 };
        let (x, denoised) = ([0.3, -1.2, 2.0], [1.0, -0.5, 0.25]);
        for prediction in [Prediction::Epsilon, Prediction::V, Prediction::Sample] {
            let back = prediction.denoised(level, &x, &prediction.output(level, &x, &denoised));
            assert!(back.iter().zip(&denoised).all(|(a, b)| (a - b).abs() < 1e-6), "{prediction:?} {back:?}");
        }
    }
}
