//! Keys and values become panels, queries columns.

use super::{
    Shape,
    leaf::Leaf,
    memory::with_words,
    transpose::{Matrix, transpose},
    words::Words,
};
use crate::{Cancelled, Context, Values, dispatch};
use pulp::{Simd, WithSimd};
use std::{marker::PhantomData, ops::Range};

/// How the keys and values of a head lie in blocks: of each block first the panels of its keys,
/// `[keys / ROWS, depth, ROWS]`, then those of its values, `[d / ROWS, keys / GROUP, ROWS]`.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    /// Words of a row of queries or keys.
    pub(super) depth: usize,
    /// Keys of a block.
    pub(super) keys: usize,
    /// Words of a block's keys.
    pub(super) key_words: usize,
    /// Words of a panel of a block's values.
    pub(super) value_panel: usize,
    /// Words of a block.
    pub(super) words: usize,
}

impl Layout {
    pub(super) fn new<L: Leaf>(shape: Shape) -> Self {
        let keys = shape.keys.next_multiple_of(L::ROWS).min(L::KEYS);
        let depth = shape.d.div_ceil(L::Words::GROUP);
        let value_panel = keys / L::Words::GROUP * L::ROWS;
        let (key_words, value_words) = (keys * depth, shape.d.div_ceil(L::ROWS) * value_panel);
        Self { shape, depth, keys, key_words, value_panel, words: key_words + value_words }
    }

    /// Of a head.
    pub(super) fn blocks(&self) -> usize {
        self.shape.keys.div_ceil(self.keys)
    }

    /// The keys of a block.
    pub(super) fn block(&self, block: usize) -> Range<usize> {
        block * self.keys..self.shape.keys.min((block + 1) * self.keys)
    }
}

/// Some tokens of a head; heads are counted through all samples.
pub(super) struct Tokens {
    pub(super) shape: Shape,
    /// Of a sample.
    pub(super) count: usize,
    pub(super) head: usize,
    pub(super) range: Range<usize>,
}

impl Tokens {
    /// Where the channels of a token lie.
    #[inline(always)]
    pub(super) fn channels(&self, token: usize) -> Range<usize> {
        let Shape { heads, d, .. } = self.shape;
        let first = ((self.head / heads * self.count + token) * heads + self.head % heads) * d;
        first..first + d
    }
}

/// Fills all blocks of all heads. Where there are fewer keys than panels have room for, what was in the memory stays:
/// it is not multiplied.
pub(super) fn pack<L: Leaf>(
    cx: Context<'_>,
    layout: Layout,
    [k, v]: [Values<'_>; 2],
    packed: &mut [u32],
) -> Result<(), Cancelled> {
    let Layout { shape, depth, .. } = layout;
    cx.run_parts(packed, layout.words, |i, part| {
        let (head, range) = (i / layout.blocks(), layout.block(i % layout.blocks()));
        let tokens = &Tokens { shape, count: shape.keys, head, range };
        let (keys, values) = part.split_at_mut(layout.key_words);
        let count = tokens.range.len();
        with_words(depth * count, |memory| {
            let rows = rows::<L::Words>(cx, k, tokens, memory);
            for (i, panel) in keys.chunks_exact_mut(depth * L::ROWS).take(count.div_ceil(L::ROWS)).enumerate() {
                let from = Matrix { words: &rows.words[i * L::ROWS * rows.stride..], stride: rows.stride };
                let size = [L::ROWS.min(count - i * L::ROWS), depth];
                transpose(cx.isa, size, from, Matrix { words: panel, stride: L::ROWS });
            }
        });
        dispatch(cx.isa, Channels::<L> { kind: PhantomData, from: v, tokens, to: values, panel: layout.value_panel });
    })
}

/// At most `QUERIES` queries as `columns`, `[depth, QUERIES]`; `memory` may be used for as many words.
pub(super) fn queries<L: Leaf>(
    cx: Context<'_>,
    q: Values<'_>,
    tokens: &Tokens,
    memory: &mut [u32],
    columns: &mut [u32],
) {
    let (count, depth) = (tokens.range.len(), columns.len() / L::QUERIES);
    if count < L::QUERIES {
        columns.fill(0);
    }
    let rows = rows::<L::Words>(cx, q, tokens, &mut memory[..depth * count]);
    transpose(cx.isa, [count, depth], rows, Matrix { words: columns, stride: L::QUERIES });
}

/// Tokens as rows of words: where they are, or in `memory`, which has just room for that.
fn rows<'a, W: Words>(cx: Context<'_>, from: Values<'a>, tokens: &Tokens, memory: &'a mut [u32]) -> Matrix<&'a [u32]> {
    let Shape { heads, d, .. } = tokens.shape;
    if let Some(words) = W::ready(from).filter(|_| d % W::GROUP == 0) {
        let first = tokens.channels(tokens.range.start).start / W::GROUP;
        return Matrix { words: &words[first..], stride: heads * d / W::GROUP };
    }
    let stride = memory.len() / tokens.range.len();
    dispatch(cx.isa, Rows::<W> { kind: PhantomData, from, tokens, to: &mut *memory, stride });
    Matrix { words: memory, stride }
}

/// Copies tokens to rows of words.
struct Rows<'a, W> {
    kind: PhantomData<W>,
    from: Values<'a>,
    tokens: &'a Tokens,
    to: &'a mut [u32],
    stride: usize,
}

impl<W: Words> WithSimd for Rows<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (token, to) in self.tokens.range.clone().zip(self.to.chunks_exact_mut(self.stride)) {
            W::along(self.from, self.tokens.channels(token), to);
        }
    }
}

/// Copies values to panels of channels.
struct Channels<'a, L> {
    kind: PhantomData<L>,
    from: Values<'a>,
    tokens: &'a Tokens,
    to: &'a mut [u32],
    panel: usize,
}

impl<L: Leaf> WithSimd for Channels<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Range { start, end } = self.tokens.range;
        let mut words = vec![0; self.tokens.shape.d.next_multiple_of(L::ROWS)];
        for (i, token) in (start..end).step_by(L::Words::GROUP).enumerate() {
            let second = (token + 1 < end).then(|| self.tokens.channels(token + 1));
            L::Words::across(self.from, self.tokens.channels(token), second, &mut words);
            for (panel, words) in self.to.chunks_exact_mut(self.panel).zip(words.chunks_exact(L::ROWS)) {
                panel[i * L::ROWS..][..L::ROWS].iter_mut().zip(words).for_each(|(to, word)| *to = *word);
            }
        }
    }
}
