//! A block of queries meets all keys, a block of them at a time.

use super::{
    leaf::{Leaf, Panels},
    pack::{self, Layout, Tokens, Words},
    softmax::Softmax,
    transpose::transpose,
};
use crate::{Context, Disjoint, Values, dispatch, values::Number};
use pulp::{Simd, WithSimd, bytemuck};

/// Weights of a block may add up to this, and in the first block to 1 / this, before shifts follow the scores: far
/// enough from f32's limits for what is summed and for the least weights that count, and hardly ever reached.
const RANGE: f32 = (1u64 << 63) as f32;

/// Some queries of a head, and what they know so far.
pub(super) struct Block<'a, L> {
    cx: Context<'a>,
    leaf: L,
    layout: Layout,
    tokens: Tokens,
    memory: Memory<'a>,
}

/// Parts of a thread's memory: rows of `QUERIES` words.
struct Memory<'a> {
    /// As many as a token has channels, and more: queries, and in the end results, as rows.
    rows: &'a mut [u32],
    /// As many: queries as columns.
    queries: &'a mut [u32],
    /// As many: sums of weighted values.
    values: &'a mut [f32],
    /// As many as a block of keys has words.
    weights: &'a mut [u32],
    /// One for each key of a block, where scores are wanted as they are.
    scores: &'a mut [f32],
    shifts: &'a mut [f32],
    /// Of weights.
    sums: &'a mut [f32],
    /// Of the weights of a block of keys.
    block_sums: &'a mut [f32],
}

/// A block of keys and their values.
struct Keys<'a> {
    keys: Panels<'a>,
    values: Panels<'a>,
    /// Query `i` does not see key `j` where `i < hidden + j`.
    hidden: isize,
    first: bool,
}

impl<'a, L: Leaf> Block<'a, L> {
    /// Rows of a thread's memory, each of `QUERIES` words.
    pub(super) fn rows(layout: &Layout) -> usize {
        3 * Self::width(layout) + layout.keys / L::Words::GROUP + layout.keys + 3
    }

    /// Sixteens of words are transposed at a time.
    fn width(layout: &Layout) -> usize {
        layout.shape.d.next_multiple_of(16)
    }

    /// `memory` has [`Self::rows`].
    pub(super) fn new(
        cx: Context<'a>,
        leaf: L,
        layout: Layout,
        tokens: Tokens,
        q: Values<'_>,
        memory: &'a mut [u32],
    ) -> Self {
        let mut rest = memory;
        let mut words = |rows: usize| rest.split_off_mut(..rows * L::QUERIES).expect("memory for all rows");
        let width = Self::width(&layout);
        let (rows, queries, weights) = (words(width), words(width), words(layout.keys / L::Words::GROUP));
        let mut numbers = |rows: usize| bytemuck::cast_slice_mut::<u32, f32>(words(rows));
        let (values, scores) = (numbers(width), numbers(layout.keys));
        let [shifts, sums, block_sums] = std::array::from_fn(|_| numbers(1));
        pack::queries::<L>(cx, q, &tokens, rows, queries);
        for part in [&mut *shifts, &mut *sums] {
            part.fill(0.0);
        }
        let memory = Memory { rows, queries, values, weights, scores, shifts, sums, block_sums };
        Self { cx, leaf, layout, tokens, memory }
    }

    /// Meets all keys of the head, of which `packed` has the blocks.
    pub(super) fn attend(&mut self, packed: &[u32]) {
        let (shape, queries) = (self.layout.shape, self.tokens.range.clone());
        for (i, block) in packed.chunks_exact(self.layout.words).enumerate() {
            let mut range = self.layout.block(i);
            let mut hidden = isize::MIN;
            if shape.causal {
                range.end = range.end.min(queries.end);
                hidden = range.start as isize - queries.start as isize;
            }
            if range.is_empty() || (self.cx.cancelled)() {
                return;
            }
            let (keys, values) = block.split_at(self.layout.key_words);
            let Layout { depth, value_panel, .. } = self.layout;
            let keys = Panels { words: keys, stride: depth * L::ROWS, rows: range.len(), depth };
            let depth = range.len().div_ceil(L::Words::GROUP);
            let values = Panels { words: values, stride: value_panel, rows: shape.d, depth };
            self.meet(&Keys { keys, values, hidden, first: i == 0 });
        }
    }

