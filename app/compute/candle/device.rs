//! The operations on every device and in every precision, channels-first, made of candle's.

use super::{fault::Outcome, weights};
use crate::{
    Activation, CancelToken, Epilogue, Mask, Padding,
    shapes::{Picture, Tokens},
};
use candle_core::{D, DType, Tensor};
use candle_nn::ops;

/// Scores of one chunk of queries at most; half a GiB in f32.
const CHUNK_SCORES: usize = 1 << 27;

pub(super) fn linear(
    x: &Tensor,
    shape: Tokens,
    w: &weights::Linear,
    epilogue: Epilogue<'_, Tensor>,
) -> Outcome<Tensor> {
    let out = product(x, shape, w)?;
    finish(out, None, epilogue)
}

/// `x · w + bias`.
fn product(x: &Tensor, Tokens { n, l, .. }: Tokens, w: &weights::Linear) -> Outcome<Tensor> {
    let out = x.reshape((n * l, w.matrix.inputs))?.matmul(w.weight.tensor()?)?.reshape((n, l, w.matrix.outputs))?;
    Ok(match &w.bias {
        Some(bias) => out.broadcast_add(bias)?,
        None => out,
    })
}

pub(super) fn geglu(x: &Tensor, shape: Tokens, w: &weights::Linear) -> Outcome<Tensor> {
    let both = product(x, shape, w)?;
    let half = w.matrix.outputs / 2;
    let gate = both.narrow(D::Minus1, half, half)?.contiguous()?.gelu_erf()?;
    Ok(both.narrow(D::Minus1, 0, half)?.mul(&gate)?)
}

pub(super) fn conv2d(x: &Tensor, w: &weights::Conv2d, epilogue: Epilogue<'_, Tensor>) -> Outcome<Tensor> {
    let spec = w.kernels.spec;
    let out = match spec.padding {
        Padding::Even(p) => x.conv2d(w.weight.tensor()?, p, spec.stride, 1, 1)?,
        Padding::BottomRight => {
            let padded = x.pad_with_zeros(2, 0, 1)?.pad_with_zeros(3, 0, 1)?;
            padded.conv2d(w.weight.tensor()?, 0, spec.stride, 1, 1)?
        }
    };
    finish(out, w.bias.as_ref(), epilogue)
}

fn finish(mut out: Tensor, picture_bias: Option<&Tensor>, epilogue: Epilogue<'_, Tensor>) -> Outcome<Tensor> {
    if let Some(bias) = picture_bias {
        out = out.broadcast_add(&bias.reshape((1, (), 1, 1))?)?;
    }
    if let Some(t) = epilogue.add_channels {
        let (n, _, c) = t.dims3()?;
        out = out.broadcast_add(&t.reshape((n, c, 1, 1))?)?;
    }
    if let Some(t) = epilogue.residual {
        out = out.add(t)?;
    }
    match epilogue.activation {
        Some(activation) => activate(&out, activation),
        None => Ok(out),
    }
}

pub(super) fn activate(x: &Tensor, activation: Activation) -> Outcome<Tensor> {
    Ok(match activation {
        Activation::Silu => x.silu()?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::QuickGelu => (x * ops::sigmoid(&(x * 1.702)?)?)?,
        Activation::Relu => x.relu()?,
        Activation::SoftClamp3 => ((x * (1.0 / 3.0))?.tanh()? * 3.0)?,
    })
}

/// Picks rows and columns by number: candle's own resizing multiplies by a rounded factor instead.
pub(super) fn upsample_nearest(x: &Tensor, shape: Picture, [h, w]: [usize; 2]) -> Outcome<Tensor> {
    if [h, w] == [2 * shape.h, 2 * shape.w] {
        return Ok(x.upsample_nearest2d(h, w)?);
    }
    let nearest = |from: usize, to: usize| -> Outcome<Tensor> {
        let ids: Vec<u32> = (0..to).map(|i| (i * from / to) as u32).collect();
        Ok(Tensor::new(ids, x.device())?)
    };
    Ok(x.index_select(&nearest(shape.h, h)?, 2)?.index_select(&nearest(shape.w, w)?, 3)?)
}

/// Of `[n, c, h, w]` or `[n, l, c]`; sums in f32.
pub(super) fn group_norm(x: &Tensor, w: &weights::GroupNorm, activation: Option<Activation>) -> Outcome<Tensor> {
    let is_picture = x.rank() == 4;
    let by_channel = if is_picture { x.flatten_from(2)? } else { x.transpose(1, 2)?.contiguous()? };
    let (n, c, positions) = by_channel.dims3()?;
    let groups = by_channel.to_dtype(DType::F32)?.reshape((n, w.groups, c / w.groups * positions))?;
    let normal = standardize(&groups, w.eps)?.reshape((n, c, positions))?;
    let out = normal.broadcast_mul(&w.scale.reshape((1, c, 1))?)?.broadcast_add(&w.shift.reshape((1, c, 1))?)?;
    let out = match activation {
        Some(activation) => activate(&out, activation)?,
        None => out,
    };
    let out = out.to_dtype(x.dtype())?;
    Ok(if is_picture { out.reshape(x.shape())? } else { out.transpose(1, 2)?.contiguous()? })
}

