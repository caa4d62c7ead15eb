//! Operands larger than what a kernel may see of a buffer at once are seen in parts, by rows.

use super::{Gpu, bindings::Binding, tensor::Tensor};
use crate::{ComputeError, Result};
use std::ops::Range;

/// What a kernel sees of a tensor, and the quad at which that begins.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) binding: Binding<'a>,
    pub(super) start: u32,
}

impl Gpu {
    /// These rows of a tensor; all of it where that is not too much, so that every part of an operation binds the same.
    pub(super) fn part<'a>(&self, x: &'a Tensor, rows: Range<usize>) -> Part<'a> {
        let buffer = x.memory().buffer();
        if x.bytes() <= self.shared.largest_binding {
            return Part { binding: Binding { buffer, offset: 0, size: x.bytes() }, start: 0 };
        }
        let offset = x.bytes_of(0..rows.start) / self.shared.alignment * self.shared.alignment;
        let size = x.bytes_of(0..rows.end) - offset;
        Part { binding: Binding { buffer, offset, size }, start: (offset / x.width().quad_bytes()) as u32 }
    }

    /// Whether so many rows of a tensor can be seen at once, wherever they begin.
    pub(super) fn sees(&self, x: &Tensor, rows: usize) -> bool {
        let most = self.shared.largest_binding;
        x.bytes() <= most || x.bytes_of(0..rows) + self.shared.alignment <= most
    }

    /// Rows `0..rows` in as few parts as there can be of which `fits` says that everything they need can be seen.
    pub(super) fn parts(
        &self,
        operation: &'static str,
        rows: usize,
        fits: impl Fn(Range<usize>) -> bool,
    ) -> Result<Vec<Range<usize>>> {
        let parts_of = |count: usize| (0..rows).step_by(count).map(move |at| at..(at + count).min(rows));
        let mut count = rows.max(1);
        while !parts_of(count).all(&fits) {
            if count == 1 {
                let most = self.shared.largest_binding;
                let message =
                    format!("it needs more than the {most} bytes that it can see at once: choose a smaller size");
                return Err(ComputeError::Device { operation, device: self.label().into(), message });
            }
            count = count.div_ceil(2);
        }
        Ok(parts_of(count).collect())
    }
}

/// `0..count` in `parts` ranges that are as equal as whole numbers are; fewer where there are fewer.
pub(super) fn equal(count: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = parts.clamp(1, count.max(1));
    (0..parts).map(move |i| count * i / parts..count * (i + 1) / parts)
}
