use super::pack::{Layout, Packed, Precision};
#[cfg(target_arch = "x86_64")]
use super::x86;
use crate::{
    Activation, Disjoint, Isa, Values, ValuesMut, dispatch,
    math::{self, Pointwise, Vectors, Wide},
    values::Number,
};
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

/// Finishes and stores a block.
pub(super) fn write(isa: Isa, block: Block<'_>) {
    #[cfg(target_arch = "x86_64")]
    if isa.has_bf16() {
        return x86::write(&block);
    }
    dispatch(isa, block);
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.write(simd);
    }
}

impl Block<'_> {
    /// Finishes and stores it, compiled for the instruction set it is inlined into.
    #[inline(always)]
    pub(super) fn write<S: Simd>(mut self, simd: S) {
        let gated = self.weights.layout == Layout::Gated;
        let sums = std::mem::take(&mut self.sums);
        for (row, sums) in self.rows.clone().zip(sums.chunks_mut(self.stride)) {
            let sums = &mut sums[..self.columns.len()];
            if gated {
                self.gated_row(simd, row, sums);
            } else {
                self.row(simd, row, sums);
            }
        }
    }

    /// A row, in parts whose length the compiler knows: it keeps them in registers from first to last.
    #[inline(always)]
    fn row<S: Simd>(&self, simd: S, row: usize, sums: &mut [f32]) {
        const PART: usize = 32;
        let outputs = self.weights.outputs();
        for (at, part) in sums.chunks_mut(PART).enumerate() {
            let column = self.columns.start + at * PART;
            self.scale(row, column, part);
            add(part, &self.weights.bias[column..][..part.len()]);
            match part.as_mut_array::<PART>() {
                Some(part) if column + PART <= outputs => self.store(simd, row, column, part),
                _ => {
                    let len = part.len().min(outputs.saturating_sub(column));
                    self.store(simd, row, column, &mut part[..len]);
                }
            }
        }
    }

    #[inline(always)]
    fn gated_row<S: Simd>(&self, simd: S, row: usize, sums: &mut [f32]) {
        self.scale(row, self.columns.start, sums);
        add(sums, &self.weights.bias[self.columns.clone()]);
        let (first, width) = (self.columns.start / 2, gate(simd, sums, self.weights.width() / 2));
        let len = width.min(self.weights.outputs().saturating_sub(first));
        self.store(simd, row, first, &mut sums[..len]);
    }

    /// What is left to do to outputs from `column` on.
    #[inline(always)]
    fn store<S: Simd>(&self, simd: S, row: usize, column: usize, values: &mut [f32]) {
        let outputs = self.weights.outputs();
        if let Some(PerSample { values: added, rows }) = self.finish.per_sample {
            add_values(values, added, row / rows * outputs + column);
        }
        if let Some(residual) = self.finish.residual {
            add_values(values, residual, row * outputs + column);
        }
        if let Some(activation) = self.finish.activation {
            math::activate(simd, activation, values);
        }
        let place = row * outputs + column..row * outputs + column + values.len();
        // SAFETY: rows of a block do not overlap, and nobody else writes it.
        #[expect(unsafe_code, reason = "see above")]
        unsafe {
            match self.out {
                Output::F32(out) => out.part(place).copy_from_slice(values),
                Output::Bf16(out) => narrow(values, out.part(place)),
            }
        }
    }

    /// Makes values of sums of bytes.
    #[inline(always)]
    fn scale(&self, row: usize, column: usize, sums: &mut [f32]) {
        let scales = &self.weights.scales[column..][..sums.len()];
        match self.row_scales {
            Some(rows) => {
                let row_scale = rows.values[row / rows.rows];
                let offsets = &self.weights.offsets[column..][..sums.len()];
                for ((sum, scale), offset) in sums.iter_mut().zip(scales).zip(offsets) {
                    let whole = sum.to_bits() as i32 - offset;
                    *sum = whole as f32 * (row_scale * scale);
                }
            }
            None if self.weights.precision == Precision::Int8 => {
                sums.iter_mut().zip(scales).for_each(|(sum, scale)| *sum *= scale);
            }
            None => {}
        }
    }
}

#[inline(always)]
fn narrow(sums: &[f32], out: &mut [bf16]) {
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = bf16::narrow(*sum));
}

/// Of each pair of `half` values `[a, g]` what `a · gelu(g)` is, moved together; how many that are.
#[inline(always)]
fn gate<S: Simd>(simd: S, sums: &mut [f32], half: usize) -> usize {
    for at in 0..sums.len() / (2 * half) {
        let (a, g) = sums[2 * at * half..][..2 * half].split_at_mut(half);
        math::compute(simd, &Gate, [g], a);
        sums.copy_within(2 * at * half..(2 * at + 1) * half, at * half);
    }
    sums.len() / 2
}

pub(super) struct Gate;

impl Pointwise<1> for Gate {
    #[inline(always)]
    fn compute<S: Simd, const N: usize>(
        &self,
        w: Wide<S, N>,
        a: Vectors<S, N>,
        [g]: [Vectors<S, N>; 1],
    ) -> Vectors<S, N> {
        w.mul(a, math::gelu(w, g))
    }
}

#[inline(always)]
fn add<T: Number>(sums: &mut [f32], values: &[T]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.widen());
}

#[inline(always)]
pub(super) fn add_values(sums: &mut [f32], values: Values<'_>, first: usize) {
    match values {
        Values::F32(values) => add(sums, &values[first..][..sums.len()]),
        Values::Bf16(values) => add(sums, &values[first..][..sums.len()]),
    }
}
