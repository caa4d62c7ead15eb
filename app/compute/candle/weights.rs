use super::{
    Candle,
    fault::{Fault, Outcome},
    host,
};
use crate::{
    Conv2dSpec, HostTensor,
    shapes::{self, Kernels, Matrix},
};
use candle_core::{DType, Tensor};
use rayon::prelude::*;
use std::sync::Arc;

/// Values that a thread widens at a time.
const UPLOADED_AT_ONCE: usize = 1 << 16;

/// A matrix: panels on the host, else `[in, out]`.
#[derive(Clone)]
pub struct Linear {
    pub(super) weight: Packed,
    pub(super) bias: Option<Tensor>,
    pub(super) matrix: Matrix,
}

/// A kernel: panels of `[kh · kw · in, out]` on the host, else `[out, in, kh, kw]`.
#[derive(Clone)]
pub struct Conv2d {
    pub(super) weight: Packed,
    pub(super) bias: Option<Tensor>,
    pub(super) kernels: Kernels,
}

/// Scale and shift `[c]`, in f32.
#[derive(Clone)]
pub struct GroupNorm {
    pub(super) scale: Tensor,
    pub(super) shift: Tensor,
    pub(super) channels: usize,
    pub(super) groups: usize,
    pub(super) eps: f32,
}

/// Scale and shift `[c]`, in f32.
#[derive(Clone)]
pub struct LayerNorm {
    pub(super) scale: Tensor,
    pub(super) shift: Tensor,
    pub(super) channels: usize,
    pub(super) eps: f32,
}

/// `[rows, c]`.
#[derive(Clone)]
pub struct Embedding {
    pub(super) table: Tensor,
    pub(super) shape: [usize; 2],
}

/// Where a packed matrix lies.
#[derive(Clone)]
pub(super) enum Packed {
    /// On the host, `[⌈n / PANEL⌉, k, PANEL]`.
    Panels(Arc<Vec<f32>>),
    Tensor(Tensor),
}

impl Packed {
    pub(super) fn panels(&self) -> Outcome<&[f32]> {
        match self {
            Self::Panels(panels) => Ok(panels),
            Self::Tensor(_) => Err(foreign()),
        }
    }

    pub(super) fn tensor(&self) -> Outcome<&Tensor> {
        match self {
            Self::Tensor(tensor) => Ok(tensor),
            Self::Panels(_) => Err(foreign()),
        }
    }

    /// Its memory, where nobody else reads it.
    fn into_memory(self) -> Option<Vec<f32>> {
        match self {
            Self::Panels(panels) => Arc::into_inner(panels),
            Self::Tensor(_) => None,
        }
    }
}

fn foreign() -> Fault {
    candle_core::Error::Msg("weights of another backend".into()).into()
}

pub(super) fn linear(
    b: &Candle,
    old: Option<Linear>,
    weight: &HostTensor,
    bias: Option<&HostTensor>,
    matrix: Matrix,
) -> Outcome<Linear> {
    let bias = bias.map(|bias| upload(b, bias, b.shared.dtype)).transpose()?;
    let old = old.map(|old| old.weight);
    let weight = if b.on_host() {
        panels(weight, [matrix.outputs, matrix.inputs, 1], old)?
    } else {
        drop(old);
        Packed::Tensor(upload(b, weight, b.shared.dtype)?.t()?.contiguous()?)
    };
    Ok(Linear { weight, bias, matrix })
}

pub(super) fn conv2d(
    b: &Candle,
    old: Option<Conv2d>,
    weight: &HostTensor,
    bias: Option<&HostTensor>,
    spec: Conv2dSpec,
) -> Outcome<Conv2d> {
    let kernels = Kernels::of(weight, bias, spec)?;
    let Kernels { outputs, inputs, size: [kh, kw], .. } = kernels;
    let bias = bias.map(|bias| upload(b, bias, b.shared.dtype)).transpose()?;
    let old = old.map(|old| old.weight);
    let weight = if b.on_host() {
        panels(weight, [outputs, inputs, kh * kw], old)?
    } else {
        drop(old);
        Packed::Tensor(upload(b, weight, b.shared.dtype)?)
    };
    Ok(Conv2d { weight, bias, kernels })
}

pub(super) fn group_norm(
    b: &Candle,
    weight: &HostTensor,
    bias: &HostTensor,
    groups: usize,
    eps: f32,
) -> Outcome<GroupNorm> {
    let channels = shapes::norm_weights("group norm", weight, bias, groups)?;
    let (scale, shift) = (upload(b, weight, DType::F32)?, upload(b, bias, DType::F32)?);
    Ok(GroupNorm { scale, shift, channels, groups, eps })
}

pub(super) fn layer_norm(b: &Candle, weight: &HostTensor, bias: &HostTensor, eps: f32) -> Outcome<LayerNorm> {
    let channels = shapes::norm_weights("layer norm", weight, bias, 1)?;
    Ok(LayerNorm { scale: upload(b, weight, DType::F32)?, shift: upload(b, bias, DType::F32)?, channels, eps })
}

pub(super) fn embedding(b: &Candle, table: &HostTensor) -> Outcome<Embedding> {
    Ok(Embedding { shape: shapes::table(table)?, table: upload(b, table, b.shared.dtype)? })
}

fn panels(weight: &HostTensor, shape: [usize; 3], old: Option<Packed>) -> Outcome<Packed> {
    Ok(Packed::Panels(Arc::new(host::pack_weight(weight, shape, old.and_then(Packed::into_memory))?)))
}

fn upload(b: &Candle, t: &HostTensor, dtype: DType) -> Outcome<Tensor> {
    let mut values = vec![0.0; t.len()];
    let rows = (UPLOADED_AT_ONCE / t.width()).max(1);
    values.par_chunks_mut(rows * t.width()).enumerate().try_for_each(|(i, values)| {
        let count = values.len() / t.width();
        t.read(i * rows..i * rows + count, 0..t.width(), values)
    })?;
    Ok(Tensor::from_vec(values, t.shape(), &b.shared.device)?.to_dtype(dtype)?)
}
