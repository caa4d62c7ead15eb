//! 3×3 convolution with 16 multiplications for 4 outputs instead of 36 (arXiv 1509.09308, F(2×2, 3×3)): patches of
//! 4×4 px and kernels are transformed, multiplied place by place, and the sums transformed back.

use super::{
    driver::{TASKS_PER_THREAD, aligned, multiply, with_scratch},
    finish::{Block, Finish, Output},
    leaf::{Leaf, UseLeaf, with_leaf},
    pack::Packed,
    rows::{Geometry, Left, Matrix, Rows},
};
use crate::{Cancelled, Context, Disjoint, Values, ValuesMut, dispatch, values::Number};
use pulp::{Simd, WithSimd};
use std::{cell::Cell, ops::Range};

/// Of a patch of 4×4 px.
pub(super) const PLACES: usize = 16;
/// Patches of a block: enough that a panel of weights is used for a few tiles.
const BLOCK_PATCHES: usize = 48;
/// Sums of all places of a block, which should stay in the second cache.
const BLOCK_SUMS: usize = 96 << 10;
/// Transformed values that stay in the second cache, and in the third.
const NEAR_VALUES: usize = 256 << 10;
const FAR_VALUES: usize = 4 << 20;

/// `G g Gᵀ` of the kernels `[c, 9]`: place `p` of channel `i` goes to `out[p · stride + i]`.
pub(super) fn transform_kernels(kernels: &[f32], out: &mut [f32], stride: usize) {
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

pub(super) fn conv2d(
    cx: Context<'_>,
    x: Values<'_>,
    geometry: &Geometry,
    w: &Packed,
    finish: &Finish<'_>,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    assert!(geometry.kernel == [3, 3] && geometry.stride == 1, "these weights are for 3×3 and stride 1");
    assert_eq!(out.len(), geometry.n * geometry.output[0] * geometry.output[1] * w.outputs(), "all outputs are there");
    let patches = Patches::new(x, geometry);
    with_leaf(w.isa, w.precision, Convolution { cx, patches, w, finish, out: Output::new(out) })
}

struct Convolution<'a> {
    cx: Context<'a>,
    patches: Patches<'a>,
    w: &'a Packed,
    finish: &'a Finish<'a>,
    out: Output<'a>,
}

impl UseLeaf for Convolution<'_> {
    type Output = Result<(), Cancelled>;

    fn with<L: Leaf>(self, leaf: L) -> Result<(), Cancelled> {
        let (cx, count, c) = (self.cx, self.patches.count(), self.w.depth().max(1));
        let near = BLOCK_PATCHES.min(NEAR_VALUES / PLACES / c);
        // Where there are blocks enough for all threads, each thread transforms and multiplies in its own cache.
        if near >= BLOCK_PATCHES / 2 && count.div_ceil(near) >= TASKS_PER_THREAD * cx.pool.threads() {
            return cx.run(count.div_ceil(near), |task| {
                let range = task * near..count.min((task + 1) * near);
                with_memory::<L::Left, _>(PLACES * range.len() * c, |values| {
                    let places = Disjoint::new(values);
                    let (patches, first, apart) = (&self.patches, range.start, range.len());
                    let of = Transform { patches, range: range.clone(), first, apart, places: &places };
                    leaf.transform(cx.isa, of);
                    self.multiply(leaf, &range, &range, values, 0..self.w.panels());
                });
            });
        }
        // Else all threads transform a strip of patches, then multiply blocks of it by blocks of the weights.
        let strip = (FAR_VALUES / PLACES / c).max(BLOCK_PATCHES);
        with_memory::<L::Left, _>(PLACES * strip.min(count) * c, |values| {
            (0..count).step_by(strip).try_for_each(|first| self.strip(leaf, first..count.min(first + strip), values))
        })
    }
}

impl Convolution<'_> {
    fn strip<L: Leaf>(&self, leaf: L, strip: Range<usize>, values: &mut [L::Left]) -> Result<(), Cancelled> {
        /// Patches one task transforms.
        const GRAIN: usize = 8;
        let (cx, apart) = (self.cx, strip.len());
        let places = Disjoint::new(values);
        cx.run(apart.div_ceil(GRAIN), |task| {
            let range = strip.start + task * GRAIN..strip.end.min(strip.start + (task + 1) * GRAIN);
            let (patches, first) = (&self.patches, strip.start);
            leaf.transform(cx.isa, Transform { patches, range, first, apart, places: &places });
        })?;
        let high = apart.div_ceil(apart.div_ceil(2 * BLOCK_PATCHES));
        let wide = (BLOCK_SUMS / PLACES / high / self.w.width()).max(1);
        let (down, across) = (apart.div_ceil(high), self.w.panels().div_ceil(wide));
        cx.run(down * across, |task| {
            let top = strip.start + task % down * high;
            let panels = task / down * wide..self.w.panels().min((task / down + 1) * wide);
            self.multiply(leaf, &strip, &(top..strip.end.min(top + high)), values, panels);
        })
    }

    /// Multiplies and finishes patches `range` of those that are transformed, which are `all`.
    fn multiply<L: Leaf>(
        &self,
        leaf: L,
        all: &Range<usize>,
        range: &Range<usize>,
        values: &[L::Left],
        panels: Range<usize>,
    ) {
        let (w, c) = (self.w, self.w.depth());
        let wide = (BLOCK_SUMS / PLACES / range.len() / w.width()).max(1);
        for first in panels.clone().step_by(wide) {
            let panels = first..panels.end.min(first + wide);
            let columns = panels.start * w.width()..panels.end * w.width();
            let len = range.len() * columns.len();
            with_scratch::<L::Left>(range.len() * L::DEPTH, PLACES * len, |left, sums| {
                for (place, sums) in sums.chunks_exact_mut(len).enumerate() {
                    let values = &values[place * all.len() * c..(place + 1) * all.len() * c];
                    let rows = Rows::Matrix(Matrix::new(L::Left::source(values), c));
                    let block = range.start - all.start..range.end - all.start;
                    let first = place * w.panels() * w.width();
                    let columns = first + columns.start..first + columns.end;
                    multiply(leaf, self.cx.isa, &rows, w, block, columns, left, sums);
                }
                dispatch(self.cx.isa, TransformBack { of: self, range: range.clone(), columns, sums });
            });
        }
    }
}

