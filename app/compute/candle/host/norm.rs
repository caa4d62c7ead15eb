use super::{GRAIN, Values, for_rows, functions, tensor};
use crate::Activation;
use crate::candle::{fault::Outcome, weights};
use candle_core::Tensor;
use rayon::prelude::*;

/// Rows summed in f32 before the sums are added up in f64.
const BLOCK_ROWS: usize = 64;

/// Group norm of `[n, positions, c]`.
pub(in crate::candle) fn group_norm(
    x: &Tensor,
    n: usize,
    w: &weights::GroupNorm,
    activation: Option<Activation>,
) -> Outcome<Tensor> {
    let input = Values::of(x)?;
    let (scale, shift) = (Values::of(&w.scale)?, Values::of(&w.shift)?);
    let c = w.channels;
    let mut out = vec![0.0; input.slice().len()];
    let sample_len = out.len() / n.max(1);
    if sample_len == 0 {
        return tensor(out, x.dims());
    }
    for (x, out) in input.slice().chunks(sample_len).zip(out.chunks_mut(sample_len)) {
        let (factor, offset) = coefficients(x, w, scale.slice(), shift.slice());
        for_rows(out, c, |first, rows| {
            for (out, x) in rows.chunks_mut(c).zip(x[first * c..].chunks(c)) {
                for (((out, x), factor), offset) in out.iter_mut().zip(x).zip(&factor).zip(&offset) {
                    *out = x * factor + offset;
                }
            }
            if let Some(activation) = activation {
                functions::activate(activation, rows);
            }
        });
    }
    tensor(out, x.dims())
}

/// For each channel of one sample, what to multiply by and what to add.
fn coefficients(x: &[f32], w: &weights::GroupNorm, scale: &[f32], shift: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (c, per_group) = (w.channels, w.channels / w.groups);
    let count = (x.len() / c * per_group) as f64;
    let by_group = |sums: Vec<f64>| sums.chunks(per_group).map(|g| g.iter().sum::<f64>() / count).collect::<Vec<_>>();

    let zeros = vec![0.0; c];
    let means = by_group(channel_sums(x, &zeros, |v| v));
    let mean_of: Vec<f32> = (0..c).map(|i| means[i / per_group] as f32).collect();
    let variances = by_group(channel_sums(x, &mean_of, |v| v * v));

    let factor: Vec<f32> =
        (0..c).map(|i| (f64::from(scale[i]) / (variances[i / per_group] + f64::from(w.eps)).sqrt()) as f32).collect();
    let offset = (0..c).map(|i| shift[i] - mean_of[i] * factor[i]).collect();
    (factor, offset)
}

/// For each channel the sum of `f(x − centre)` over all positions.
fn channel_sums(x: &[f32], centre: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f64> {
    let c = centre.len();
    let part = |x: &[f32]| {
        let mut sums = vec![0f64; c];
        let mut block_sums = vec![0f32; c];
        for block in x.chunks(BLOCK_ROWS * c) {
            block_sums.fill(0.0);
            for row in block.chunks(c) {
                for ((sum, x), centre) in block_sums.iter_mut().zip(row).zip(centre) {
                    *sum += f(x - centre);
                }
            }
            sums.iter_mut().zip(&block_sums).for_each(|(sum, block)| *sum += f64::from(*block));
        }
        sums
    };
    let tasks = (x.len() / (2 * GRAIN)).min(rayon::current_num_threads());
    if tasks < 2 {
        return part(x);
    }
    let rows_per_task = (x.len() / c).div_ceil(tasks);
    x.par_chunks(rows_per_task * c).map(part).reduce(
        || vec![0.0; c],
        |mut a, b| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        },
    )
}

/// Layer norm over rows of `c` values.
pub(in crate::candle) fn layer_norm(x: &Tensor, w: &weights::LayerNorm) -> Outcome<Tensor> {
    let input = Values::of(x)?;
    let (scale, shift) = (Values::of(&w.scale)?, Values::of(&w.shift)?);
    let (x_values, scale, shift, c) = (input.slice(), scale.slice(), shift.slice(), w.channels.max(1));
    let mut out = vec![0.0; x_values.len()];
    for_rows(&mut out, c, |first, rows| {
        for (out, x) in rows.chunks_mut(c).zip(x_values[first * c..].chunks(c)) {
            let mean = functions::sum(x, |v| v) / c as f32;
            let variance = functions::sum(x, |v| (v - mean) * (v - mean)) / c as f32;
            let factor = 1.0 / (variance + w.eps).sqrt();
            for (((out, x), scale), shift) in out.iter_mut().zip(x).zip(scale).zip(shift) {
                *out = (x - mean) * factor * scale + shift;
            }
        }
    });
    tensor(out, x.dims())
}
