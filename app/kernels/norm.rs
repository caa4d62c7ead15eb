//! Group norm and layer norm.

use crate::{Activation, Cancelled, Context, Values, ValuesMut};

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
    let _ = (cx, x, n, w, activation, out);
    Ok(())
}

/// Normalises each row of `x`, `[rows, c]`.
///
/// # Errors
/// [`Cancelled`].
pub fn layer_norm(cx: Context<'_>, x: Values<'_>, w: LayerNorm<'_>, out: ValuesMut<'_>) -> Result<(), Cancelled> {
    let _ = (cx, x, w, out);
    Ok(())
}
