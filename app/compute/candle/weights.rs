use super::{Candle, fault::Outcome, host, shapes};
use crate::{ComputeError, Conv2dSpec, HostTensor, Padding};
use candle_core::{DType, Tensor};

/// A matrix: panels on the host, else `[in, out]`.
pub struct Linear {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// A kernel: panels of `[kh · kw · in, out]` on the host, else `[out, in, kh, kw]`.
pub struct Conv2d {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) spec: Conv2dSpec,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) kernel: [usize; 2],
}

/// Scale and shift `[c]`, in f32.
pub struct GroupNorm {
    pub(super) scale: Tensor,
    pub(super) shift: Tensor,
    pub(super) channels: usize,
    pub(super) groups: usize,
    pub(super) eps: f32,
}

/// Scale and shift `[c]`, in f32.
pub struct LayerNorm {
    pub(super) scale: Tensor,
    pub(super) shift: Tensor,
    pub(super) channels: usize,
    pub(super) eps: f32,
}

/// `[rows, c]`.
pub struct Embedding {
    pub(super) table: Tensor,
    pub(super) rows: usize,
    pub(super) channels: usize,
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

pub(super) fn linear(b: &Candle, weight: &HostTensor, bias: Option<&HostTensor>) -> Outcome<Linear> {
    let &[outputs, inputs] = weight.shape() else {
        return Err(shapes::misfit("linear weight", "[out, in]", &weight.shape()).into());
    };
    let bias = pack_bias(b, "linear bias", bias, outputs)?;
    let weight = if b.on_host() {
        let values = host_values(weight)?;
        host::pack_tensor(inputs, outputs, |i, o| values[o * inputs + i])?
    } else {
        upload(b, weight, b.shared.dtype)?.t()?.contiguous()?
    };
    Ok(Linear { weight, bias, inputs, outputs })
}

pub(super) fn conv2d(b: &Candle, weight: &HostTensor, bias: Option<&HostTensor>, spec: Conv2dSpec) -> Outcome<Conv2d> {
    let &[outputs, inputs, kh, kw] = weight.shape() else {
        return Err(shapes::misfit("conv2d weight", "[out, in, kh, kw]", &weight.shape()).into());
    };
    if spec.stride == 0 {
        return Err(shapes::misfit("conv2d stride", "1 or 2", &spec.stride).into());
    }
    let bias = pack_bias(b, "conv2d bias", bias, outputs)?;
    let weight = if b.on_host() {
        let values = host_values(weight)?;
        host::pack_tensor(kh * kw * inputs, outputs, |row, o| {
            let (tap, i) = (row / inputs, row % inputs);
            values[(o * inputs + i) * kh * kw + tap]
        })?
    } else {
        upload(b, weight, b.shared.dtype)?
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

fn upload(b: &Candle, t: &HostTensor, dtype: DType) -> Outcome<Tensor> {
    Ok(Tensor::from_vec(host_values(t)?, t.shape(), &b.shared.device)?.to_dtype(dtype)?)
}

/// The values, at least one.
fn host_values(t: &HostTensor) -> Outcome<Vec<f32>> {
    let values = t.to_f32();
    if values.is_empty() {
        return Err(shapes::misfit("weight", "no side of no length", &t.shape()).into());
    }
    Ok(values)
}