pub(super) fn layer_norm(x: &Tensor, w: &weights::LayerNorm) -> Outcome<Tensor> {
    let normal = standardize(&x.to_dtype(DType::F32)?, w.eps)?;
    Ok(normal.broadcast_mul(&w.scale)?.broadcast_add(&w.shift)?.to_dtype(x.dtype())?)
}

/// Mean 0 and variance 1 along the last dimension.
fn standardize(x: &Tensor, eps: f32) -> Outcome<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    Ok(centred.broadcast_div(&(variance + f64::from(eps))?.sqrt()?)?)
}

/// Softmax attention.
pub(super) fn attention(
    q: (&Tensor, Tokens),
    k: (&Tensor, Tokens),
    v: &Tensor,
    heads: usize,
    mask: Mask,
    cancel: &CancelToken,
) -> Outcome<Tensor> {
    attention_in_chunks(q, k, v, heads, mask, cancel, CHUNK_SCORES)
}

/// A chunk of queries of all heads at a time.
fn attention_in_chunks(
    q: (&Tensor, Tokens),
    k: (&Tensor, Tokens),
    v: &Tensor,
    heads: usize,
    mask: Mask,
    cancel: &CancelToken,
    chunk_scores: usize,
) -> Outcome<Tensor> {
    let (queries, keys, d) = (q.1, k.1, q.1.c / heads);
    let by_head = |x: &Tensor, l: usize| x.reshape((queries.n, l, heads, d))?.transpose(1, 2)?.contiguous();
    // Scaling first keeps the scores within f16's range.
    let q = (by_head(q.0, queries.l)? * (1.0 / (d as f64).sqrt()))?;
    let (k, v) = (by_head(k.0, keys.l)?.t()?, by_head(v, keys.l)?);
    let chunk = (chunk_scores / (queries.n * heads * keys.l)).clamp(1, queries.l);
    let mut parts = Vec::with_capacity(queries.l.div_ceil(chunk));
    for first in (0..queries.l).step_by(chunk) {
        cancel.check()?;
        let rows = chunk.min(queries.l - first);
        let mut scores = q.narrow(2, first, rows)?.contiguous()?.matmul(&k)?.to_dtype(DType::F32)?;
        if mask == Mask::Causal {
            scores = scores.broadcast_add(&hidden_keys(first, rows, keys.l, q.device())?)?;
        }
        parts.push(ops::softmax_last_dim(&scores)?.to_dtype(v.dtype())?.matmul(&v)?);
    }
    let out = Tensor::cat(&parts, 2)?;
    Ok(out.transpose(1, 2)?.contiguous()?.reshape((queries.n, queries.l, heads * d))?)
}

/// `[rows, keys]`: −∞ where a key is later than its query.
fn hidden_keys(first: usize, rows: usize, keys: usize, device: &candle_core::Device) -> Outcome<Tensor> {
    let row = |i: usize| (0..keys).map(move |j| if j > first + i { f32::NEG_INFINITY } else { 0.0 });
    Ok(Tensor::from_vec((0..rows).flat_map(row).collect::<Vec<_>>(), (rows, keys), device)?)
}

pub(super) fn concat_channels(x: &Tensor, y: &Tensor) -> Outcome<Tensor> {
    Ok(Tensor::cat(&[x, y], if x.rank() == 4 { 1 } else { 2 })?)
}

pub(super) fn embed(table: &weights::Embedding, ids: &[u32], [n, l]: [usize; 2]) -> Outcome<Tensor> {
    let ids = Tensor::new(ids, table.table.device())?;
    Ok(table.table.index_select(&ids, 0)?.reshape((n, l, table.shape[1]))?)
}

pub(super) fn select_token(x: &Tensor, l: usize, c: usize, indices: &[usize]) -> Outcome<Tensor> {
    let rows: Vec<u32> = indices.iter().enumerate().map(|(n, i)| (n * l + i) as u32).collect();
    let rows = Tensor::new(rows, x.device())?;
    Ok(x.reshape(((), c))?.index_select(&rows, 0)?.reshape((indices.len(), 1, c))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn attention_in_chunks_is_attention_at_once() -> candle_core::Result<()> {
        let (heads, l, shape) = (2, 7, Tokens { n: 2, l: 7, c: 6 });
        let x = (Tensor::arange(0f32, (2 * 7 * 6) as f32, &Device::Cpu)?.sin()?).reshape((2, 7, 6))?;
        for mask in [Mask::None, Mask::Causal] {
            // One query at a time, three with a rest of one, all.
            let [one, three, all] = [1, 3 * 2 * heads * l, CHUNK_SCORES].map(|chunk_scores| {
                let (q, token) = ((&x, shape), CancelToken::never());
                let out = attention_in_chunks(q, q, &x, heads, mask, &token, chunk_scores);
                out.ok().and_then(|t| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).ok()).expect("computes")
            });
            let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(close(&one, &all) && close(&three, &all), "{mask:?}");
        }
        Ok(())
    }
}
