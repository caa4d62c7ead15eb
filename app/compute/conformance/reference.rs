//! The operations as their definitions read, in f64, one loop per index. Pictures are `[n, c, h, w]`.

use crate::{Activation, Conv2dSpec, Padding};

/// Values and their shape, row-major.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl Array {
    pub(super) fn to_f32(&self) -> Vec<f32> {
        self.values.iter().map(|v| *v as f32).collect()
    }

    pub(super) fn at<const N: usize>(&self, index: [usize; N]) -> f64 {
        self.values[index.iter().zip(&self.shape).fold(0, |at, (i, size)| at * size + i)]
    }

    /// The array whose value at each index is `f` of the index.
    pub(super) fn from_fn<const N: usize>(shape: [usize; N], f: impl Fn([usize; N]) -> f64) -> Self {
        let index = |mut at: usize| {
            let mut index = [0; N];
            for (i, size) in index.iter_mut().zip(shape).rev() {
                *i = at % size;
                at /= size;
            }
            index
        };
        let values = (0..shape.iter().product()).map(|at| f(index(at))).collect();
        Self { shape: shape.to_vec(), values }
    }

    pub(super) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), values: self.values.iter().map(|v| f(*v)).collect() }
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let values = self.values.iter().zip(&other.values).map(|(a, b)| a + b).collect();
        Self { shape: self.shape.clone(), values }
    }

    pub(super) fn dims<const N: usize>(&self) -> [usize; N] {
        std::array::from_fn(|i| self.shape[i])
    }
}

pub(super) fn activate(x: f64, activation: Option<Activation>) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        None => x,
        Some(Activation::Silu) => x * sigmoid(x),
        Some(Activation::Gelu) => gelu(x),
        Some(Activation::QuickGelu) => x * sigmoid(1.702 * x),
        Some(Activation::Relu) => x.max(0.0),
        Some(Activation::SoftClamp3) => 3.0 * (x / 3.0).tanh(),
    }
}

/// x · Φ(x).
pub(super) fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

/// Maclaurin series; beyond 4 it is ±1 within 2e-8.
fn erf(x: f64) -> f64 {
    if x.abs() > 4.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..120 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

/// `x` `[n, l, in]`, `w` `[out, in]`.
pub(super) fn linear(x: &Array, w: &Array, bias: Option<&Array>) -> Array {
    let ([n, l, inputs], [outputs, _]) = (x.dims(), w.dims());
    Array::from_fn([n, l, outputs], |[n, l, o]| {
        let product: f64 = (0..inputs).map(|i| x.at([n, l, i]) * w.at([o, i])).sum();
        product + bias.map_or(0.0, |b| b.at([o]))
    })
}

/// `x` `[n, c, h, w]`, `w` `[out, c, kh, kw]`.
pub(super) fn conv2d(x: &Array, w: &Array, bias: Option<&Array>, spec: Conv2dSpec) -> Array {
    let ([n, c, h, width], [outputs, _, kh, kw]) = (x.dims(), w.dims());
    let (before, after) = match spec.padding {
        Padding::Even(p) => (p, p),
        Padding::BottomRight => (0, 1),
    };
    let out = |size: usize, k: usize| (size + before + after - k) / spec.stride + 1;
    Array::from_fn([n, outputs, out(h, kh), out(width, kw)], |[n, o, oy, ox]| {
        let mut sum = bias.map_or(0.0, |b| b.at([o]));
        for ci in 0..c {
            for ky in 0..kh {
                for kx in 0..kw {
                    let (y, x_at) = (oy * spec.stride + ky, ox * spec.stride + kx);
                    let inside = (before..before + h).contains(&y) && (before..before + width).contains(&x_at);
                    if inside {
                        sum += x.at([n, ci, y - before, x_at - before]) * w.at([o, ci, ky, kx]);
                    }
                }
            }
        }
        sum
    })
}

/// Nearest-neighbour resizing of `[n, c, h, w]`.
pub(super) fn upsample_nearest(x: &Array, [to_h, to_w]: [usize; 2]) -> Array {
    let [n, c, h, w] = x.dims();
    Array::from_fn([n, c, to_h, to_w], |[n, c, y, x_at]| x.at([n, c, y * h / to_h, x_at * w / to_w]))
}

/// Group norm of `[n, c, positions]`.
pub(super) fn group_norm(x: &Array, scale: &Array, shift: &Array, groups: usize, eps: f64) -> Array {
    let [n, c, positions] = x.dims();
    let per_group = c / groups;
    let group = |n: usize, c: usize| {
        let first = c / per_group * per_group;
        let values = (first..first + per_group).flat_map(move |c| (0..positions).map(move |p| x.at([n, c, p])));
        values.collect::<Vec<_>>()
    };
    let statistics = Array::from_fn([n, c, 2], |[n, c, which]| mean_and_variance(&group(n, c))[which]);
    Array::from_fn([n, c, positions], |[n, c, p]| {
        let (mean, variance) = (statistics.at([n, c, 0]), statistics.at([n, c, 1]));
        (x.at([n, c, p]) - mean) / (variance + eps).sqrt() * scale.at([c]) + shift.at([c])
    })
}

/// Layer norm of `[n, l, c]` over c.
pub(super) fn layer_norm(x: &Array, scale: &Array, shift: &Array, eps: f64) -> Array {
    let [n, l, c] = x.dims();
    Array::from_fn([n, l, c], |[n, l, c_at]| {
        let [mean, variance] = mean_and_variance(&(0..c).map(|c| x.at([n, l, c])).collect::<Vec<_>>());
        (x.at([n, l, c_at]) - mean) / (variance + eps).sqrt() * scale.at([c_at]) + shift.at([c_at])
    })
}

fn mean_and_variance(values: &[f64]) -> [f64; 2] {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    [mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64]
}

/// Softmax attention of `[n, l, heads · d]`.
pub(super) fn attention(q: &Array, k: &Array, v: &Array, heads: usize, causal: bool) -> Array {
    let ([n, lq, c], [_, lk, _]) = (q.dims(), k.dims());
    let d = c / heads;
    let mut out = Array::from_fn([n, lq, c], |_| 0.0);
    for (n, i, h) in (0..n).flat_map(|n| (0..lq).flat_map(move |i| (0..heads).map(move |h| (n, i, h)))) {
        let keys = if causal { lk.min(i + 1) } else { lk };
        let score = |j: usize| (0..d).map(|e| q.at([n, i, h * d + e]) * k.at([n, j, h * d + e])).sum::<f64>();
        let weights: Vec<f64> = (0..keys).map(|j| (score(j) / (d as f64).sqrt()).exp()).collect();
        let total: f64 = weights.iter().sum();
        for e in 0..d {
            let sum: f64 = weights.iter().enumerate().map(|(j, w)| w * v.at([n, j, h * d + e])).sum();
            out.values[(n * lq + i) * c + h * d + e] = sum / total;
        }
    }
    out
}

/// `[n, c, positions]` ↔ `[n, positions, c]`.
pub(super) fn swap_last(x: &Array) -> Array {
    let [n, rows, columns] = x.dims();
    Array::from_fn([n, columns, rows], |[n, column, row]| x.at([n, row, column]))
}

/// The same values under another shape.
pub(super) fn reshape(x: &Array, shape: &[usize]) -> Array {
    Array { shape: shape.to_vec(), values: x.values.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_is_that_of_the_tables() {
        for (x, want) in [(0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (-2.0, -0.995_322_265_0)] {
            assert!((erf(x) - want).abs() < 1e-9);
        }
    }
}
