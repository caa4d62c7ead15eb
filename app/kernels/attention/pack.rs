//! Keys and values become panels, queries columns.

use super::{Shape, leaf::Leaf, transpose::transpose};
use crate::{Cancelled, Context, Values, dispatch, values::Number};
use pulp::{Simd, WithSimd};
use std::{marker::PhantomData, ops::Range};

/// What the 4 bytes of a word are.
pub(super) trait Words: Copy + Send + Sync + 'static {
    /// Values of a word.
    const GROUP: usize;
    /// Neighbours in a row share a word; the last one has zeros where values end.
    fn along<T: Number>(row: &[T], words: &mut [u32]);
    /// Neighbours in a column share a word; no second row is a row of zeros.
    fn across<T: Number>(first: &[T], second: Option<&[T]>, words: &mut [u32]);
}

/// One f32.
#[derive(Clone, Copy)]
pub(super) struct Single;

/// Two bf16, the first in the lower half. Of other values only what bf16 holds of them.
#[derive(Clone, Copy)]
pub(super) struct Pair;

impl Words for Single {
    const GROUP: usize = 1;

    #[inline(always)]
    fn along<T: Number>(row: &[T], words: &mut [u32]) {
        for (word, value) in words.iter_mut().zip(row) {
            *word = value.widen().to_bits();
        }
    }

    #[inline(always)]
    fn across<T: Number>(first: &[T], _: Option<&[T]>, words: &mut [u32]) {
        Self::along(first, words);
    }
}

impl Pair {
    #[inline(always)]
    fn word<T: Number>(first: T, second: T) -> u32 {
        first.widen().to_bits() >> 16 | second.widen().to_bits() & 0xFFFF_0000
    }
}

impl Words for Pair {
    const GROUP: usize = 2;

    #[inline(always)]
    fn along<T: Number>(row: &[T], words: &mut [u32]) {
        let (pairs, rest) = row.as_chunks::<2>();
        for (word, [first, second]) in words.iter_mut().zip(pairs) {
            *word = Self::word(*first, *second);
        }
        if let ([value], Some(word)) = (rest, words.last_mut()) {
            *word = Self::word(*value, T::default());
        }
    }

    #[inline(always)]
    fn across<T: Number>(first: &[T], second: Option<&[T]>, words: &mut [u32]) {
        match second {
            Some(second) => {
                for (word, (first, second)) in words.iter_mut().zip(first.iter().zip(second)) {
                    *word = Self::word(*first, *second);
                }
            }
            None => {
                for (word, first) in words.iter_mut().zip(first) {
                    *word = Self::word(*first, T::default());
                }
            }
        }
    }
}

/// How the keys and values of a head lie in blocks: of each block first the panels of its keys,
/// `[keys / ROWS, depth, ROWS]`, then those of its values, `[d / ROWS, keys / GROUP, ROWS]`.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    /// Words of a row of queries or keys.
    pub(super) depth: usize,
    /// Keys of a block, the last ones zeros where there are no more.
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

    /// The channels of the `i`th one, where there is one.
    #[inline(always)]
    fn get<'a, T>(&self, values: &'a [T], i: usize) -> Option<&'a [T]> {
        let token = self.range.start + i;
        (token < self.range.end).then(|| &values[self.channels(token)])
    }
}

/// Fills all blocks of all heads.
pub(super) fn pack<L: Leaf>(
    cx: Context<'_>,
    layout: Layout,
    [k, v]: [Values<'_>; 2],
    packed: &mut [u32],
) -> Result<(), Cancelled> {
    cx.run_parts(packed, layout.words, |i, part| {
        let (head, block) = (i / layout.blocks(), i % layout.blocks());
        let tokens = &Tokens { shape: layout.shape, count: layout.shape.keys, head, range: layout.block(block) };
        let (keys, values) = part.split_at_mut(layout.key_words);
        match k {
            Values::F32(from) => dispatch(cx.isa, Keys::<L, _> { leaf: PhantomData, layout, tokens, from, to: keys }),
            Values::Bf16(from) => dispatch(cx.isa, Keys::<L, _> { leaf: PhantomData, layout, tokens, from, to: keys }),
        }
        match v {
            Values::F32(from) => {
                dispatch(cx.isa, Channels::<L, _> { leaf: PhantomData, layout, tokens, from, to: values })
            }
            Values::Bf16(from) => {
                dispatch(cx.isa, Channels::<L, _> { leaf: PhantomData, layout, tokens, from, to: values })
            }
        }
    })
}

/// At most `QUERIES` queries as `columns`, `[depth and more, QUERIES]`; `rows` is memory of the same size.
pub(super) fn queries<L: Leaf>(cx: Context<'_>, q: Values<'_>, tokens: &Tokens, rows: &mut [u32], columns: &mut [u32]) {
    let stride = rows.len() / L::QUERIES;
    match q {
        Values::F32(from) => dispatch(cx.isa, Queries::<L, _> { leaf: PhantomData, tokens, from, to: &mut *rows }),
        Values::Bf16(from) => dispatch(cx.isa, Queries::<L, _> { leaf: PhantomData, tokens, from, to: &mut *rows }),
    }
    transpose(cx.isa, L::QUERIES, stride, rows, columns);
}

struct Keys<'a, L, T> {
    leaf: PhantomData<L>,
    layout: Layout,
    tokens: &'a Tokens,
    from: &'a [T],
    to: &'a mut [u32],
}

impl<L: Leaf, T: Number> WithSimd for Keys<'_, L, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut words = vec![0; self.layout.depth];
        for (i, panel) in self.to.chunks_exact_mut(self.layout.depth * L::ROWS).enumerate() {
            for r in 0..L::ROWS {
                match self.tokens.get(self.from, i * L::ROWS + r) {
                    Some(row) => L::Words::along(row, &mut words),
                    None => words.fill(0),
                }
                for (to, word) in panel.chunks_exact_mut(L::ROWS).zip(&words) {
                    to[r] = *word;
                }
            }
        }
    }
}

struct Channels<'a, L, T> {
    leaf: PhantomData<L>,
    layout: Layout,
    tokens: &'a Tokens,
    from: &'a [T],
    to: &'a mut [u32],
}

impl<L: Leaf, T: Number> WithSimd for Channels<'_, L, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let group = L::Words::GROUP;
        let mut words = vec![0; self.layout.shape.d.next_multiple_of(L::ROWS)];
        for i in 0..self.layout.keys / group {
            match self.tokens.get(self.from, i * group) {
                Some(first) => L::Words::across(first, self.tokens.get(self.from, i * group + 1), &mut words),
                None => words.fill(0),
            }
            let panels = self.to.chunks_exact_mut(self.layout.value_panel);
            for (panel, words) in panels.zip(words.chunks_exact(L::ROWS)) {
                panel[i * L::ROWS..][..L::ROWS].iter_mut().zip(words).for_each(|(to, word)| *to = *word);
            }
        }
    }
}

struct Queries<'a, L, T> {
    leaf: PhantomData<L>,
    tokens: &'a Tokens,
    from: &'a [T],
    to: &'a mut [u32],
}

impl<L: Leaf, T: Number> WithSimd for Queries<'_, L, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let stride = self.to.len() / L::QUERIES;
        for (i, to) in self.to.chunks_exact_mut(stride).enumerate() {
            match self.tokens.get(self.from, i) {
                Some(row) => L::Words::along(row, &mut to[..row.len().div_ceil(L::Words::GROUP)]),
                None => to.fill(0),
            }
        }
    }
}
