use super::pack::{Layout, Packed};
use crate::{Activation, Disjoint, Values, ValuesMut, math, values::Number};
use half::bf16;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// What is done to each value of a product before it is stored, in this order; the bias, part of the weights, comes
/// first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finish<'a> {
    /// Added to all rows of a sample.
    pub per_sample: Option<PerSample<'a>>,
    /// Added: the shape of the output.
    pub residual: Option<Values<'a>>,
    /// Applied last.
    pub activation: Option<Activation>,
}

/// A row for each sample.
#[derive(Clone, Copy, Debug)]
pub struct PerSample<'a> {
    /// `[samples, outputs]`.
    pub values: Values<'a>,
    /// Rows of the output that belong to a sample.
    pub rows: usize,
}

/// What a byte of a row is worth.
#[derive(Clone, Copy)]
pub(super) struct RowScales<'a> {
    pub(super) values: &'a [f32],
    /// Rows that share one.
    pub(super) rows: usize,
}

/// Where a product goes; tasks write blocks of it.
pub(super) enum Output<'a> {
    F32(Disjoint<'a, f32>),
    Bf16(Disjoint<'a, bf16>),
}

impl<'a> Output<'a> {
    pub(super) fn new(out: ValuesMut<'a>) -> Self {
        match out {
            ValuesMut::F32(out) => Self::F32(Disjoint::new(out)),
            ValuesMut::Bf16(out) => Self::Bf16(Disjoint::new(out)),
        }
    }
}

/// A block of sums that becomes a block of the output.
pub(super) struct Block<'a> {
    pub(super) weights: &'a Packed,
    pub(super) finish: &'a Finish<'a>,
    /// Where sums are whole numbers.
    pub(super) row_scales: Option<RowScales<'a>>,
    pub(super) rows: Range<usize>,
    /// Columns of the panels.
    pub(super) columns: Range<usize>,
    pub(super) sums: &'a mut [f32],
    /// Sums of a row.
    pub(super) stride: usize,
    /// The whole output, of which no other task writes this block.
    pub(super) out: &'a Output<'a>,
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.write();
    }
}

impl Block<'_> {
    /// Finishes and stores it, compiled for the instruction set it is inlined into.
    #[inline(always)]
    pub(super) fn write(self) {
        let Self { weights, finish, row_scales, rows, columns, sums, stride, out } = self;
        let gated = weights.layout == Layout::Gated;
        let outputs = weights.outputs();
        let first = if gated { columns.start / 2 } else { columns.start };
        for (row, sums) in rows.zip(sums.chunks_mut(stride)) {
            let sums = &mut sums[..columns.len()];
            scale(weights, row_scales, row, columns.clone(), sums);
            add(sums, &weights.bias[columns.clone()]);
            let width = if gated { gate(sums, weights.width() / 2) } else { sums.len() };
            let range = first..outputs.min(first + width);
            let sums = &mut sums[..range.len()];
            if let Some(PerSample { values, rows }) = finish.per_sample {
                add_values(sums, values, row / rows * outputs + range.start);
            }
            if let Some(residual) = finish.residual {
                add_values(sums, residual, row * outputs + range.start);
            }
            if let Some(activation) = finish.activation {
                math::activate(activation, sums);
            }
            let place = row * outputs + range.start..row * outputs + range.end;
            // SAFETY: rows of a block do not overlap, and nobody else writes it.
            #[expect(unsafe_code, reason = "see above")]
            unsafe {
                match out {
                    Output::F32(out) => out.part(place).copy_from_slice(sums),
                    Output::Bf16(out) => narrow(sums, out.part(place)),
                }
            }
        }
    }
}

#[inline(always)]
fn narrow(sums: &[f32], out: &mut [bf16]) {
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = bf16::narrow(*sum));
}

/// Makes values of sums of bytes.
#[inline(always)]
fn scale(weights: &Packed, rows: Option<RowScales<'_>>, row: usize, columns: Range<usize>, sums: &mut [f32]) {
    let scales = &weights.scales[columns.clone()];
    match rows {
        Some(rows) => {
            let row_scale = rows.values[row / rows.rows];
            for ((sum, scale), offset) in sums.iter_mut().zip(scales).zip(&weights.offsets[columns]) {
                let whole = sum.to_bits() as i32 - offset;
                *sum = whole as f32 * (row_scale * scale);
            }
        }
        None if weights.precision == super::Precision::Int8 => {
            sums.iter_mut().zip(scales).for_each(|(sum, scale)| *sum *= scale);
        }
        None => {}
    }
}

/// Of each pair of `half` values `[a, g]` what `a · gelu(g)` is, moved together; how many that are.
#[inline(always)]
fn gate(sums: &mut [f32], half: usize) -> usize {
    for at in 0..sums.len() / (2 * half) {
        for i in 0..half {
            sums[at * half + i] = sums[2 * at * half + i] * math::gelu(sums[(2 * at + 1) * half + i]);
        }
    }
    sums.len() / 2
}

#[inline(always)]
fn add<T: Number>(sums: &mut [f32], values: &[T]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.widen());
}

#[inline(always)]
fn add_values(sums: &mut [f32], values: Values<'_>, first: usize) {
    match values {
        Values::F32(values) => add(sums, &values[first..][..sums.len()]),
        Values::Bf16(values) => add(sums, &values[first..][..sums.len()]),
    }
}
