//! Numbers as sinusoids, and the two linear layers behind them (arXiv 2006.11239; diffusers `embeddings.py`).
//!
//! Sinusoids are computed in f32 whatever the network runs in: at t = 999 half precision is off by up to 0.3.

use crate::params::Params;
use fourstep_compute::{Activation, Backend, Epilogue, Result};

/// diffusers' `Timesteps`: `[sin(t·f), cos(t·f)]`, or cosines first, with
/// `f[i] = 10000^(−i / (half − shift))`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sinusoids {
    pub(crate) channels: usize,
    pub(crate) flip_sin_to_cos: bool,
    pub(crate) freq_shift: f32,
}

impl Sinusoids {
    /// `channels` values.
    pub(crate) fn embed(&self, value: f32) -> Vec<f32> {
        let half = self.channels / 2;
        let exponent = |i: usize| -10000f32.ln() * i as f32 / (half as f32 - self.freq_shift);
        let angles: Vec<f32> = (0..half).map(|i| value * exponent(i).exp()).collect();
        sines_and_cosines(&angles, self.flip_sin_to_cos, self.channels)
    }
}

/// How latent consistency models take guidance: `[sin(w·f), cos(w·f)]` of `w = 1000 · (guidance_scale − 1)`, with
/// frequencies down to exactly 1/10000 (diffusers `pipeline_latent_consistency_text2img.py`,
/// `get_guidance_scale_embedding`). Angles are in the thousands, so even the order of roundings is that of diffusers.
pub(crate) fn embed_guidance(guidance_scale: f32, channels: usize) -> Vec<f32> {
    let half = channels / 2;
    let step = 10000f32.ln() / (half as f32 - 1.0);
    let w = (guidance_scale - 1.0) * 1000.0;
    let angles: Vec<f32> = (0..half).map(|i| w * (i as f32 * -step).exp()).collect();
    sines_and_cosines(&angles, false, channels)
}

fn sines_and_cosines(angles: &[f32], cosines_first: bool, channels: usize) -> Vec<f32> {
    let sines = angles.iter().map(|a| a.sin());
    let cosines = angles.iter().map(|a| a.cos());
    let mut values: Vec<f32> =
        if cosines_first { cosines.chain(sines).collect() } else { sines.chain(cosines).collect() };
    values.resize(channels, 0.0);
    values
}

/// linear, `SiLU`, linear (diffusers `TimestepEmbedding`).
pub(crate) struct TimestepEmbedding<B: Backend> {
    linear_1: B::Linear,
    linear_2: B::Linear,
    activation: Activation,
}

impl<B: Backend> TimestepEmbedding<B> {
    pub(crate) fn load(b: &B, p: &Params<'_>, input: usize, output: usize, activation: Activation) -> Result<Self> {
        Ok(Self {
            linear_1: p.linear(b, "linear_1", input, output)?,
            linear_2: p.linear(b, "linear_2", output, output)?,
            activation,
        })
    }

    /// `[n, 1, input]` → `[n, 1, output]`, then the epilogue.
    pub(crate) fn forward(&self, b: &B, x: &B::Tensor, epilogue: Epilogue<'_, B::Tensor>) -> Result<B::Tensor> {
        let h = b.linear(x, &self.linear_1, Epilogue::activation(self.activation))?;
        b.linear(&h, &self.linear_2, epilogue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_swap_and_odd_widths_end_in_zero() {
        let sines_first = Sinusoids { channels: 7, flip_sin_to_cos: false, freq_shift: 0.0 }.embed(0.0);
        assert_eq!(sines_first, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
        let cosines_first = Sinusoids { channels: 4, flip_sin_to_cos: true, freq_shift: 0.0 }.embed(1.0);
        assert_eq!(cosines_first, [1f32.cos(), 0.01f32.cos(), 1f32.sin(), 0.01f32.sin()]);
    }
}
