//! 3×3 convolution with 16 multiplications for 4 outputs instead of 36 (arXiv 1509.09308, F(2×2, 3×3)): patches of
//! 4×4 px and kernels are transformed, multiplied place by place, and the sums transformed back.

mod back;
mod transform;

pub(super) use back::TransformBack;
pub(super) use transform::{Transform, transform_kernels};

use super::{
    driver::{LINE_SUMS, Sums, TASKS_PER_THREAD, aligned, multiply, with_scratch},
    finish::{Finish, Output},
    leaf::{Leaf, UseLeaf, with_leaf},
    pack::Packed,
    rows::{Geometry, Left, Matrix, Rows},
};
use crate::{Cancelled, Context, Disjoint, Values, ValuesMut};
use std::{cell::Cell, ops::Range};
use transform::Patches;

/// Of a patch of 4×4 px.
pub(super) const PLACES: usize = 16;
/// Patches of a block: enough that a panel of weights is used for a few tiles.
const BLOCK_PATCHES: usize = 48;
/// Sums of all places of a block, which should stay in the second cache.
const BLOCK_SUMS: usize = 96 << 10;
/// Transformed values that stay in the second cache, and in the third.
const NEAR_VALUES: usize = 256 << 10;
const FAR_VALUES: usize = 4 << 20;

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

pub(super) struct Convolution<'a> {
    cx: Context<'a>,
    pub(super) patches: Patches<'a>,
    pub(super) w: &'a Packed,
    pub(super) finish: &'a Finish<'a>,
    pub(super) out: Output<'a>,
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
            // All places of a patch lie together, and patches so far apart that they do not share a place of a cache.
            let (wide, stride) = (columns.len(), PLACES * columns.len() + LINE_SUMS);
            with_scratch::<L::Left>(range.len() * L::DEPTH, range.len() * stride, |left, sums| {
                for place in 0..PLACES {
                    let values = &values[place * all.len() * c..(place + 1) * all.len() * c];
                    let rows = Rows::Matrix(Matrix::new(L::Left::source(values), c));
                    let block = range.start - all.start..range.end - all.start;
                    let first = place * w.panels() * w.width();
                    let columns = first + columns.start..first + columns.end;
                    let mut sums = Sums { values: &mut sums[place * wide..], stride };
                    multiply(leaf, self.cx.isa, &rows, w, block, columns, left, &mut sums);
                }
                TransformBack { of: self, range: range.clone(), columns, sums, stride }.write(self.cx.isa);
            });
        }
    }
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
