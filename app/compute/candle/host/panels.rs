//! The matrix product. candle's own reads the system's list of processors at every call (about 28 µs on two cores),
//! which is many times the work of the smallest products here, and cannot write straight into a finished output.

use super::{Finish, Values, tensor};
use crate::CancelToken;
use crate::candle::fault::Outcome;
use candle_core::Tensor;
use pulp::{Arch, Simd, WithSimd, bytemuck};
use rayon::prelude::*;
use std::ops::Range;

/// Columns of a panel: two vectors of eight.
pub(in crate::candle) const PANEL: usize = 16;
/// Rows of a tile: with two vectors a row, its sums fill 12 of 16 registers.
const TILE: usize = 6;
/// Values of a row multiplied at a time.
const DEPTH: usize = 1024;
/// Values of the left side that one task multiplies by all panels; they should stay in its second-level cache.
const BLOCK_VALUES: usize = 96 << 10;
/// Multiplications below which one thread is faster than two.
const SERIAL_WORK: usize = 400_000;

/// A `[k, n]` matrix as panels of columns, `[⌈n / PANEL⌉, k, PANEL]`, the last filled up with zeros.
/// `value(row, column)` tells its values.
pub(in crate::candle) fn pack(k: usize, n: usize, value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut panels = vec![0.0; n.div_ceil(PANEL) * PANEL * k];
    for (p, panel) in panels.chunks_mut(k * PANEL).enumerate() {
        let columns = p * PANEL..n.min((p + 1) * PANEL);
        for (row, values) in panel.chunks_mut(PANEL).enumerate() {
            values.iter_mut().zip(columns.clone()).for_each(|(v, column)| *v = value(row, column));
        }
    }
    panels
}

/// Packed weights as a tensor.
pub(in crate::candle) fn pack_tensor(k: usize, n: usize, value: impl Fn(usize, usize) -> f32) -> Outcome<Tensor> {
    tensor(pack(k, n, value), &[n.div_ceil(PANEL), k, PANEL])
}

/// Where the rows of a left side come from.
pub(super) trait Rows: Sync {
    /// `count` rows of k values from row `first`, in `scratch` where they are not at hand.
    fn rows<'a>(&'a self, first: usize, count: usize, scratch: &'a mut Vec<f32>) -> &'a [f32];
}

/// Rows that lie in memory one after the other.
pub(super) struct Stored<'a> {
    pub(super) values: &'a [f32],
    pub(super) k: usize,
}

impl Rows for Stored<'_> {
    fn rows<'a>(&'a self, first: usize, count: usize, _: &'a mut Vec<f32>) -> &'a [f32] {
        &self.values[first * self.k..][..count * self.k]
    }
}

/// The product of `m` rows of `k` values and packed weights of `n` columns, finished: `[m, n]`.
pub(super) fn product(
    rows: &impl Rows,
    (m, n, k): (usize, usize, usize),
    weight: &Tensor,
    finish: &Finish<'_>,
    cancel: &CancelToken,
) -> Outcome<Vec<f32>> {
    let weight = Values::of(weight)?;
    let panels = weight.slice();
    let mut out = vec![0.0; m * n];
    let threads = if m * n * k < SERIAL_WORK { 1 } else { rayon::current_num_threads() };
    if threads > 1 && m < 2 * TILE * threads {
        by_columns(rows.rows(0, m, &mut Vec::new()), k, panels, n, &mut out, threads);
        finish.all(&mut out);
        return Ok(out);
    }
    let block = BLOCK_VALUES / k.min(DEPTH);
    let tasks = m.div_ceil(block).next_multiple_of(threads);
    let block = m.div_ceil(tasks).next_multiple_of(TILE);
    let one_block = |scratch: &mut Vec<f32>, i: usize, out: &mut [f32]| -> Outcome<()> {
        cancel.check()?;
        multiply(rows.rows(i * block, out.len() / n, scratch), k, panels, n, out);
        finish.rows(i * block, out);
        Ok(())
    };
    if threads == 1 {
        let mut scratch = Vec::new();
        out.chunks_mut(block * n).enumerate().try_for_each(|(i, out)| one_block(&mut scratch, i, out))?;
    } else {
        let blocks = out.par_chunks_mut(block * n).enumerate();
        blocks.try_for_each_init(Vec::new, |scratch, (i, out)| one_block(scratch, i, out))?;
    }
    Ok(out)
}

