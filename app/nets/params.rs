//! From checkpoint keys to packed weights.

use fourstep_compute::{Backend, ComputeError, Conv2dSpec, HostTensor, Result, TensorSource};
use std::fmt::Display;

/// The tensors below one key of a checkpoint, as `down_blocks.0.resnets.1`.
///
/// Every method reads `{prefix}.{name}.weight` and, where the layer has one, `.bias`, checks shapes against what the
/// configuration says, and packs. Errors name the full key.
#[derive(Clone)]
pub struct Params<'a> {
    source: &'a dyn TensorSource,
    prefix: String,
}

impl<'a> Params<'a> {
    /// All tensors.
    pub fn new(source: &'a dyn TensorSource) -> Self {
        Self { source, prefix: String::new() }
    }

    /// The tensors below `name`.
    #[must_use]
    pub fn sub(&self, name: impl Display) -> Self {
        Self { source: self.source, prefix: self.key(name) }
    }

    /// The full key of `name`.
    pub fn key(&self, name: impl Display) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) }
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.source.contains(&self.key(name))
    }

    /// One tensor of this shape.
    ///
    /// # Errors
    /// [`ComputeError::Missing`], or [`ComputeError::Shape`] where it has another shape.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<HostTensor> {
        let key = self.key(name);
        let tensor = self.source.tensor(&key)?;
        if tensor.shape() == shape { Ok(tensor) } else { Err(wrong_shape(key, shape, &tensor)) }
    }

    /// A linear layer with bias. Its weight may also be stored as a 1×1 convolution: on tokens they are the same.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor), and those of the backend.
    pub fn linear<B: Backend>(&self, b: &B, name: &str, input: usize, output: usize) -> Result<B::Linear> {
        let layer = self.sub(name);
        b.pack_linear(&layer.matrix(input, output)?, Some(&layer.tensor("bias", &[output])?))
    }

    /// A linear layer without bias.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn linear_no_bias<B: Backend>(&self, b: &B, name: &str, input: usize, output: usize) -> Result<B::Linear> {
        b.pack_linear(&self.sub(name).matrix(input, output)?, None)
    }

    /// A convolution with bias and a square kernel of `kernel` px.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn conv2d<B: Backend>(
        &self,
        b: &B,
        name: &str,
        [input, output, kernel]: [usize; 3],
        spec: Conv2dSpec,
    ) -> Result<B::Conv2d> {
        let layer = self.sub(name);
        let weight = layer.tensor("weight", &[output, input, kernel, kernel])?;
        b.pack_conv2d(&weight, Some(&layer.tensor("bias", &[output])?), spec)
    }

    /// A convolution without bias.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn conv2d_no_bias<B: Backend>(
        &self,
        b: &B,
        name: &str,
        [input, output, kernel]: [usize; 3],
        spec: Conv2dSpec,
    ) -> Result<B::Conv2d> {
        b.pack_conv2d(&self.sub(name).tensor("weight", &[output, input, kernel, kernel])?, None, spec)
    }

    /// A group norm over `channels`.
    ///
    /// # Errors
    /// As [`linear`](Self::linear), and [`ComputeError::Unsupported`] where `groups` does not divide `channels`.
    pub fn group_norm<B: Backend>(
        &self,
        b: &B,
        name: &str,
        channels: usize,
        groups: usize,
        eps: f32,
    ) -> Result<B::GroupNorm> {
        let layer = self.sub(name);
        if !channels.is_multiple_of(groups) {
            let message = format!("{}: {channels} channels do not divide into {groups} groups", layer.prefix);
            return Err(ComputeError::Unsupported(message));
        }
        let (weight, bias) = (layer.tensor("weight", &[channels])?, layer.tensor("bias", &[channels])?);
        b.pack_group_norm(&weight, &bias, groups, eps)
    }

    /// A layer norm over `channels`.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn layer_norm<B: Backend>(&self, b: &B, name: &str, channels: usize, eps: f32) -> Result<B::LayerNorm> {
        let layer = self.sub(name);
        b.pack_layer_norm(&layer.tensor("weight", &[channels])?, &layer.tensor("bias", &[channels])?, eps)
    }

    /// A table of `rows` vectors.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn embedding<B: Backend>(&self, b: &B, name: &str, rows: usize, channels: usize) -> Result<B::Embedding> {
        b.pack_embedding(&self.sub(name).tensor("weight", &[rows, channels])?)
    }

    fn matrix(&self, input: usize, output: usize) -> Result<HostTensor> {
        let key = self.key("weight");
        let tensor = self.source.tensor(&key)?;
        match tensor.shape() {
            [o, i] | [o, i, 1, 1] if [*o, *i] == [output, input] => tensor.reshape([output, input]),
            _ => Err(wrong_shape(key, &[output, input], &tensor)),
        }
    }
}

/// `x·scale + shift` on a picture of so many channels, as a 1×1 convolution, for what configurations scale outside of
/// any layer. A zero-padded convolution cannot take the shift in front of it: its zeros would move.
pub(crate) fn affine<B: Backend>(b: &B, channels: usize, scale: f32, shift: f32) -> Result<B::Conv2d> {
    let mut weight = vec![0.0; channels * channels];
    for c in 0..channels {
        weight[c * channels + c] = scale;
    }
    let bias = HostTensor::from_f32([channels], &vec![shift; channels]);
    b.pack_conv2d(&HostTensor::from_f32([channels, channels, 1, 1], &weight), Some(&bias), Conv2dSpec::padded(0))
}

fn wrong_shape(key: String, expected: &[usize], found: &HostTensor) -> ComputeError {
    ComputeError::Shape { what: key, expected: format!("{expected:?}"), found: format!("{:?}", found.shape()) }
}
