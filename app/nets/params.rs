//! From checkpoint keys to packed weights.

use crate::packs::{Kept, Packs, Versions};
use fourstep_compute::{Backend, ComputeError, Conv2dSpec, HostTensor, Result, TensorSource};
use std::{cell::RefCell, fmt::Display};

/// The tensors below one key of a checkpoint, as `down_blocks.0.resnets.1`.
///
/// Every method reads `{prefix}.{name}.weight` and, where the layer has one, `.bias`, checks shapes against what the
/// configuration says, and packs; or it takes what [`Packs`] kept from the same tensors, unread. Errors name the full
/// key.
#[derive(Clone)]
pub struct Params<'a> {
    source: &'a dyn TensorSource,
    packs: Option<&'a RefCell<&'a mut Packs>>,
    prefix: String,
}

impl<'a> Params<'a> {
    /// All tensors; nothing is kept.
    pub fn new(source: &'a dyn TensorSource) -> Self {
        Self { source, packs: None, prefix: String::new() }
    }

    /// All tensors; what they are packed into is taken from `packs` and kept there.
    pub fn with_packs(source: &'a dyn TensorSource, packs: &'a RefCell<&'a mut Packs>) -> Self {
        Self { packs: Some(packs), ..Self::new(source) }
    }

    /// The tensors below `name`.
    #[must_use]
    pub fn sub(&self, name: impl Display) -> Self {
        Self { prefix: self.key(name), ..*self }
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
        self.kept(name, |layer, old| {
            let (weight, bias) = (layer.matrix(input, output)?, layer.tensor("bias", &[output])?);
            repack_linear(b, old, &weight, Some(&bias))
        })
    }

    /// A linear layer without bias.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn linear_no_bias<B: Backend>(&self, b: &B, name: &str, input: usize, output: usize) -> Result<B::Linear> {
        self.kept(name, |layer, old| repack_linear(b, old, &layer.matrix(input, output)?, None))
    }

    /// A linear layer with bias whose outputs, twice as many, are values and their gates.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn geglu<B: Backend>(&self, b: &B, name: &str, input: usize, output: usize) -> Result<B::Geglu> {
        self.kept(name, |layer, old| {
            let (weight, bias) = (layer.matrix(input, 2 * output)?, layer.tensor("bias", &[2 * output])?);
            match old {
                Some(old) => b.repack_geglu(old, &weight, Some(&bias)),
                None => b.pack_geglu(&weight, Some(&bias)),
            }
        })
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
        self.kept(name, |layer, old| {
            let weight = layer.tensor("weight", &[output, input, kernel, kernel])?;
            repack_conv2d(b, old, &weight, Some(&layer.tensor("bias", &[output])?), spec)
        })
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
        self.kept(name, |layer, old| {
            repack_conv2d(b, old, &layer.tensor("weight", &[output, input, kernel, kernel])?, None, spec)
        })
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
        if !channels.is_multiple_of(groups) {
            let message = format!("{}: {channels} channels do not divide into {groups} groups", self.key(name));
            return Err(ComputeError::Unsupported(message));
        }
        self.kept(name, |layer, _| {
            let (weight, bias) = (layer.tensor("weight", &[channels])?, layer.tensor("bias", &[channels])?);
            b.pack_group_norm(&weight, &bias, groups, eps)
        })
    }

    /// A layer norm over `channels`.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn layer_norm<B: Backend>(&self, b: &B, name: &str, channels: usize, eps: f32) -> Result<B::LayerNorm> {
        self.kept(name, |layer, _| {
            b.pack_layer_norm(&layer.tensor("weight", &[channels])?, &layer.tensor("bias", &[channels])?, eps)
        })
    }

    /// A table of `rows` vectors.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn embedding<B: Backend>(&self, b: &B, name: &str, rows: usize, channels: usize) -> Result<B::Embedding> {
        self.kept(name, |layer, _| b.pack_embedding(&layer.tensor("weight", &[rows, channels])?))
    }

    /// The layer `name` as it was packed before from the same tensors; else as `pack` packs it, which may use the
    /// memory of the layer that it replaces.
    fn kept<T: Clone + Send + 'static>(
        &self,
        name: &str,
        pack: impl FnOnce(&Self, Option<T>) -> Result<T>,
    ) -> Result<T> {
        let layer = self.sub(name);
        let (Some(packs), Some(versions)) = (self.packs, layer.versions()) else { return pack(&layer, None) };
        let taken = packs.borrow_mut().take(&layer.prefix, versions);
        let packed = match taken {
            Kept::Same(kept) => return Ok(kept),
            Kept::Old(old) => pack(&layer, Some(old))?,
            Kept::Nothing => pack(&layer, None)?,
        };
        packs.borrow_mut().put(layer.prefix, versions, packed.clone());
        Ok(packed)
    }

    /// Of weight and bias, where the source knows them.
    fn versions(&self) -> Option<Versions> {
        Some([self.source.version(&self.key("weight"))?, self.source.version(&self.key("bias"))?])
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

fn repack_linear<B: Backend>(
    b: &B,
    old: Option<B::Linear>,
    weight: &HostTensor,
    bias: Option<&HostTensor>,
) -> Result<B::Linear> {
    match old {
        Some(old) => b.repack_linear(old, weight, bias),
        None => b.pack_linear(weight, bias),
    }
}

fn repack_conv2d<B: Backend>(
    b: &B,
    old: Option<B::Conv2d>,
    weight: &HostTensor,
    bias: Option<&HostTensor>,
    spec: Conv2dSpec,
) -> Result<B::Conv2d> {
    match old {
        Some(old) => b.repack_conv2d(old, weight, bias, spec),
        None => b.pack_conv2d(weight, bias, spec),
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