/// Few rows: every thread takes all of them and some of the panels.
fn by_columns(a: &[f32], k: usize, panels: &[f32], n: usize, out: &mut [f32], threads: usize) {
    let m = out.len() / n;
    let per_task = panels.len().div_ceil(k * PANEL).div_ceil(threads);
    let parts: Vec<(usize, Vec<f32>)> = panels
        .par_chunks(per_task * k * PANEL)
        .enumerate()
        .map(|(i, panels)| {
            let first = i * per_task * PANEL;
            let columns = (n - first).min(per_task * PANEL);
            let mut part = vec![0.0; m * columns];
            multiply(a, k, panels, columns, &mut part);
            (first, part)
        })
        .collect();
    for (first, part) in parts {
        let columns = part.len() / m;
        for (out, part) in out.chunks_mut(n).zip(part.chunks(columns)) {
            out[first..first + columns].copy_from_slice(part);
        }
    }
}

/// `out = a · panels` on this thread: `a` `[m, k]`, `out` `[m, n]`.
pub(super) fn multiply(a: &[f32], k: usize, panels: &[f32], n: usize, out: &mut [f32]) {
    Arch::new().dispatch(Multiply { a, k, panels, n, out });
}

struct Multiply<'a> {
    a: &'a [f32],
    k: usize,
    panels: &'a [f32],
    n: usize,
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, 1>(simd),
            8 => self.run::<S, 2>(simd),
            4 => self.run::<S, 4>(simd),
            _ => self.run::<S, PANEL>(simd),
        }
    }
}

impl Multiply<'_> {
    /// `V` vectors make a panel's row.
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let Self { a, k, panels, n, out } = self;
        for depth in (0..k).step_by(DEPTH).map(|first| first..k.min(first + DEPTH)) {
            for (p, panel) in panels.chunks_exact(k * PANEL).enumerate() {
                let (panel, _) = S::as_simd_f32s(panel).0.as_chunks::<V>();
                let columns = p * PANEL..n.min((p + 1) * PANEL);
                let span = Span { k, depth: depth.clone(), n, columns };
                for (a, out) in a.chunks(TILE * k).zip(out.chunks_mut(TILE * n)) {
                    match out.len() / n {
                        TILE => tile::<S, V, TILE>(simd, a, panel, out, &span),
                        5 => tile::<S, V, 5>(simd, a, panel, out, &span),
                        4 => tile::<S, V, 4>(simd, a, panel, out, &span),
                        3 => tile::<S, V, 3>(simd, a, panel, out, &span),
                        2 => tile::<S, V, 2>(simd, a, panel, out, &span),
                        _ => tile::<S, V, 1>(simd, a, panel, out, &span),
                    }
                }
            }
        }
    }
}

/// Which part of a product a tile adds to.
struct Span {
    k: usize,
    depth: Range<usize>,
    n: usize,
    columns: Range<usize>,
}

/// `ROWS` rows of `a` times one panel.
#[inline(always)]
fn tile<S: Simd, const V: usize, const ROWS: usize>(
    simd: S,
    a: &[f32],
    panel: &[[S::f32s; V]],
    out: &mut [f32],
    span: &Span,
) {
    let panel = &panel[span.depth.clone()];
    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &a[r * span.k + span.depth.start..][..panel.len()]);
    let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
    for (i, b) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let a = simd.splat_f32s(row[i]);
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = simd.mul_add_e_f32s(a, *b, *sum);
            }
        }
    }
    // A copy: sums whose address is taken would be stored at every step above.
    let finished = sums;
    for (out, sums) in out.chunks_mut(span.n).zip(&finished) {
        let (out, sums) = (&mut out[span.columns.clone()], bytemuck::cast_slice::<S::f32s, f32>(sums));
        if span.depth.start == 0 {
            out.copy_from_slice(&sums[..out.len()]);
        } else {
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CancelFloor, ComputeError, candle::fault::Fault};

    /// Rows of ones whose run is superseded while the first of them are fetched.
    struct Superseded(CancelFloor);

    impl Rows for Superseded {
        fn rows<'a>(&'a self, _: usize, count: usize, scratch: &'a mut Vec<f32>) -> &'a [f32] {
            self.0.raise(2);
            scratch.resize(count * 256, 1.0);
            scratch
        }
    }

    #[test]
    fn a_product_ends_between_two_blocks() {
        let floor = CancelFloor::default();
        let token = floor.token(1);
        let (Ok(weight), Ok(finish)) = (pack_tensor(256, 16, |_, _| 1.0), Finish::new(None, None, None, None, 16))
        else {
            panic!("nothing here can fail");
        };
        let outcome = product(&Superseded(floor), (1 << 15, 16, 256), &weight, &finish, &token);
        assert!(matches!(outcome, Err(Fault::Compute(ComputeError::Cancelled))));
    }
}
