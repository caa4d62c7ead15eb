//! Softmax attention without a score matrix in memory.
//!
//! Scores are made for a block of queries and a block of keys at a time and become weights at once; sums of weighted
//! values and sums of weights are divided at the end (online softmax, arXiv 1805.02867; Flash Attention, 2205.14135).
//! Queries lie in the lanes of vectors, keys and channels in rows: so nothing is summed across lanes, any number of
//! channels fills the vectors, and scores and weighted values are the same product, rows in panels times columns of
//! queries.

mod block;
mod driver;
mod leaf;
mod memory;
mod pack;
mod portable;
mod softmax;
#[cfg(test)]
mod tests;
mod transpose;
mod words;
#[cfg(target_arch = "x86_64")]
mod x86;

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
/// Multiplies bf16 where all three are and the processor can, else f32.
///
/// # Errors
/// [`Cancelled`].
///
/// # Panics
/// Where a slice does not have its shape, and where there are queries but no keys.
pub fn attention(
    cx: Context<'_>,
    q: Values<'_>,
    k: Values<'_>,
    v: Values<'_>,
    shape: Shape,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    let [asking, answering] = [shape.queries, shape.keys].map(|tokens| shape.n * tokens * shape.channels());
    assert_eq!([q.len(), out.len()], [asking; 2], "queries and output have the shape {shape:?}");
    assert_eq!([k.len(), v.len()], [answering; 2], "keys and values have the shape {shape:?}");
    if asking == 0 {
        return Ok(());
    }
    assert!(shape.keys > 0, "a softmax is over something");
    let narrow = [q, k, v].iter().all(|values| matches!(values, Values::Bf16(_)));
    leaf::with_leaf(cx.isa, narrow, driver::Attention { cx, q, k, v, shape, out })
}

impl Shape {
    /// Of a token.
    fn channels(&self) -> usize {
        self.heads * self.d
    }
}
