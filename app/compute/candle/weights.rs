use super::{
    Candle,
    fault::{Fault, Outcome},
    host, shapes,
};
use crate::{ComputeError, Conv2dSpec, HostTensor, Padding};
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
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// A kernel: panels of `[kh · kw · in, out]` on the host, else `[out, in, kh, kw]`.
#[derive(Clone)]
pub struct Conv2d {
    pub(super) weight: Packed,
    pub(super) bias: Option<Tensor>,
    pub(super) spec: Conv2dSpec,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) kernel: [usize; 2],
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
    pub(super) rows: usize,
    pub(super) channels: usize,
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

impl Conv2d {
    /// Zeros before the first and after the last pixel, the same for rows and columns.
    pub(super) fn padding(&self) -> [usize; 2] {
        match self.spec.padding {
            Padding::Even(p) => [p, p],
            Padding::BottomRight => [0, 1],
        }
    }

    /// Height and width of the output.
    pub(super) fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], ComputeError> {
        let [before, after] = self.padding();
        let out = |size: usize, kernel: usize| {
            let room = (size + before + after).checked_sub(kernel)?;
            Some(room / self.spec.stride + 1)
        };
        match (out(input[0], self.kernel[0]), out(input[1], self.kernel[1])) {
            (Some(h), Some(w)) => Ok([h, w]),
            _ => Err(shapes::misfit("conv2d input", &format!("at least the kernel's {:?}", self.kernel), &input)),
        }
    }
}

pub(super) fn linear(
    b: &Candle,
    old: Option<Linear>,
    weight: &HostTensor,
    bias: Option<&HostTensor>,
) -> Outcome<Linear> {
    let &[outputs, inputs] = weight.shape() else {
        return Err(shapes::misfit("linear weight", "[out, in]", &weight.shape()).into());
    };
    let bias = pack_bias(b, "linear bias", bias, outputs)?;
    let old = old.map(|old| old.weight);
    let weight = if b.on_host() {
        panels(weight, [outputs, inputs, 1], old)?
    } else {
        drop(old);
        Packed::Tensor(upload(b, weight, b.shared.dtype)?.t()?.contiguous()?)
    };
    Ok(Linear { weight, bias, inputs, outputs })
}

pub(super) fn conv2d(
    b: &Candle,
    old: Option<Conv2d>,
    weight: &HostTensor,
    bias: Option<&HostTensor>,
    spec: Conv2dSpec,
) -> Outcome<Conv2d> {
    let &[outputs, inputs, kh, kw] = weight.shape() else {
        return Err(shapes::misfit("conv2d weight", "[out, in, kh, kw]", &weight.shape()).into());
    };
    if spec.stride == 0 {
        return Err(shapes::misfit("conv2d stride", "1 or 2", &spec.stride).into());
    }
    let bias = pack_bias(b, "conv2d bias", bias, outputs)?;
    let old = old.map(|old| old.weight);
    let weight = if b.on_host() {
        panels(weight, [outputs, inputs, kh * kw], old)?
    } else {
        drop(old);
        Packed::Tensor(upload(b, weight, b.shared.dtype)?)
    };
    Ok(Conv2d { weight, bias, spec, inputs, outputs, kernel: [kh, kw] })
}

pub(super) fn group_norm(
    b: &Candle,
    weight: &HostTensor,
    bias: &HostTensor,
    groups: usize,
    eps: f32,
) -> Outcome<GroupNorm> {
    let (scale, shift, channels) = norm(b, "group norm", weight, bias)?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(
            shapes::misfit("group norm weight", &format!("channels in {groups} groups"), &weight.shape()).into()
        );
    }
    Ok(GroupNorm { scale, shift, channels, groups, eps })
}

pub(super) fn layer_norm(b: &Candle, weight: &HostTensor, bias: &HostTensor, eps: f32) -> Outcome<LayerNorm> {
    let (scale, shift, channels) = norm(b, "layer norm", weight, bias)?;
    Ok(LayerNorm { scale, shift, channels, eps })
}

pub(super) fn embedding(b: &Candle, table: &HostTensor) -> Outcome<Embedding> {
    let &[rows, channels] = table.shape() else {
        return Err(shapes::misfit("embedding table", "[rows, c]", &table.shape()).into());
    };
    Ok(Embedding { table: upload(b, table, b.shared.dtype)?, rows, channels })
}

fn norm(b: &Candle, what: &str, weight: &HostTensor, bias: &HostTensor) -> Outcome<(Tensor, Tensor, usize)> {
    let &[channels] = weight.shape() else {
        return Err(shapes::misfit(&format!("{what} weight"), "[c]", &weight.shape()).into());
    };
    shapes::expect(&format!("{what} bias"), bias.shape(), weight.shape())?;
    Ok((upload(b, weight, DType::F32)?, upload(b, bias, DType::F32)?, channels))
}

fn pack_bias(b: &Candle, what: &str, bias: Option<&HostTensor>, outputs: usize) -> Outcome<Option<Tensor>> {
    let Some(bias) = bias else { return Ok(None) };
    shapes::expect(what, bias.shape(), &[outputs][..])?;
    Ok(Some(upload(b, bias, b.shared.dtype)?))
}

fn panels(weight: &HostTensor, shape: [usize; 3], old: Option<Packed>) -> Outcome<Packed> {
    expect_values(weight)?;
    Ok(Packed::Panels(Arc::new(host::pack_weight(weight, shape, old.and_then(Packed::into_memory))?)))
}

fn upload(b: &Candle, t: &HostTensor, dtype: DType) -> Outcome<Tensor> {
    expect_values(t)?;
    let mut values = vec![0.0; t.len()];
    let rows = (UPLOADED_AT_ONCE / t.width()).max(1);
    values.par_chunks_mut(rows * t.width()).enumerate().try_for_each(|(i, values)| {
        let count = values.len() / t.width();
        t.read(i * rows..i * rows + count, 0..t.width(), values)
    })?;
    Ok(Tensor::from_vec(values, t.shape(), &b.shared.device)?.to_dtype(dtype)?)
}

fn expect_values(t: &HostTensor) -> Outcome<()> {
    if t.is_empty() {
        return Err(shapes::misfit("weight", "no side of no length", &t.shape()).into());
    }
    Ok(())
}
