use fourstep_compute::{
    HostTensor,
    panels::{self, PANEL, panels_len},
};
use rayon::prelude::*;
use std::ops::Range;

/// Columns whose panels are filled at a time.
const FILLED_COLUMNS: usize = 32 * PANEL;
/// Values of a sum that a thread adds to at a time: they stay in its second-level cache.
const BLOCK_VALUES: usize = 1 << 16;

/// `scale · left · right` of a matrix of few columns and one of few rows, ready to be added to a large matrix block by
/// block, on any thread. What is added to an element does not depend on how the matrix is cut into blocks.
pub(crate) struct Product {
    /// Scaled, `[rows, inner]`.
    left: Vec<f32>,
    /// Panels of `[inner, columns]`.
    right: Vec<f32>,
    inner: usize,
}

impl Product {
    /// `left` is `[rows, inner]`, `right` `[inner, columns]`; more dimensions count as columns, and those of `left` are
    /// of length 1.
    pub(crate) fn new(scale: f32, left: &HostTensor, right: &HostTensor) -> Self {
        let (inner, columns) = (left.width(), right.width());
        let mut left = left.to_f32();
        left.iter_mut().for_each(|value| *value *= scale);
        let mut filled = vec![0.0; panels_len(inner, columns)];
        let groups = filled.par_chunks_mut((inner * FILLED_COLUMNS).max(1)).enumerate();
        groups.for_each_init(Vec::new, |block, (i, panels)| {
            let columns = i * FILLED_COLUMNS..columns.min((i + 1) * FILLED_COLUMNS);
            block.resize(inner * columns.len(), 0.0);
            // Factors are tensors of a file: they are not made, so reading them cannot fail.
            let _ = right.read(0..inner, columns.clone(), block);
            for (p, panel) in panels.chunks_mut(inner * PANEL).enumerate() {
                for (row, values) in panel.chunks_mut(PANEL).zip(block.chunks(columns.len())) {
                    let values = &values[p * PANEL..columns.len().min((p + 1) * PANEL)];
                    row[..values.len()].copy_from_slice(values);
                }
            }
        });
        Self { left, right: filled, inner }
    }

    /// Adds the block of these rows and columns to `out`. `columns` begins at a multiple of [`PANEL`].
    pub(crate) fn add(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32]) {
        let left = &self.left[rows.start * self.inner..rows.end * self.inner];
        let panel = self.inner * PANEL;
        let right = &self.right[columns.start / PANEL * panel..columns.end.div_ceil(PANEL) * panel];
        panels::add_product(left, self.inner, right, columns.len(), out);
    }
}

/// `into += scale · left · right`, row-major: `left` is `[rows, inner]`, `right` `[inner, columns]`, where
/// `shape` is `[rows, inner]` and `into` tells the columns.
///
/// # Panics
/// Where the lengths do not agree.
pub(crate) fn add_product(into: &mut [f32], scale: f32, left: &[f32], right: &[f32], [rows, inner]: [usize; 2]) {
    if rows == 0 || inner == 0 || into.is_empty() {
        return;
    }
    let columns = into.len() / rows;
    let factor = |shape: [usize; 2], values: &[f32]| HostTensor::from_f32(shape, values);
    let product = Product::new(scale, &factor([rows, inner], left), &factor([inner, columns], right));
    let rows_at_once = (BLOCK_VALUES / columns).clamp(PANEL, rows.max(PANEL));
    into.par_chunks_mut(rows_at_once * columns).enumerate().for_each(|(i, out)| {
        let rows = i * rows_at_once..i * rows_at_once + out.len() / columns;
        product.add(rows, 0..columns, out);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `into + scale · left · right`, and its factors.
    fn case([rows, inner, columns]: [usize; 3]) -> (Vec<f32>, Vec<f32>, Vec<f32>, Vec<f32>) {
        let left: Vec<f32> = (0..rows * inner).map(|i| (i as f32 * 0.7).sin()).collect();
        let right: Vec<f32> = (0..inner * columns).map(|i| (i as f32 * 0.3).cos()).collect();
        let sum: Vec<f32> = (0..rows * columns).map(|i| i as f32 * 0.01).collect();
        let expected = (0..rows * columns)
            .map(|at| {
                let (r, c) = (at / columns, at % columns);
                let dot: f32 = (0..inner).map(|k| left[r * inner + k] * right[k * columns + c]).sum();
                sum[at] + 0.5 * dot
            })
            .collect();
        (left, right, sum, expected)
    }

    #[test]
    fn equals_three_loops() {
        for [rows, inner, columns] in [[1, 1, 1], [3, 2, 5], [17, 16, 33], [64, 4, 300], [40, 3, 3000]] {
            let (left, right, mut sum, expected) = case([rows, inner, columns]);
            add_product(&mut sum, 0.5, &left, &right, [rows, inner]);
            for (a, b) in sum.iter().zip(&expected) {
                assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{a} {b}");
            }
        }
    }

    #[test]
    fn blocks_make_the_same_bits_as_the_whole() {
        let [rows, inner, columns] = [37, 20, 1100];
        let (left, right, mut whole, _) = case([rows, inner, columns]);
        let mut blocks = whole.clone();
        add_product(&mut whole, 0.5, &left, &right, [rows, inner]);
        let product = Product::new(
            0.5,
            &HostTensor::from_f32([rows, inner], &left),
            &HostTensor::from_f32([inner, columns], &right),
        );
        for row in 0..rows {
            for first in (0..columns).step_by(5 * PANEL) {
                let columns = first..columns.min(first + 5 * PANEL);
                let out = &mut blocks[row * 1100..][columns.clone()];
                product.add(row..row + 1, columns, out);
            }
        }
        assert_eq!(blocks, whole);
    }
}
