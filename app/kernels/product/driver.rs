use super::{
    finish::{self, Block, Finish, Output, RowScales},
    leaf::{Ahead, Leaf, Tile, UseLeaf, with_leaf},
    pack::Packed,
    rows::{Left, Rows},
};
use crate::{Cancelled, Context, Isa, ValuesMut, dispatch};
use pulp::{
    Simd, WithSimd,
    bytemuck::{self, Pod},
};
use std::{cell::Cell, ops::Range};

/// Rows of a block, of which gathered values and sums should stay in the second cache.
const BLOCK_ROWS: usize = 96;
/// Sums of a block.
const BLOCK_SUMS: usize = 1 << 16;
/// Sums of a cache line.
pub(super) const LINE_SUMS: usize = 16;
/// Tasks for each thread, so that one that is late does not keep the others waiting for long.
pub(super) const TASKS_PER_THREAD: usize = 8;
/// Multiplications below which a second thread costs more than it brings.
const SERIAL_WORK: usize = 1 << 18;

/// `rows · weightsᵀ`, finished.
pub(super) fn product(
    cx: Context<'_>,
    rows: &Rows<'_>,
    row_scales: Option<RowScales<'_>>,
    weights: &Packed,
    finish: &Finish<'_>,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    assert_eq!(out.len(), rows.count() * weights.outputs(), "the output holds all rows");
    with_leaf(weights.isa, weights.precision, Product { cx, rows, row_scales, weights, finish, out: Output::new(out) })
}

struct Product<'a> {
    cx: Context<'a>,
    rows: &'a Rows<'a>,
    row_scales: Option<RowScales<'a>>,
    weights: &'a Packed,
    finish: &'a Finish<'a>,
    out: Output<'a>,
}

impl UseLeaf for Product<'_> {
    type Output = Result<(), Cancelled>;

    fn with<L: Leaf>(self, leaf: L) -> Result<(), Cancelled> {
        let Self { cx, rows, row_scales, weights, finish, out } = self;
        let grid = Grid::new(&cx, rows.count(), weights);
        cx.run(grid.tasks(), |task| {
            let (block, columns) = grid.block(task);
            // Not a power of two, of which all rows would share a place of the first cache.
            let stride = columns.len() + LINE_SUMS;
            with_scratch::<L::Left>(block.len() * L::DEPTH, block.len() * stride, |left, sums| {
                let mut sums = Sums { values: sums, stride };
                multiply(leaf, cx.isa, rows, weights, block.clone(), columns.clone(), left, &mut sums);
                let (sums, out) = (sums.values, &out);
                finish::write(cx.isa, Block { weights, finish, row_scales, rows: block, columns, sums, stride, out });
            });
        })
    }
}

/// Where sums of a block go: `stride` from a row to the next.
pub(super) struct Sums<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) stride: usize,
}

/// Sums of a block, without what finishes them; `columns` are those of `weights`' matrices, one after the other, `left`
/// is memory for rows that have to be gathered.
#[expect(clippy::too_many_arguments, reason = "they are the two operands, the block and where it goes")]
pub(super) fn multiply<L: Leaf>(
    leaf: L,
    isa: Isa,
    rows: &Rows<'_>,
    weights: &Packed,
    block: Range<usize>,
    columns: Range<usize>,
    left: &mut [L::Left],
    sums: &mut Sums<'_>,
) {
    let group = weights.precision.group();
    let in_place = rows.in_place::<L::Left>(group);
    // Depths as even as can be: a short last one would be all overhead.
    let steps = (weights.groups() * group).div_ceil(L::DEPTH);
    let step = weights.groups().div_ceil(steps.max(1));
    for first in (0..weights.groups()).step_by(step.max(1)) {
        let groups = first..weights.groups().min(first + step);
        let depth = groups.start * group..groups.end * group;
        let (left, apart) = match in_place {
            Some((values, apart)) => (&values[block.start * apart + depth.start..], apart),
            None => {
                let block = block.clone();
                dispatch(isa, Gather { rows, block, depth: depth.clone(), left: &mut *left, stride: L::DEPTH });
                (&*left, L::DEPTH)
            }
        };
        let strip = Strip { left, apart, rows: block.len(), depth: depth.len(), in_place: in_place.is_some() };
        // What comes after the last panel: the first one again, deeper, or what this thread probably does next.
        let panels = columns.start / L::COLUMNS..columns.end / L::COLUMNS;
        let after = match groups.end..weights.groups().min(groups.end + step) {
            deeper if !deeper.is_empty() => weights.panel(panels.start, deeper),
            _ => weights.panel((panels.end + panels.len()) % weights.panels(), 0..groups.len()),
        };
        multiply_strip(leaf, weights, strip, groups, panels, after, sums);
    }
}

