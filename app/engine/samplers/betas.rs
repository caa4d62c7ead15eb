//! The variances of the training noise, rounded to f32 where diffusers rounds them.

/// β from start to end in equal steps.
pub(super) fn linear(start: f64, end: f64, len: usize) -> Vec<f32> {
    linspace(start, end, len)
}

/// β with √β in equal steps: the schedule of latent diffusion.
pub(super) fn scaled_linear(start: f64, end: f64, len: usize) -> Vec<f32> {
    linspace(start.sqrt(), end.sqrt(), len).into_iter().map(|root| root * root).collect()
}

/// `torch.linspace` in f32, which counts from both ends.
fn linspace(start: f64, end: f64, len: usize) -> Vec<f32> {
    let (start, end) = (start as f32, end as f32);
    let step = (end - start) / (len - 1) as f32;
    let value = |i| if i < len / 2 { start + step * i as f32 } else { end - step * (len - 1 - i) as f32 };
    (0..len).map(value).collect()
}

/// ᾱ by training timestep, after `rescale_zero_terminal_snr` (arXiv 2305.08891, algorithm 1) where asked for.
pub(super) fn alphas_cumprod(mut betas: Vec<f32>, rescale_zero_snr: bool) -> Vec<f32> {
    if rescale_zero_snr {
        let mut roots = cumprod(&betas);
        roots.iter_mut().for_each(|a| *a = a.sqrt());
        let (first, last) = (roots[0], roots[roots.len() - 1]);
        let scale = first / (first - last);
        let squares: Vec<f32> = roots.iter().map(|&root| ((root - last) * scale).powi(2)).collect();
        betas[0] = 1.0 - squares[0];
        for (beta, pair) in betas[1..].iter_mut().zip(squares.windows(2)) {
            *beta = 1.0 - pair[1] / pair[0];
        }
    }
    cumprod(&betas)
}

fn cumprod(betas: &[f32]) -> Vec<f32> {
    let product = |product: &mut f64, beta: &f32| {
        *product *= f64::from(1.0 - beta);
        Some(*product as f32)
    };
    betas.iter().scan(1.0, product).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod`.
    #[test]
    fn alphas_cumprod_of_stable_diffusion() {
        let ours = alphas_cumprod(scaled_linear(0.00085, 0.012, 1000), false);
        for (timestep, theirs) in
            [(0, 0.999_15_f32), (1, 0.998_296), (499, 0.277_669_43), (998, 0.004_716_695_8), (999, 0.004_660_095)]
        {
            assert!(
                (ours[timestep] - theirs).abs() <= theirs * f32::EPSILON,
                "{timestep}: {} {theirs}",
                ours[timestep]
            );
        }
    }

    #[test]
    fn zero_terminal_snr_ends_at_zero() {
        let plain = alphas_cumprod(scaled_linear(0.00085, 0.012, 1000), false);
        let rescaled = alphas_cumprod(scaled_linear(0.00085, 0.012, 1000), true);
        assert_eq!(rescaled[999], 0.0);
        assert!((rescaled[0] - plain[0]).abs() < 1e-6);
    }
}
