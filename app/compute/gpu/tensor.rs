use super::{memory::Borrowed, open::Width};
use crate::shapes::Shape;
use std::{ops::Range, sync::Arc};

/// A picture or tokens, both with their channels last and filled up with zeros to whole quads, in f32 or f16.
#[derive(Clone, Debug)]
pub struct Tensor {
    memory: Arc<Borrowed>,
    shape: Shape,
    width: Width,
}

impl Tensor {
    pub(super) fn new(memory: Borrowed, shape: Shape, width: Width) -> Self {
        Self { memory: Arc::new(memory), shape, width }
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn width(&self) -> Width {
        self.width
    }

    pub(super) fn memory(&self) -> &Borrowed {
        &self.memory
    }

    /// Quads of a position.
    pub(super) fn quads(&self) -> usize {
        self.shape.sizes()[2].div_ceil(4)
    }

    /// Positions of all samples.
    pub(super) fn rows(&self) -> usize {
        let [n, l, _] = self.shape.sizes();
        n * l
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes_of(0..self.rows())
    }

    /// Bytes of these positions.
    pub(super) fn bytes_of(&self, rows: Range<usize>) -> u64 {
        (rows.len() * self.quads()) as u64 * self.width.quad_bytes()
    }

    /// The same values as another shape of the same length.
    pub(super) fn reshaped(&self, shape: impl Into<Shape>) -> Self {
        Self { shape: shape.into(), ..self.clone() }
    }
}
