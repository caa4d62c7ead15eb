//! Products of rows with packed weights: linear layers, and convolutions as products of patches that are gathered a
//! block at a time.
//!
//! The loop nest is Goto's (doi 10.1145/1356052.1356053): a panel of weights, a few hundred values deep, stays in the
//! first cache while the tiles of a block of rows, in the second, pass by. Sums of a block of the result stay in the
//! second cache until the last values of the rows came; then they are finished and written once.

mod driver;
mod finish;
mod leaf;
mod pack;
mod panel;
mod places;
mod portable;
mod quantize;
mod rows;
#[cfg(test)]
mod tests;
mod winograd;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use finish::{Finish, PerSample};
pub use pack::{Layout, PackError, Packed, Precision, WeightSource};
pub use rows::{Geometry, Padding};

use crate::{Cancelled, Context, Values, ValuesMut};
use finish::RowScales;
use rows::{Matrix, Patches, Rows, Source};

/// `x · Wᵀ`, finished: `x` is `[m, k]`, `out` `[m, n]`. Of weights packed as [`Layout::Gated`], `a · gelu(g)` of the
/// halves `[a, g]` of each row, `out` `[m, n / 2]`.
///
/// # Errors
/// [`Cancelled`].
pub fn linear(
    cx: Context<'_>,
    x: Values<'_>,
    w: &Packed,
    finish: &Finish<'_>,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    let k = w.depth();
    if !leaf::multiplies_bytes(w.isa, w.precision) {
        return driver::product(cx, &Rows::Matrix(Matrix::new(x.into(), k)), None, w, finish, out);
    }
    quantize::with_bytes(cx, x, k, |bytes, scales| {
        let scales = RowScales { values: scales, rows: 1 };
        driver::product(cx, &Rows::Matrix(Matrix::new(Source::Bytes(bytes), k)), Some(scales), w, finish, out)
    })
}

/// The cross-correlation of a picture, `[n, h, w, c]`, with weights packed as [`Layout::Kernel`], finished:
/// `out` is `[n, output h, output w, outputs]`. Of weights packed as [`Layout::Winograd`], for kernels of 3×3 and
/// stride 1, with 4/9 of the multiplications (arXiv 1509.09308, F(2×2, 3×3)); as [`Layout::Places`], for few outputs.
///
/// # Errors
/// [`Cancelled`].
pub fn conv2d(
    cx: Context<'_>,
    x: Values<'_>,
    geometry: &Geometry,
    w: &Packed,
    finish: &Finish<'_>,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    if w.layout == Layout::Winograd {
        return winograd::conv2d(cx, x, geometry, w, finish, out);
    }
    if let Layout::Places { .. } = w.layout {
        return places::conv2d(cx, x, geometry, w, finish, out);
    }
    if geometry.is_pointwise() {
        return linear(cx, x, w, finish, out);
    }
    if !leaf::multiplies_bytes(w.isa, w.precision) {
        return driver::product(cx, &Rows::Patches(Patches::new(x.into(), geometry)), None, w, finish, out);
    }
    // One scale for a sample: what lies under a kernel is summed, so it must have the same.
    quantize::with_bytes(cx, x, x.len() / geometry.n.max(1), |bytes, scales| {
        let scales = RowScales { values: scales, rows: geometry.output[0] * geometry.output[1] };
        driver::product(cx, &Rows::Patches(Patches::new(Source::Bytes(bytes), geometry)), Some(scales), w, finish, out)
    })
}
