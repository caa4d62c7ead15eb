use super::{expect, misfit};
use crate::{Conv2dSpec, HostTensor, Padding, Result};

/// A matrix `[outputs, inputs]` of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matrix {
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
}

impl Matrix {
    pub(crate) fn of(weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Self> {
        let &[outputs, inputs] = weight.shape() else {
            return Err(misfit("linear weight", "[out, in]", &weight.shape()));
        };
        expect_weights("linear", weight, bias, outputs)?;
        Ok(Self { outputs, inputs })
    }

    /// Of a layer whose second half gates the first.
    pub(crate) fn of_gated(weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Self> {
        let matrix = Self::of(weight, bias)?;
        expect("geglu outputs beyond an even number", matrix.outputs % 2, 0)?;
        Ok(matrix)
    }
}

/// Kernels `[outputs, inputs, size]` and where they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kernels {
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    pub(crate) size: [usize; 2],
    pub(crate) spec: Conv2dSpec,
}

impl Kernels {
    pub(crate) fn of(weight: &HostTensor, bias: Option<&HostTensor>, spec: Conv2dSpec) -> Result<Self> {
        let &[outputs, inputs, kh, kw] = weight.shape() else {
            return Err(misfit("conv2d weight", "[out, in, kh, kw]", &weight.shape()));
        };
        if spec.stride == 0 {
            return Err(misfit("conv2d stride", "1 or 2", &spec.stride));
        }
        expect_weights("conv2d", weight, bias, outputs)?;
        Ok(Self { outputs, inputs, size: [kh, kw], spec })
    }

    /// Zeros before the first and after the last pixel, the same for rows and columns.
    pub(crate) fn padding(&self) -> [usize; 2] {
        match self.spec.padding {
            Padding::Even(p) => [p, p],
            Padding::BottomRight => [0, 1],
        }
    }

    /// Height and width of the output.
    pub(crate) fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2]> {
        let [before, after] = self.padding();
        let out = |size: usize, kernel: usize| {
            let room = (size + before + after).checked_sub(kernel)?;
            Some(room / self.spec.stride + 1)
        };
        match (out(input[0], self.size[0]), out(input[1], self.size[1])) {
            (Some(h), Some(w)) => Ok([h, w]),
            _ => Err(misfit("conv2d input", &format!("at least the kernel's {:?}", self.size), &input)),
        }
    }
}

fn expect_weights(what: &str, weight: &HostTensor, bias: Option<&HostTensor>, outputs: usize) -> Result<()> {
    if let Some(bias) = bias {
        expect(&format!("{what} bias"), bias.shape(), &[outputs][..])?;
    }
    expect_values(weight)
}

/// Scale and shift of a norm: how many channels it is for. `groups` divide them.
pub(crate) fn norm_weights(what: &str, weight: &HostTensor, bias: &HostTensor, groups: usize) -> Result<usize> {
    let &[channels] = weight.shape() else {
        return Err(misfit(&format!("{what} weight"), "[c]", &weight.shape()));
    };
    expect(&format!("{what} bias"), bias.shape(), weight.shape())?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(misfit(&format!("{what} weight"), &format!("channels in {groups} groups"), &weight.shape()));
    }
    expect_values(weight)?;
    Ok(channels)
}

/// A table of vectors: how many, and how long they are.
pub(crate) fn table(table: &HostTensor) -> Result<[usize; 2]> {
    let &[rows, channels] = table.shape() else {
        return Err(misfit("embedding table", "[rows, c]", &table.shape()));
    };
    expect_values(table)?;
    Ok([rows, channels])
}

fn expect_values(t: &HostTensor) -> Result<()> {
    if t.is_empty() { Err(misfit("weight", "no side of no length", &t.shape())) } else { Ok(()) }
}
