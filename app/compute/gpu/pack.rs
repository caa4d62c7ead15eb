//! Weights as products read them: panels of columns, in each the inner dimension, row after row.

use super::{Gpu, memory::Buffer, open::Width, weights::Layout};
use crate::{Element, HostTensor, Result};
use half::{f16, slice::HalfFloatSliceExt};
use pulp::bytemuck::{self, Pod};
use rayon::prelude::*;
use std::ops::Range;

/// Columns of a panel: 8 quads, as `product.wgsl` has it.
pub(super) const PANEL: usize = 32;
/// Values of the inner dimension that a product takes at a time.
pub(super) const SLICE: usize = 16;
/// Bytes that are packed before they are handed on.
const AT_ONCE: usize = 8 << 20;

impl Layout {
    /// Rows of panels: every tap's channels in whole quads, all of them in whole slices.
    pub(super) fn depth(&self) -> usize {
        (self.taps * self.inputs.next_multiple_of(4)).next_multiple_of(SLICE)
    }

    /// Columns of all panels.
    pub(super) fn columns(&self) -> usize {
        let outputs = if self.gated { (self.outputs / 2).next_multiple_of(4) * 2 } else { self.outputs };
        outputs.next_multiple_of(PANEL)
    }

    pub(super) fn panels(&self) -> usize {
        self.columns() / PANEL
    }

    pub(super) fn panel_bytes(&self, width: Width) -> u64 {
        (self.depth() * PANEL / 4) as u64 * width.quad_bytes()
    }

    pub(super) fn bytes(&self, width: Width) -> u64 {
        self.panels() as u64 * self.panel_bytes(width)
    }

    /// The column that an output is in: where one gates another, quads of both lie in turn.
    pub(super) fn column(&self, output: usize) -> usize {
        if !self.gated {
            return output;
        }
        let (gate, at) = (output / (self.outputs / 2), output % (self.outputs / 2));
        at / 4 * 8 + gate * 4 + at % 4
    }

    /// The outputs of a panel, in ranges that lie together: of each half, where one gates the other.
    fn outputs_of(&self, panel: usize) -> impl Iterator<Item = Range<usize>> {
        let halves = if self.gated { 2 } else { 1 };
        let (outputs, columns) = (self.outputs / halves, PANEL / halves);
        let own = (panel * columns).min(outputs)..((panel + 1) * columns).min(outputs);
        (0..halves).map(move |half| half * outputs + own.start..half * outputs + own.end)
    }
}

impl Gpu {
    /// Packs a weight into a buffer, some panels at a time.
    pub(super) fn pack(&self, buffer: &Buffer, weight: &HostTensor, layout: Layout) -> Result<()> {
        let bytes = layout.panel_bytes(self.width) as usize;
        let panels: Vec<usize> = (0..layout.panels()).collect();
        let mut packed = Vec::new();
        for group in panels.chunks((AT_ONCE / bytes).max(1)) {
            self.cancel.check()?;
            packed.clear();
            packed.resize(group.len() * bytes, 0);
            packed.par_chunks_exact_mut(bytes).zip(group).try_for_each(|(out, panel)| match self.width {
                Width::F32 => pack_panel(weight, layout, *panel, out, read_f32),
                Width::F16 => pack_panel(weight, layout, *panel, out, read_f16),
            })?;
            self.shared.upload(buffer, (group[0] * bytes) as u64, &packed, &self.cancel)?;
        }
        Ok(())
    }
}

/// Rows of a weight as numbers of the device.
type Read<T> = fn(&HostTensor, Range<usize>) -> Result<Vec<T>>;

fn pack_panel<T: Pod>(weight: &HostTensor, layout: Layout, panel: usize, out: &mut [u8], read: Read<T>) -> Result<()> {
    let (width, depth) = (weight.width(), layout.inputs.next_multiple_of(4));
    let mut values = vec![T::zeroed(); layout.depth() * PANEL];
    for outputs in layout.outputs_of(panel) {
        let first = outputs.start;
        for (i, row) in read(weight, outputs)?.chunks_exact(width.max(1)).enumerate() {
            let column = layout.column(first + i) - panel * PANEL;
            for (channel, taps) in row.chunks_exact(layout.taps).enumerate() {
                for (tap, value) in taps.iter().enumerate() {
                    values[(tap * depth + channel) * PANEL + column] = *value;
                }
            }
        }
    }
    out.copy_from_slice(bytemuck::cast_slice(&values));
    Ok(())
}

fn read_f32(weight: &HostTensor, rows: Range<usize>) -> Result<Vec<f32>> {
    let mut values = vec![0.0; rows.len() * weight.width()];
    weight.read(rows, 0..weight.width(), &mut values)?;
    Ok(values)
}

/// What is stored in half precision stays as it is.
fn read_f16(weight: &HostTensor, rows: Range<usize>) -> Result<Vec<f16>> {
    if weight.element() == Element::F16 {
        let row_bytes = weight.width() * size_of::<f16>();
        let bytes = &weight.bytes()[rows.start * row_bytes..rows.end * row_bytes];
        return Ok(bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b)).collect());
    }
    let wide = read_f32(weight, rows)?;
    let mut values = vec![f16::ZERO; wide.len()];
    values.convert_from_f32_slice(&wide);
    Ok(values)
}
