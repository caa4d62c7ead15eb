//! What is done to each value, or moves it, and nothing else.

use crate::{Activation, Cancelled, Context, Values, ValuesMut};

/// `activation(x)`.
///
/// # Errors
/// [`Cancelled`].
pub fn activate(cx: Context<'_>, x: Values<'_>, activation: Activation, out: ValuesMut<'_>) -> Result<(), Cancelled> {
    let _ = (cx, x, activation, out);
    Ok(())
}

/// `x + y`.
///
/// # Errors
/// [`Cancelled`].
pub fn add(cx: Context<'_>, x: Values<'_>, y: Values<'_>, out: ValuesMut<'_>) -> Result<(), Cancelled> {
    let _ = (cx, x, y, out);
    Ok(())
}

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
    let _ = (cx, x, y, c, out);
    Ok(())
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
    let _ = (cx, x, shape, size, out);
    Ok(())
}