/// The picture as patches of 4×4 px, two px apart both ways, of which each gives 2×2 outputs.
pub(super) struct Patches<'a> {
    pub(super) values: Values<'a>,
    pub(super) geometry: &'a Geometry,
    /// Patches down and across.
    grid: [usize; 2],
    /// Where in memory each row and column of the resized picture lies.
    from: [Vec<usize>; 2],
}

impl<'a> Patches<'a> {
    fn new(values: Values<'a>, geometry: &'a Geometry) -> Self {
        let Geometry { input, resized, .. } = geometry;
        let nearest = |side: usize| (0..resized[side]).map(|i| i * input[side] / resized[side]).collect();
        Self { values, geometry, grid: geometry.output.map(|px| px.div_ceil(2)), from: [nearest(0), nearest(1)] }
    }

    fn count(&self) -> usize {
        self.geometry.n * self.grid[0] * self.grid[1]
    }

    /// Sample, and the output row and column where a patch begins.
    #[inline(always)]
    fn place(&self, patch: usize) -> [usize; 3] {
        let [down, across] = self.grid;
        [patch / (down * across), patch / across % down * 2, patch % across * 2]
    }

    /// Where the values of each of a patch's px begin; `None` outside of the picture.
    #[inline(always)]
    pub(super) fn pixels(&self, patch: usize) -> [Option<usize>; PLACES] {
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
pub(super) struct Transform<'a, T> {
    pub(super) patches: &'a Patches<'a>,
    pub(super) range: Range<usize>,
    /// The patch whose values come first, and the patches between one place and the next.
    first: usize,
    apart: usize,
    /// `[places, apart, c]`
    places: &'a Disjoint<'a, T>,
}

impl<T: Left> Transform<'_, T> {
    /// The values of one place of a patch.
    ///
    /// # Safety
    /// Nobody else may have them.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, unsafe_code, reason = "a patch is transformed by one task")]
    pub(super) unsafe fn place(&self, place: usize, patch: usize) -> &mut [T] {
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
    #[expect(clippy::needless_range_loop, reason = "sixteen rows are walked side by side")]
    for lane in 0..wide / S::F32_LANES {
        let mut v: [S::f32s; PLACES] = std::array::from_fn(|i| d[i][lane]);
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

/// `Aᵀ m A` of patches' sums, finished and stored.
struct TransformBack<'a> {
    of: &'a Convolution<'a>,
    range: Range<usize>,
    columns: Range<usize>,
    /// `[places, patches, columns]`
    sums: &'a mut [f32],
}

impl WithSimd for TransformBack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: Convolution { patches, w, finish, out, .. }, range, columns, sums } = self;
        let (wide, [h, wd]) = (columns.len(), patches.geometry.output);
        let apart = range.len() * wide;
        for (i, patch) in range.enumerate() {
            let [sample, top, left] = patches.place(patch);
            transform_back(simd, &mut sums[i * wide..], apart, wide);
            for (px, [y, x]) in [[0, 0], [0, 1], [1, 0], [1, 1]].into_iter().enumerate() {
                if top + y < h && left + x < wd {
                    let row = (sample * h + top + y) * wd + left + x;
                    let sums = &mut sums[px * apart + i * wide..][..wide];
                    let (rows, columns) = (row..row + 1, columns.clone());
                    Block { weights: w, finish, row_scales: None, rows, columns, sums, stride: wide, out }.write(simd);
                }
            }
        }
    }
}

/// Of the 16 places' sums, `apart` from each other, makes the 4 px of the output in the first four.
#[inline(always)]
fn transform_back<S: Simd>(simd: S, sums: &mut [f32], apart: usize, len: usize) {
    let mut places = sums.chunks_mut(apart);
    let m: [&mut [S::f32s]; PLACES] = std::array::from_fn(|_| match places.next() {
        Some(place) => S::as_mut_simd_f32s(&mut place[..len]).0,
        None => &mut [],
    });
    #[expect(clippy::needless_range_loop, reason = "sixteen rows are walked side by side")]
    for lane in 0..len / S::F32_LANES {
        let v: [S::f32s; PLACES] = std::array::from_fn(|i| m[i][lane]);
        let columns: [[S::f32s; 2]; 4] = std::array::from_fn(|x| back(simd, [v[x], v[4 + x], v[8 + x], v[12 + x]]));
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

thread_local! {
    /// Transformed patches of the operation before, for the next one.
    static MEMORY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

fn with_memory<T: Left, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    let mut memory = MEMORY.take();
    let result = f(aligned(&mut memory, len));
    MEMORY.set(memory);
    result
}
