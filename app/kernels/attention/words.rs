//! What is multiplied lies in words of 4 bytes: one f32, or two bf16 that are multiplied together.

use crate::{Values, values::Number};
use half::bf16;
use pulp::bytemuck;
use std::ops::Range;

/// What a word is.
pub(super) trait Words: Copy + Send + Sync + 'static {
    /// Values of a word.
    const GROUP: usize;

    /// A word of sums, rounded; a second one only where it has two values.
    fn round(first: f32, second: f32) -> u32;

    /// All values as words, where they lie as those do.
    fn ready(values: Values<'_>) -> Option<&[u32]>;

    /// Neighbours in a row share a word; the last one has a zero where values end.
    fn along(values: Values<'_>, row: Range<usize>, words: &mut [u32]);

    /// Neighbours in a column share a word; a second row that there is not is zeros.
    fn across(values: Values<'_>, first: Range<usize>, second: Option<Range<usize>>, words: &mut [u32]);
}

/// One f32.
#[derive(Clone, Copy)]
pub(super) struct Single;

/// Two bf16, the first in the lower half: they lie as in memory. Of f32 only what bf16 holds of them.
#[derive(Clone, Copy)]
pub(super) struct Pair;

impl Words for Single {
    const GROUP: usize = 1;

    #[inline(always)]
    fn round(first: f32, _: f32) -> u32 {
        first.to_bits()
    }

    fn ready(values: Values<'_>) -> Option<&[u32]> {
        match values {
            Values::F32(values) => Some(bytemuck::cast_slice(values)),
            Values::Bf16(_) => None,
        }
    }

    #[inline(always)]
    fn along(values: Values<'_>, row: Range<usize>, words: &mut [u32]) {
        match values {
            Values::F32(values) => map::<8, _>(&values[row], words, f32::to_bits),
            Values::Bf16(values) => map::<8, _>(&values[row], words, |value| value.widen().to_bits()),
        }
    }

    #[inline(always)]
    fn across(values: Values<'_>, first: Range<usize>, _: Option<Range<usize>>, words: &mut [u32]) {
        Self::along(values, first, words);
    }
}

impl Words for Pair {
    const GROUP: usize = 2;

    #[inline(always)]
    fn round(first: f32, second: f32) -> u32 {
        pair(bf16::narrow(first), bf16::narrow(second))
    }

    /// Not where they begin in the middle of a word.
    fn ready(values: Values<'_>) -> Option<&[u32]> {
        match values {
            Values::F32(_) => None,
            Values::Bf16(values) => bytemuck::try_cast_slice(values).ok(),
        }
    }

    #[inline(always)]
    fn along(values: Values<'_>, row: Range<usize>, words: &mut [u32]) {
        match values {
            Values::F32(values) => pairs_along(&values[row], words),
            Values::Bf16(values) => pairs_along(&values[row], words),
        }
    }

    #[inline(always)]
    fn across(values: Values<'_>, first: Range<usize>, second: Option<Range<usize>>, words: &mut [u32]) {
        match values {
            Values::F32(values) => pairs_across(&values[first], second.map(|row| &values[row]), words),
            Values::Bf16(values) => pairs_across(&values[first], second.map(|row| &values[row]), words),
        }
    }
}

#[inline(always)]
fn pair<T: Number>(first: T, second: T) -> u32 {
    first.widen().to_bits() >> 16 | second.widen().to_bits() & 0xFFFF_0000
}

#[inline(always)]
fn pairs_along<T: Number>(row: &[T], words: &mut [u32]) {
    let (pairs, rest) = row.as_chunks::<2>();
    map::<4, _>(pairs, words, |[first, second]| pair(first, second));
    if let [last] = rest {
        words[pairs.len()] = pair(*last, T::default());
    }
}

#[inline(always)]
fn pairs_across<T: Number>(first: &[T], second: Option<&[T]>, words: &mut [u32]) {
    match second {
        Some(second) => {
            for (word, (first, second)) in words.iter_mut().zip(first.iter().zip(second)) {
                *word = pair(*first, *second);
            }
        }
        None => map::<8, _>(first, words, |first| pair(first, T::default())),
    }
}

/// `N` at a time: of a network's rows, multiples of 8 channels long, nothing is left to do one by one.
#[inline(always)]
fn map<const N: usize, T: Copy>(from: &[T], to: &mut [u32], f: impl Fn(T) -> u32) {
    let (chunks, rest) = from.as_chunks::<N>();
    let (to_chunks, to_rest) = to.split_at_mut(chunks.len() * N);
    for (to, from) in to_chunks.as_chunks_mut::<N>().0.iter_mut().zip(chunks) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = f(*from));
    }
    to_rest.iter_mut().zip(rest).for_each(|(to, from)| *to = f(*from));
}
