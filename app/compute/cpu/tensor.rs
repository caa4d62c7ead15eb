use super::memory::{Borrowed, Memory};
use crate::{
    Result,
    shapes::{Shape, Tokens},
};
use fourstep_kernels::{Values, ValuesMut};
use half::bf16;
use pulp::bytemuck;
use std::sync::Arc;

/// A picture or tokens, both with their channels last, in f32 or bf16.
#[derive(Clone, Debug)]
pub struct Tensor {
    values: Arc<Stored>,
    shape: Shape,
}

/// How wide the numbers of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    F32,
    Bf16,
}

#[derive(Debug)]
struct Stored {
    memory: Borrowed,
    width: Width,
    len: usize,
}

/// A tensor that is being written.
pub(super) struct Blank(Stored, Shape);

impl Tensor {
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn width(&self) -> Width {
        self.values.width
    }

    pub(super) fn values(&self) -> Values<'_> {
        let Stored { memory, width, len } = &*self.values;
        match width {
            Width::F32 => Values::F32(&bytemuck::cast_slice(&memory.buffer)[..*len]),
            Width::Bf16 => Values::Bf16(&bytemuck::cast_slice(&memory.buffer)[..*len]),
        }
    }

    /// The same values as another shape of the same length.
    pub(super) fn reshaped(&self, shape: impl Into<Shape>) -> Self {
        Self { values: self.values.clone(), shape: shape.into() }
    }

    /// The values in f32.
    pub(super) fn to_f32(&self) -> Vec<f32> {
        match self.values() {
            Values::F32(values) => values.to_vec(),
            Values::Bf16(values) => values.iter().map(|v| v.to_f32()).collect(),
        }
    }

    /// Row `indices[i]` of each sample `i`.
    pub(super) fn rows(&self, memory: &Arc<Memory>, Tokens { n, l, c }: Tokens, indices: &[usize]) -> Result<Self> {
        let mut out = Blank::new(memory, Tokens { n, l: 1, c }, self.width())?;
        let starts = indices.iter().enumerate().map(|(sample, i)| (sample * l + i) * c);
        match (self.values(), out.values_mut()) {
            (Values::F32(x), ValuesMut::F32(out)) => {
                out.chunks_mut(c).zip(starts).for_each(|(out, at)| out.copy_from_slice(&x[at..at + c]));
            }
            (Values::Bf16(x), ValuesMut::Bf16(out)) => {
                out.chunks_mut(c).zip(starts).for_each(|(out, at)| out.copy_from_slice(&x[at..at + c]));
            }
            _ => unreachable!("both are as wide"),
        }
        Ok(out.written())
    }
}

impl Blank {
    pub(super) fn new(memory: &Arc<Memory>, shape: impl Into<Shape>, width: Width) -> Result<Self> {
        let shape = shape.into();
        let bytes = match width {
            Width::F32 => size_of::<f32>(),
            Width::Bf16 => size_of::<bf16>(),
        };
        let memory = memory.borrow(shape.len() * bytes)?;
        Ok(Self(Stored { memory, width, len: shape.len() }, shape))
    }

    pub(super) fn values_mut(&mut self) -> ValuesMut<'_> {
        let Stored { memory, width, len } = &mut self.0;
        match width {
            Width::F32 => ValuesMut::F32(&mut bytemuck::cast_slice_mut(&mut memory.buffer)[..*len]),
            Width::Bf16 => ValuesMut::Bf16(&mut bytemuck::cast_slice_mut(&mut memory.buffer)[..*len]),
        }
    }

    pub(super) fn written(self) -> Tensor {
        Tensor { values: Arc::new(self.0), shape: self.1 }
    }
}
