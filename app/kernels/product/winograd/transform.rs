//! What is multiplied: patches and kernels at 16 places.

use super::{PLACES, with_memory};
use crate::{
    Disjoint, Values,
    product::rows::{Geometry, Left},
    values::Number,
};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// `G g Gᵀ` of the kernels `[c, 9]`: place `p` of channel `i` goes to `out[p · stride + i]`.
pub(in crate::product) fn transform_kernels(kernels: &[f32], out: &mut [f32], stride: usize) {
    let row = |g: [f32; 3]| [g[0], 0.5 * (g[0] + g[1] + g[2]), 0.5 * (g[0] - g[1] + g[2]), g[2]];
    for (i, g) in kernels.as_chunks::<9>().0.iter().enumerate() {
        let columns: [[f32; 4]; 3] = std::array::from_fn(|x| row([g[x], g[3 + x], g[6 + x]]));
        for y in 0..4 {
            for (x, value) in row([columns[0][y], columns[1][y], columns[2][y]]).into_iter().enumerate() {
                out[(4 * y + x) * stride + i] = value;
            }
        }
    }
}

/// The picture as patches of 4×4 px, two px apart both ways, of which each gives 2×2 outputs.
pub(in crate::product) struct Patches<'a> {
    pub(in crate::product) values: Values<'a>,
    pub(in crate::product) geometry: &'a Geometry,
    /// Patches down and across.
    grid: [usize; 2],
    /// Where in memory each row and column of the resized picture lies.
    from: [Vec<usize>; 2],
}

impl<'a> Patches<'a> {
    pub(super) fn new(values: Values<'a>, geometry: &'a Geometry) -> Self {
        let Geometry { input, resized, .. } = geometry;
        let nearest = |side: usize| (0..resized[side]).map(|i| i * input[side] / resized[side]).collect();
        Self { values, geometry, grid: geometry.output.map(|px| px.div_ceil(2)), from: [nearest(0), nearest(1)] }
    }

    pub(super) fn count(&self) -> usize {
        self.geometry.n * self.grid[0] * self.grid[1]
    }

    /// Sample, and the output row and column where a patch begins.
    #[inline(always)]
    pub(in crate::product) fn place(&self, patch: usize) -> [usize; 3] {
        let [down, across] = self.grid;
        [patch / (down * across), patch / across % down * 2, patch % across * 2]
    }

    /// Where the values of each of a patch's px begin; `None` outside of the picture.
    #[inline(always)]
    pub(in crate::product) fn pixels(&self, patch: usize) -> [Option<usize>; PLACES] {
        let Geometry { c, input, padding, .. } = self.geometry;
        let [sample, top, left] = self.place(patch);
        let mut pixels = [None; PLACES];
        for y in 0..4 {
            let Some(row) = (top + y).checked_sub(padding.top).and_then(|y| self.from[0].get(y)) else { continue };
            let first = (sample * input[0] + row) * input[1];
            for x in 0..4 {
                let column = (left + x).checked_sub(padding.left).and_then(|x| self.from[1].get(x));
                pixels[4 * y + x] = column.map(|column| (first + column) * c);
            }
        }
        pixels
    }
}

/// `Bᵀ d B` of patches.
pub(in crate::product) struct Transform<'a, T> {
    pub(in crate::product) patches: &'a Patches<'a>,
    pub(in crate::product) range: Range<usize>,
    /// The patch whose values come first, and the patches between one place and the next.
    pub(super) first: usize,
    pub(super) apart: usize,
    /// `[places, apart, c]`
    pub(super) places: &'a Disjoint<'a, T>,
}

impl<T: Left> Transform<'_, T> {
    /// The values of one place of a patch.
    ///
    /// # Safety
    /// Nobody else may have them.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, unsafe_code, reason = "a patch is transformed by one task")]
    pub(in crate::product) unsafe fn place(&self, place: usize, patch: usize) -> &mut [T] {
        let (c, row) = (self.patches.geometry.c, place * self.apart + patch - self.first);
        // SAFETY: as the caller warrants.
        unsafe { self.places.part(row * c..(row + 1) * c) }
    }

    #[inline(always)]
    fn run<S: Simd, F: Number>(self, simd: S, values: &[F]) {
        let c = self.patches.geometry.c;
        let wide = c.next_multiple_of(S::F32_LANES);
        with_memory::<f32, _>(PLACES * wide, |d| {
            for patch in self.range.clone() {
                for (pixel, d) in self.patches.pixels(patch).into_iter().zip(d.chunks_exact_mut(wide)) {
                    match pixel {
                        Some(at) => d.iter_mut().zip(&values[at..at + c]).for_each(|(d, v)| *d = v.widen()),
                        None => d.fill(0.0),
                    }
                }
                transform(simd, d, wide);
                for (place, d) in d.chunks_exact(wide).enumerate() {
                    // SAFETY: a patch is transformed by one task.
                    #[expect(unsafe_code, reason = "see above")]
                    T::store(&d[..c], unsafe { self.place(place, patch) });
                }
            }
        });
    }
}

impl<T: Left> WithSimd for Transform<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.patches.values {
            Values::F32(values) => self.run(simd, values),
            Values::Bf16(values) => self.run(simd, values),
        }
    }
}

/// `Bᵀ d B`, in place; `d` is `[places, wide]`.
#[inline(always)]
fn transform<S: Simd>(simd: S, d: &mut [f32], wide: usize) {
    let mut places = d.chunks_exact_mut(wide);
    let d: [&mut [S::f32s]; PLACES] =
        std::array::from_fn(|_| places.next().map_or(&mut [][..], |d| S::as_mut_simd_f32s(d).0));
    for lane in 0..wide / S::F32_LANES {
        // Loops: closures are not sure to be compiled for the instruction set.
        let mut v = [simd.splat_f32s(0.0); PLACES];
        for (v, d) in v.iter_mut().zip(&d) {
            *v = d[lane];
        }
        for x in 0..4 {
            [v[x], v[4 + x], v[8 + x], v[12 + x]] = forth(simd, [v[x], v[4 + x], v[8 + x], v[12 + x]]);
        }
        for y in 0..4 {
            let row = forth(simd, [v[4 * y], v[4 * y + 1], v[4 * y + 2], v[4 * y + 3]]);
            for (x, value) in row.into_iter().enumerate() {
                d[4 * y + x][lane] = value;
            }
        }
    }
}

#[inline(always)]
fn forth<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
    [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
}
