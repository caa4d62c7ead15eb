//! Group norm and layer norm.
//!
//! Sums are of differences from a value nearby, so a mean that is large against the deviation costs no digits; they
//! are the same for any number of threads.

mod group;
mod layer;
#[cfg(test)]
mod tests;

use crate::{Activation, Cancelled, Context, Values, ValuesMut, values::with_slices};

/// A group norm's parameters.
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm<'a> {
    /// `[c]`.
    pub scale: &'a [f32],
    /// `[c]`.
    pub shift: &'a [f32],
    /// Divides c.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f32,
}

/// A layer norm's parameters.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// `[c]`.
    pub scale: &'a [f32],
    /// `[c]`.
    pub shift: &'a [f32],
    /// Added to the variance.
    pub eps: f32,
}

/// Normalises each sample of `x`, `[n, positions, c]`, over all positions and a group's channels; then the activation.
///
/// # Errors
/// [`Cancelled`].
pub fn group_norm(
    cx: Context<'_>,
    x: Values<'_>,
    n: usize,
    w: GroupNorm<'_>,
    activation: Option<Activation>,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    assert_eq!(x.len(), out.len(), "the output has the input's shape");
    with_slices!(x: Values, out: ValuesMut => group::group_norm(cx, x, n, w, activation, out))
}

/// Normalises each row of `x`, `[rows, c]`.
///
/// # Errors
/// [`Cancelled`].
pub fn layer_norm(cx: Context<'_>, x: Values<'_>, w: LayerNorm<'_>, out: ValuesMut<'_>) -> Result<(), Cancelled> {
    assert_eq!(x.len(), out.len(), "the output has the input's shape");
    with_slices!(x: Values, out: ValuesMut => layer::layer_norm(cx, x, w, out))
}