/// Some values of each row of a block.
struct Strip<'a, T> {
    left: &'a [T],
    apart: usize,
    rows: usize,
    depth: usize,
    /// Whether they are in no near cache yet.
    in_place: bool,
}

fn multiply_strip<L: Leaf>(
    leaf: L,
    weights: &Packed,
    Strip { left, apart, rows, depth, in_place }: Strip<'_, L::Left>,
    groups: Range<usize>,
    panels: Range<usize>,
    after: &[u32],
    sums: &mut Sums<'_>,
) {
    // Heights as even as can be: 16 rows are 8 and 8, not 12 and 4.
    let height = rows.div_ceil(rows.div_ceil(L::ROWS));
    let bytes = size_of::<L::Left>();
    let tiles = rows.div_ceil(height);
    for (at, number) in panels.clone().enumerate() {
        let panel = weights.panel(number, groups.clone());
        let next = if number + 1 < panels.end { weights.panel(number + 1, groups.clone()) } else { after };
        // Each tile brings a share of the next panel closer: all at once would be more than memory gives.
        let share = size_of_val(next).div_ceil(tiles);
        let step = share * Ahead::FINE / groups.len();
        for top in (0..rows).step_by(height) {
            let left = &left[top * apart..];
            // While the first panel is multiplied, the next rows come closer.
            let below = if in_place && at == 0 && top + height < rows { &left[height * apart..] } else { left };
            let ahead = Ahead {
                panel: next.as_ptr().cast::<u8>().wrapping_add(top / height * share),
                step,
                rows: below.as_ptr().cast(),
                row: depth * bytes,
                apart: apart * bytes,
            };
            leaf.tile(Tile {
                rows: height.min(rows - top),
                left,
                apart,
                panel,
                sums: &mut sums.values[top * sums.stride + at * L::COLUMNS..],
                stride: sums.stride,
                add: groups.start > 0,
                ahead,
            });
        }
    }
}

struct Gather<'a, T> {
    rows: &'a Rows<'a>,
    block: Range<usize>,
    depth: Range<usize>,
    left: &'a mut [T],
    stride: usize,
}

impl<T: Left> WithSimd for Gather<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.rows.gather(self.block, self.depth, self.left, self.stride);
    }
}

/// How a product is cut into tasks.
struct Grid {
    rows: usize,
    columns: usize,
    block: [usize; 2],
}

impl Grid {
    fn new(cx: &Context<'_>, rows: usize, weights: &Packed) -> Self {
        let (width, columns) = (weights.width(), weights.bias.len());
        let serial = cx.pool.threads() == 1 || rows * columns * weights.depth() < SERIAL_WORK;
        let wanted = if serial { 1 } else { TASKS_PER_THREAD * cx.pool.threads() };
        let high = BLOCK_ROWS.min(rows.max(1));
        let down = rows.div_ceil(high).max(1);
        // As even as can be, in whole tiles: 97 rows are not 96 and 1.
        let high = rows.div_ceil(down).next_multiple_of(12).min(rows.max(1));
        let across = wanted.div_ceil(down).max((high * columns).div_ceil(BLOCK_SUMS));
        let wide = columns.div_ceil(across).next_multiple_of(width).min(columns.max(width));
        Self { rows, columns, block: [high, wide] }
    }

    fn across(&self) -> usize {
        self.columns.div_ceil(self.block[1])
    }

    fn tasks(&self) -> usize {
        self.rows.div_ceil(self.block[0]) * self.across()
    }

    fn block(&self, task: usize) -> (Range<usize>, Range<usize>) {
        let part = |at: usize, len: usize, end: usize| at * len..end.min((at + 1) * len);
        let (down, across) = (task / self.across(), task % self.across());
        (part(down, self.block[0], self.rows), part(across, self.block[1], self.columns))
    }
}

/// Memory of a thread that its next task uses again: gathered rows, and sums.
type Scratch = [Vec<u8>; 2];

thread_local! {
    static SCRATCH: Cell<Scratch> = const { Cell::new([Vec::new(), Vec::new()]) };
}

pub(super) fn with_scratch<T: Left>(left: usize, sums: usize, f: impl FnOnce(&mut [T], &mut [f32])) {
    let mut scratch = SCRATCH.take();
    let [a, b] = &mut scratch;
    f(aligned(a, left), aligned(b, sums));
    SCRATCH.set(scratch);
}

/// `len` numbers that begin at a cache line, with whatever is in them.
pub(super) fn aligned<T: Pod>(memory: &mut Vec<u8>, len: usize) -> &mut [T] {
    const LINE: usize = 64;
    let bytes = len * size_of::<T>();
    if memory.len() < bytes + LINE {
        memory.resize(bytes + LINE, 0);
    }
    let skip = memory.as_ptr().align_offset(LINE);
    bytemuck::cast_slice_mut(&mut memory[skip..skip + bytes])
}
