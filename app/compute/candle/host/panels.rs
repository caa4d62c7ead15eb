//! The matrix product. candle's own reads the system's list of processors at every call (about 28 µs on two cores),
//! which is many times the work of the smallest products here, and cannot write straight into a finished output.

use super::Finish;
use crate::candle::fault::Outcome;
use crate::{
    CancelToken, ComputeError, HostTensor, Result,
    panels::{DEPTH, PANEL, TILE, multiply, panels_len},
};
use rayon::prelude::*;
/// Values of the left side that one task multiplies by all panels; they should stay in its second-level cache.
const BLOCK_VALUES: usize = 96 << 10;
/// Columns of a weight that are turned at a time: sixteen rows of them fit the first-level cache.
const TURNED_COLUMNS: usize = 512;
/// Multiplications below which one thread is faster than two.
const SERIAL_WORK: usize = 400_000;

/// A `[k, n]` matrix as panels of columns, `[⌈n / PANEL⌉, k, PANEL]`, the last filled up with zeros.
/// `value(row, column)` tells its values.
pub(in crate::candle) fn pack(k: usize, n: usize, value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut panels = vec![0.0; panels_len(k, n)];
    for (p, panel) in panels.chunks_mut(k * PANEL).enumerate() {
        let columns = p * PANEL..n.min((p + 1) * PANEL);
        for (row, values) in panel.chunks_mut(PANEL).enumerate() {
            values.iter_mut().zip(columns.clone()).for_each(|(v, column)| *v = value(row, column));
        }
    }
    panels
}

/// A weight as panels: `[out, in, taps]` becomes the matrix `[taps · in, out]`. A row of the weight is a column of
/// it, so a panel takes sixteen rows, a few inputs at a time so that they stay in the cache while they turn.
/// The panels lie in `old` where it has their length.
pub(in crate::candle) fn pack_weight(
    weight: &HostTensor,
    [outputs, inputs, taps]: [usize; 3],
    old: Option<Vec<f32>>,
) -> Result<Vec<f32>> {
    let k = taps * inputs;
    let len = panels_len(k, outputs);
    let mut panels = old.filter(|old| old.len() == len).unwrap_or_else(|| vec![0.0; len]);
    let step = (TURNED_COLUMNS / taps).next_multiple_of(PANEL);
    panels.par_chunks_mut(k * PANEL).enumerate().try_for_each_init(Vec::new, |block, (p, panel)| {
        let rows = p * PANEL..outputs.min((p + 1) * PANEL);
        for first in (0..inputs).step_by(step) {
            let columns = first * taps..inputs.min(first + step) * taps;
            block.resize(PANEL * columns.len(), 0.0);
            block[rows.len() * columns.len()..].fill(0.0);
            weight.read(rows.clone(), columns.clone(), &mut block[..rows.len() * columns.len()])?;
            for tap in 0..taps {
                let turned = &mut panel[(tap * inputs + first) * PANEL..][..columns.len() / taps * PANEL];
                turn(&block[tap..], columns.len(), taps, turned);
            }
        }
        Ok::<_, ComputeError>(())
    })?;
    Ok(panels)
}

/// Every `step`th value of sixteen rows of `width`, as columns.
fn turn(rows: &[f32], width: usize, step: usize, columns: &mut [f32]) {
    let (columns, _) = columns.as_chunks_mut::<PANEL>();
    let used = (columns.len() - 1) * step + 1;
    let rows: [&[f32]; PANEL] = std::array::from_fn(|row| &rows[row * width..][..used]);
    for (i, column) in columns.iter_mut().enumerate() {
        *column = std::array::from_fn(|row| rows[row][i * step]);
    }
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
    panels: &[f32],
    finish: &Finish<'_>,
    cancel: &CancelToken,
) -> Outcome<Vec<f32>> {
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
        let weight = pack(256, 16, |_, _| 1.0);
        let Ok(finish) = Finish::new(None, None, None, None, 16) else { panic!("nothing here can fail") };
        let outcome = product(&Superseded(floor), (1 << 15, 16, 256), &weight, &finish, &token);
        assert!(matches!(outcome, Err(Fault::Compute(ComputeError::Cancelled))));
    }

    #[test]
    fn a_weight_is_packed_as_its_matrix_in_new_and_in_used_memory() {
        for [outputs, inputs, taps] in [[1, 1, 1], [16, 5, 1], [33, 600, 1], [20, 70, 9], [4, 3, 4]] {
            let values: Vec<f32> = (0..outputs * inputs * taps).map(|i| i as f32 + 1.0).collect();
            let weight = HostTensor::from_f32([outputs, inputs, taps], &values);
            let expected = pack(taps * inputs, outputs, |row, o| {
                let (tap, i) = (row / inputs, row % inputs);
                values[(o * inputs + i) * taps + tap]
            });
            for old in [None, Some(vec![7.0; expected.len()]), Some(vec![7.0; 3])] {
                assert_eq!(pack_weight(&weight, [outputs, inputs, taps], old).expect("nothing is made"), expected);
            }
        }
    }
}