    fn meet(&mut self, block: &Keys<'_>) {
        self.weigh(block);
        let least = if block.first { 1.0 / RANGE } else { 0.0 };
        if self.memory.block_sums.iter().any(|sum| *sum > RANGE || *sum < least) {
            self.shift(block);
            self.weigh(block);
        }
        let Memory { weights, values, sums, block_sums, .. } = &mut self.memory;
        self.leaf.multiply(block.values, weights, values, !block.first);
        sums.iter_mut().zip(&**block_sums).for_each(|(sum, more)| *sum += more);
    }

    /// A block's weights and their sums.
    fn weigh(&mut self, block: &Keys<'_>) {
        let scale = self.scale();
        let Memory { queries, weights, shifts, block_sums, .. } = &mut self.memory;
        self.leaf.weigh(block.keys, queries, &Softmax { scale, shifts }, block.hidden, weights, block_sums);
    }

    /// Shifts become the highest scores so far; what was summed follows.
    fn shift(&mut self, block: &Keys<'_>) {
        let scale = self.scale();
        let Memory { queries, values, scores, shifts, sums, block_sums: tops, .. } = &mut self.memory;
        tops.fill(f32::NEG_INFINITY);
        self.leaf.multiply(block.keys, queries, scores, false);
        for (key, scores) in scores.chunks_exact(L::QUERIES).take(block.keys.rows).enumerate() {
            let hidden = block.hidden.saturating_add_unsigned(key).max(0) as usize;
            tops.iter_mut().zip(scores).skip(hidden).for_each(|(top, score)| *top = top.max(*score));
        }
        for (i, (shift, top)) in shifts.iter_mut().zip(&**tops).enumerate() {
            // The first block has no scores before it. Finite, so that scores of -∞ weigh nothing.
            let before = if block.first { f32::MIN } else { *shift };
            *shift = before.max(top * scale);
            let factor = (before - *shift).exp2();
            sums[i] *= factor;
            values.iter_mut().skip(i).step_by(L::QUERIES).for_each(|value| *value *= factor);
        }
    }

    /// Writes what was summed, divided by the sums of the weights.
    pub(super) fn finish<T: Number>(self, out: &Disjoint<'_, T>) {
        let Memory { rows, values, sums, .. } = self.memory;
        let width = Self::width(&self.layout);
        dispatch(self.cx.isa, Divide { values: &mut values[..self.layout.shape.d * L::QUERIES], sums });
        transpose(self.cx.isa, width, L::QUERIES, bytemuck::cast_slice(values), rows);
        dispatch(self.cx.isa, Write { rows: bytemuck::cast_slice(rows), width, tokens: &self.tokens, out });
    }

    /// 2^(score · log₂ e / √d) is e^(score / √d).
    fn scale(&self) -> f32 {
        std::f32::consts::LOG2_E / (self.layout.shape.d as f32).sqrt()
    }
}

struct Divide<'a> {
    values: &'a mut [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Divide<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.sums.iter_mut().for_each(|sum| *sum = 1.0 / *sum);
        for values in self.values.chunks_exact_mut(self.sums.len()) {
            values.iter_mut().zip(&*self.sums).for_each(|(value, factor)| *value *= factor);
        }
    }
}

struct Write<'a, 'b, T> {
    rows: &'a [f32],
    width: usize,
    tokens: &'a Tokens,
    out: &'a Disjoint<'b, T>,
}

impl<T: Number> WithSimd for Write<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (token, row) in self.tokens.range.clone().zip(self.rows.chunks_exact(self.width)) {
            // SAFETY: a token's channels of a head are written by the one task that has it.
            #[expect(unsafe_code, reason = "see above")]
            let out = unsafe { self.out.part(self.tokens.channels(token)) };
            out.iter_mut().zip(row).for_each(|(out, value)| *out = T::narrow(*value));
        }
    }
}
