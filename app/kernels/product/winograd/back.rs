//! What becomes of the sums of 16 places.

use super::{Convolution, PLACES};
#[cfg(target_arch = "x86_64")]
use crate::product::x86;
use crate::{Isa, dispatch, product::finish::Block};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// `Aᵀ m A` of patches' sums, finished and stored.
pub(in crate::product) struct TransformBack<'a> {
    pub(in crate::product) of: &'a Convolution<'a>,
    pub(in crate::product) range: Range<usize>,
    pub(in crate::product) columns: Range<usize>,
    /// `[patches, stride]`, of a patch `[places, columns]`.
    pub(in crate::product) sums: &'a mut [f32],
    pub(in crate::product) stride: usize,
}

impl TransformBack<'_> {
    pub(super) fn write(self, isa: Isa) {
        #[cfg(target_arch = "x86_64")]
        if isa.has_bf16() {
            return x86::transform_back(&self);
        }
        dispatch(isa, self);
    }

    /// The rows of the output that a patch's four px are; `None` outside of it.
    #[inline(always)]
    pub(in crate::product) fn pixels(&self, patch: usize) -> [Option<usize>; 4] {
        let patches = &self.of.patches;
        let ([h, w], [sample, top, left]) = (patches.geometry.output, patches.place(patch));
        let mut pixels = [None; 4];
        for (i, pixel) in pixels.iter_mut().enumerate() {
            let (y, x) = (top + i / 2, left + i % 2);
            if y < h && x < w {
                *pixel = Some((sample * h + y) * w + x);
            }
        }
        pixels
    }
}

impl WithSimd for TransformBack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let sums = std::mem::take(&mut self.sums);
        let (Convolution { w, finish, out, .. }, wide) = (self.of, self.columns.len());
        for (patch, sums) in self.range.clone().zip(sums.chunks_mut(self.stride)) {
            transform_back(simd, sums, wide);
            for (row, sums) in self.pixels(patch).into_iter().zip(sums.chunks_exact_mut(wide)) {
                let Some(row) = row else { continue };
                let (rows, columns) = (row..row + 1, self.columns.clone());
                Block { weights: w, finish, row_scales: None, rows, columns, sums, stride: wide, out }.write(simd);
            }
        }
    }
}

/// Of the 16 places' sums, `len` each, makes the 4 px of the output in the first four.
#[inline(always)]
fn transform_back<S: Simd>(simd: S, sums: &mut [f32], len: usize) {
    let mut places = sums.chunks_exact_mut(len);
    let m: [&mut [S::f32s]; PLACES] =
        std::array::from_fn(|_| places.next().map_or(&mut [][..], |place| S::as_mut_simd_f32s(place).0));
    #[expect(clippy::needless_range_loop, reason = "sixteen rows are walked side by side")]
    for lane in 0..len / S::F32_LANES {
        // Loops: closures are not sure to be compiled for the instruction set.
        let mut columns = [[simd.splat_f32s(0.0); 2]; 4];
        for (x, column) in columns.iter_mut().enumerate() {
            *column = back(simd, [m[x][lane], m[4 + x][lane], m[8 + x][lane], m[12 + x][lane]]);
        }
        for y in 0..2 {
            let row = back(simd, [columns[0][y], columns[1][y], columns[2][y], columns[3][y]]);
            [m[2 * y][lane], m[2 * y + 1][lane]] = row;
        }
    }
}

#[inline(always)]
fn back<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    let sum = simd.add_f32s(b, c);
    [simd.add_f32s(a, sum), simd.sub_f32s(simd.sub_f32s(b, c), d)]
}
