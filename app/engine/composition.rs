//! What of a picture is its composition: the low frequencies of the latents it is taken to be.

/// Of the shorter side: the standard deviation of the blur that leaves the composition. An eighth of it is about the
/// size of the smallest thing whose place is held.
const SIGMA_OF_SIDE: f32 = 1.0 / 16.0;

/// Latents blurred by a Gaussian, `[c, h, w]`; beyond its edges a picture goes on as it ends.
fn low_frequencies(latents: &[f32], [_, h, w]: [usize; 3]) -> Vec<f32> {
    let kernel = gaussian(h.min(w) as f32 * SIGMA_OF_SIDE);
    let mut low = latents.to_vec();
    for plane in low.chunks_exact_mut(h * w) {
        for row in plane.chunks_exact_mut(w) {
            let blurred = blur(row, &kernel);
            row.copy_from_slice(&blurred);
        }
        for x in 0..w {
            let column: Vec<f32> = plane.iter().skip(x).step_by(w).copied().collect();
            let blurred = blur(&column, &kernel);
            plane.iter_mut().skip(x).step_by(w).zip(blurred).for_each(|(value, blurred)| *value = blurred);
        }
    }
    low
}

/// Gives latents the composition of others, `[c, h, w]` both, and leaves the rest of them as it is.
pub(crate) fn hold(latents: &mut [f32], of: &[f32], shape: [usize; 3]) {
    let apart: Vec<f32> = of.iter().zip(&*latents).map(|(of, own)| of - own).collect();
    latents.iter_mut().zip(low_frequencies(&apart, shape)).for_each(|(value, apart)| *value += apart);
}

/// The right half of a kernel whose sum is 1, from its middle.
fn gaussian(sigma: f32) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil() as usize;
    let half: Vec<f32> = (0..=reach).map(|i| (-(i as f32).powi(2) / (2.0 * sigma * sigma).max(1e-9)).exp()).collect();
    let sum = 2.0 * half.iter().sum::<f32>() - half[0];
    half.iter().map(|value| value / sum).collect()
}

fn blur(line: &[f32], half: &[f32]) -> Vec<f32> {
    let last = line.len().saturating_sub(1);
    let both = |i: usize, d: usize| line[i.saturating_sub(d)] + line[(i + d).min(last)];
    let at = |i: usize| half[0] * line[i] + (1..half.len()).map(|d| half[d] * both(i, d)).sum::<f32>();
    (0..line.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [2, 32, 48];

    fn wave(period: f32) -> Vec<f32> {
        let [c, h, w] = SHAPE;
        (0..c * h * w).map(|i| ((i % w) as f32 * std::f32::consts::TAU / period).sin() + (i / (h * w)) as f32).collect()
    }

    fn energy(values: &[f32]) -> f32 {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        values.iter().map(|v| (v - mean).powi(2)).sum()
    }

    #[test]
    fn slow_waves_stay_and_fast_ones_go() {
        let plane = |period| low_frequencies(&wave(period), SHAPE)[..32 * 48].to_vec();
        assert!(energy(&plane(48.0)) > 0.8 * energy(&wave(48.0)[..32 * 48]));
        assert!(energy(&plane(4.0)) < 0.05 * energy(&wave(4.0)[..32 * 48]));
    }

    #[test]
    fn a_level_stays_a_level() {
        let flat = vec![0.7; 2 * 32 * 48];
        assert!(low_frequencies(&flat, SHAPE).iter().all(|v| (v - 0.7).abs() < 1e-5));
    }

    #[test]
    fn what_holds_its_own_composition_does_not_change() {
        let mut latents = wave(7.0);
        hold(&mut latents, &wave(7.0), SHAPE);
        assert!(latents.iter().zip(wave(7.0)).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn slow_waves_are_taken_over_and_fast_ones_kept() {
        let mut latents = wave(4.0);
        hold(&mut latents, &wave(48.0), SHAPE);
        let wanted: Vec<f32> = wave(4.0).iter().zip(wave(48.0)).map(|(fast, slow)| fast + slow).collect();
        // Channel 0 has no level of its own that would be added twice.
        let off: f32 = latents.iter().zip(&wanted).take(32 * 48).map(|(a, b)| (a - b).powi(2)).sum();
        assert!(off < 0.05 * energy(&wanted[..32 * 48]), "{off}");
    }
}
