use super::{Values, for_rows, tensor};
use crate::candle::{fault::Outcome, shapes::Picture, weights};
use candle_core::Tensor;

/// `[n, c, h, w]` values → `[n, h, w, c]`.
pub(in crate::candle) fn to_channels_last(nchw: &[f32], shape: Picture) -> Vec<f32> {
    transpose_samples(nchw, shape.c, shape.h * shape.w)
}

/// `[n, h, w, c]` values → `[n, c, h, w]`.
pub(in crate::candle) fn to_channels_first(nhwc: &[f32], shape: Picture) -> Vec<f32> {
    transpose_samples(nhwc, shape.h * shape.w, shape.c)
}

/// `[n, rows, columns]` → `[n, columns, rows]`.
fn transpose_samples(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let len = (rows * columns).max(1);
    let mut out = vec![0.0; x.len()];
    for (x, out) in x.chunks(len).zip(out.chunks_mut(len)) {
        for_rows(out, rows, |first, out| {
            for (column, out) in out.chunks_mut(rows).enumerate() {
                let values = x[first + column..].iter().step_by(columns);
                out.iter_mut().zip(values).for_each(|(out, x)| *out = *x);
            }
        });
    }
    out
}

/// Nearest-neighbour resizing of a channels-last picture.
pub(in crate::candle) fn upsample_nearest(x: &Tensor, shape: Picture, size: [usize; 2]) -> Outcome<Tensor> {
    let (input, [h, w], c) = (Values::of(x)?, size, shape.c);
    let x_values = input.slice();
    let mut out = vec![0.0; shape.n * h * w * c];
    if !x_values.is_empty() {
        for_rows(&mut out, w * c, |first, rows| {
            for (i, row) in rows.chunks_mut(w * c).enumerate() {
                let (sample, y) = ((first + i) / h, (first + i) % h * shape.h / h);
                let source = &x_values[(sample * shape.h + y) * shape.w * c..][..shape.w * c];
                for (x, pixel) in row.chunks_mut(c).enumerate() {
                    pixel.copy_from_slice(&source[x * shape.w / w * c..][..c]);
                }
            }
        });
    }
    tensor(out, &[shape.n, h, w, c])
}

/// Rows of x, each followed by the row of y.
pub(in crate::candle) fn concat_channels(x: &Tensor, y: &Tensor) -> Outcome<Tensor> {
    let channels = |t: &Tensor| t.dims().last().copied().unwrap_or(0);
    let (cx, cy) = (channels(x), channels(y));
    let (x_values, y_values) = (Values::of(x)?, Values::of(y)?);
    let mut dims = x.dims().to_vec();
    if let Some(c) = dims.last_mut() {
        *c = cx + cy;
    }
    let mut out = vec![0.0; x_values.slice().len() + y_values.slice().len()];
    if !out.is_empty() {
        for_rows(&mut out, cx + cy, |first, rows| {
            for (i, row) in rows.chunks_mut(cx + cy).enumerate() {
                let (left, right) = row.split_at_mut(cx);
                left.copy_from_slice(&x_values.slice()[(first + i) * cx..][..cx]);
                right.copy_from_slice(&y_values.slice()[(first + i) * cy..][..cy]);
            }
        });
    }
    tensor(out, &dims)
}

/// Rows of the table.
pub(in crate::candle) fn embed(table: &weights::Embedding, ids: &[u32], [n, l]: [usize; 2]) -> Outcome<Tensor> {
    let (values, c) = (Values::of(&table.table)?, table.shape[1]);
    let rows = ids.iter().flat_map(|id| &values.slice()[*id as usize * c..][..c]);
    tensor(rows.copied().collect(), &[n, l, c])
}

/// One row of each sample.
pub(in crate::candle) fn select_token(x: &Tensor, l: usize, c: usize, indices: &[usize]) -> Outcome<Tensor> {
    let values = Values::of(x)?;
    let rows = indices.iter().enumerate().flat_map(|(n, i)| &values.slice()[(n * l + i) * c..][..c]);
    tensor(rows.copied().collect(), &[indices.len(), 1, c])
}
