/// A noise level of the variance-preserving process: `x = α·x0 + σ·ε` with `α² + σ² = 1`.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// What is left of the clean sample.
    pub alpha: f64,
    /// How much noise there is.
    pub sigma: f64,
}

impl Level {
    /// From ᾱ, the cumulative product of 1 − β.
    pub(super) fn from_alpha_cumprod(alpha_cumprod: f32) -> Self {
        let alpha_cumprod = f64::from(alpha_cumprod);
        Self { alpha: alpha_cumprod.sqrt(), sigma: (1.0 - alpha_cumprod).sqrt() }
    }

    /// From the σ of the variance-exploding form `x0 + σ·ε` (Karras et al. 2022), which is σ/α here.
    pub(super) fn from_karras_sigma(sigma: f64) -> Self {
        let alpha = 1.0 / (sigma * sigma + 1.0).sqrt();
        Self { alpha, sigma: sigma * alpha }
    }

    /// Half the logarithm of the signal-to-noise ratio: λ = ln(α/σ), infinite where no noise is left.
    pub(super) fn lambda(self) -> f64 {
        self.alpha.ln() - self.sigma.ln()
    }
}

/// `a·x + b·y`, each value rounded to f32 once.
pub(super) fn combine(a: f64, x: &[f32], b: f64, y: &[f32]) -> Vec<f32> {
    x.iter().zip(y).map(|(&x, &y)| (a * f64::from(x) + b * f64::from(y)) as f32).collect()
}

/// `x += a·y`.
pub(super) fn add_scaled(x: &mut [f32], a: f64, y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, &y)| *x = (f64::from(*x) + a * f64::from(y)) as f32);
}
