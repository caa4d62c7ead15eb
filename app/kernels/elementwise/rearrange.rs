use super::PART;
use crate::{
    Cancelled, Context, Values, ValuesMut,
    values::{Number, convert, with_slices},
};

/// Places of a picture whose channels are moved together, so that what they share stays in the first cache.
const BLOCK: usize = 64;

/// Rows of `x`, `[rows, c[0]]`, each followed by the row of `y`, `[rows, c[1]]`.
///
/// # Errors
/// [`Cancelled`].
pub fn concat(
    cx: Context<'_>,
    x: Values<'_>,
    y: Values<'_>,
    c: [usize; 2],
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    let width = c[0] + c[1];
    assert!(
        x.len() * c[1] == y.len() * c[0] && x.len() + y.len() == out.len() && out.len().is_multiple_of(width.max(1)),
        "inputs have as many rows, and the output holds both"
    );
    with_slices!(x: Values, y: Values, out: ValuesMut => {
        by_rows(cx, out, width, |row, out| {
            let (left, right) = out.split_at_mut(c[0]);
            convert(cx.isa, &x[row * c[0]..][..c[0]], left);
            convert(cx.isa, &y[row * c[1]..][..c[1]], right);
        })
    })
}

/// A picture `[n, h, w, c]` resized to `size` px by PyTorch's `nearest` rule, source = ⌊i · in / out⌋.
///
/// # Errors
/// [`Cancelled`].
pub fn upsample_nearest(
    cx: Context<'_>,
    x: Values<'_>,
    shape: [usize; 4],
    size: [usize; 2],
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    let ([n, h, w, c], [height, width]) = (shape, size);
    assert!(x.len() == n * h * w * c && out.len() == n * height * width * c, "pictures have their shapes");
    with_slices!(x: Values, out: ValuesMut => {
        by_rows(cx, out, width * c, |row, out| {
            let source = &x[(row / height * h + row % height * h / height) * w * c..][..w * c];
            for (i, pixel) in out.chunks_exact_mut(c).enumerate() {
                convert(cx.isa, &source[i * w / width * c..][..c], pixel);
            }
        })
    })
}

/// Rows `ids` of the table, `[rows, c]`; `out` is `[ids, c]`.
///
/// # Errors
/// [`Cancelled`].
///
/// # Panics
/// Where the table has no such row.
pub fn gather_rows(
    cx: Context<'_>,
    table: Values<'_>,
    c: usize,
    ids: &[u32],
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    assert_eq!(out.len(), ids.len() * c, "the output has a row for each id");
    with_slices!(table: Values, out: ValuesMut => {
        by_rows(cx, out, c, |row, out| convert(cx.isa, &table[ids[row] as usize * c..][..c], out))
    })
}

/// A picture `[n, c, h, w]` as `[n, h, w, c]`; `shape` is `[n, c, h, w]`.
///
/// # Errors
/// [`Cancelled`].
pub fn to_channels_last(cx: Context<'_>, nchw: &[f32], shape: [usize; 4], out: ValuesMut<'_>) -> Result<(), Cancelled> {
    let [n, c, h, w] = shape;
    assert!(nchw.len() == n * c * h * w && out.len() == nchw.len(), "pictures have their shapes");
    let (plane, part) = (h * w, (PART / c.max(1)).max(1));
    with_slices!(out: ValuesMut => {
        for (x, out) in nchw.chunks((c * plane).max(1)).zip(out.chunks_mut((c * plane).max(1))) {
            cx.run_parts(out, part * c, |i, out| {
                for (block, out) in out.chunks_mut(BLOCK * c).enumerate() {
                    let first = i * part + block * BLOCK;
                    for channel in 0..c {
                        let x = &x[channel * plane + first..];
                        let values = out[channel..].iter_mut().step_by(c);
                        values.zip(x).for_each(|(out, v)| *out = Number::narrow(*v));
                    }
                }
            })?;
        }
        Ok(())
    })
}

/// A picture `[n, h, w, c]` as `[n, c, h, w]`; `shape` is `[n, h, w, c]`.
///
/// # Errors
/// [`Cancelled`].
pub fn to_channels_first(cx: Context<'_>, x: Values<'_>, shape: [usize; 4], out: &mut [f32]) -> Result<(), Cancelled> {
    let [n, h, w, c] = shape;
    assert!(x.len() == n * c * h * w && out.len() == x.len(), "pictures have their shapes");
    let (plane, sample) = (h * w, (h * w * c).max(1));
    // Channels of a task: those of a cache line, or fewer where that is work enough.
    let channels = (PART / plane.max(1)).clamp(1, 16);
    with_slices!(x: Values => {
        for (x, out) in x.chunks(sample).zip(out.chunks_mut(sample)) {
            cx.run_parts(out, channels * plane, |i, out| {
                for first in (0..plane).step_by(BLOCK) {
                    let end = plane.min(first + BLOCK);
                    for (channel, out) in out.chunks_mut(plane).enumerate() {
                        let values = x[first * c + i * channels + channel..].iter().step_by(c);
                        out[first..end].iter_mut().zip(values).for_each(|(out, v)| *out = v.widen());
                    }
                }
            })?;
        }
        Ok(())
    })
}

/// `row(i, …)` for each row of `out`, `width` values each.
fn by_rows<O: Number>(
    cx: Context<'_>,
    out: &mut [O],
    width: usize,
    row: impl Fn(usize, &mut [O]) + Sync,
) -> Result<(), Cancelled> {
    let rows = (PART / width.max(1)).max(1);
    cx.run_parts(out, rows * width, |i, out| {
        out.chunks_exact_mut(width).enumerate().for_each(|(at, out)| row(i * rows + at, out));
    })
}
