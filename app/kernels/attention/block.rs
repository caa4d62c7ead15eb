//! A block of queries meets all keys, a block of them at a time.

use super::{
    Shape,
    leaf::{Leaf, Panels},
    pack::{self, Layout, Tokens},
    softmax::Softmax,
    transpose::{Matrix, transpose},
    words::Words,
};
use crate::{Context, Disjoint, Values, dispatch};
use pulp::{
    Simd, WithSimd,
    bytemuck::{self, Pod},
};
use std::marker::PhantomData;

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
    /// `d`: queries, and in the end results, as rows.
    rows: &'a mut [u32],
    /// `d`: the same as columns.
    columns: &'a mut [u32],
    /// `d`: sums of weighted values.
    values: &'a mut [f32],
    /// A block's keys / `GROUP`.
    weights: &'a mut [u32],
    /// A block's keys: scores that are wanted as they are.
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
        3 * layout.shape.d + layout.keys / L::Words::GROUP + layout.keys + 3
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
        let Layout { shape: Shape { d, .. }, depth, keys, .. } = layout;
        let mut rest = memory;
        let mut words = |rows: usize| rest.split_off_mut(..rows * L::QUERIES).expect("memory for all rows");
        let (rows, columns, weights) = (words(d), words(d), words(keys / L::Words::GROUP));
        let mut numbers = |rows: usize| bytemuck::cast_slice_mut::<u32, f32>(words(rows));
        let (values, scores) = (numbers(d), numbers(keys));
        let [shifts, sums, block_sums] = std::array::from_fn(|_| numbers(1));
        let size = depth * L::QUERIES;
        pack::queries::<L>(cx, q, &tokens, &mut rows[..size], &mut columns[..size]);
        for part in [&mut *shifts, &mut *sums] {
            part.fill(0.0);
        }
        let memory = Memory { rows, columns, values, weights, scores, shifts, sums, block_sums };
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
        let Memory { columns, weights, shifts, block_sums, .. } = &mut self.memory;
        self.leaf.weigh(block.keys, columns, &Softmax { scale, shifts }, block.hidden, weights, block_sums);
    }

    /// Shifts become the highest scores so far; what was summed follows.
    fn shift(&mut self, block: &Keys<'_>) {
        let scale = self.scale();
        let Memory { columns, values, scores, shifts, sums, block_sums: tops, .. } = &mut self.memory;
        tops.fill(f32::NEG_INFINITY);
        self.leaf.multiply(block.keys, columns, scores, false);
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

    /// Writes what was summed, divided by the sums of the weights, as the values of `W`.
    pub(super) fn finish<W: Words, T: Pod>(self, out: &Disjoint<'_, T>) {
        let Memory { rows, columns, values, sums, .. } = self.memory;
        let width = self.layout.shape.d.div_ceil(W::GROUP);
        let columns = &mut columns[..width * L::QUERIES];
        dispatch(self.cx.isa, Divide::<L, W> { kind: PhantomData, values, sums, to: columns });
        let (from, to) = (Matrix { words: &*columns, stride: L::QUERIES }, Matrix { words: &mut *rows, stride: width });
        transpose(self.cx.isa, [width, L::QUERIES], from, to);
        for (token, row) in self.tokens.range.clone().zip(rows.chunks_exact(width)) {
            // SAFETY: a token's channels of a head are written by the one task that has it.
            #[expect(unsafe_code, reason = "see above")]
            let out = unsafe { out.part(self.tokens.channels(token)) };
            let row = bytemuck::cast_slice(row);
            out.copy_from_slice(&row[..out.len()]);
        }
    }

    /// 2^(score · log₂ e / √d) is e^(score / √d).
    fn scale(&self) -> f32 {
        std::f32::consts::LOG2_E / (self.layout.shape.d as f32).sqrt()
    }
}

/// Sums divided by those of their weights, as words.
struct Divide<'a, L, W> {
    kind: PhantomData<(L, W)>,
    values: &'a [f32],
    sums: &'a mut [f32],
    to: &'a mut [u32],
}

impl<L: Leaf, W: Words> WithSimd for Divide<'_, L, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { values, sums, to, .. } = self;
        let factors = &mut sums[..L::QUERIES];
        factors.iter_mut().for_each(|sum| *sum = 1.0 / *sum);
        for (to, values) in to.chunks_exact_mut(L::QUERIES).zip(values.chunks(W::GROUP * L::QUERIES)) {
            // Of an odd one the second value is not copied.
            let (first, second) = (&values[..L::QUERIES], &values[values.len() - L::QUERIES..]);
            for i in 0..L::QUERIES {
                to[i] = W::round(first[i] * factors[i], second[i] * factors[i]);
            }
        }
    }
}
