use super::pack::Precision;
use crate::values::Number;
use half::bf16;
use pulp::{Simd, WithSimd};

/// Groups written for all columns before the next ones: they should stay in the first cache.
const STRIP: usize = 64;

/// A panel of weights that is written from the rows of its columns.
pub(super) struct Panel<'a> {
    pub(super) precision: Precision,
    /// `[columns, k]`, k whole groups.
    pub(super) rows: &'a [f32],
    pub(super) k: usize,
    /// Memory for `[columns, groups]`.
    pub(super) words: &'a mut [f32],
    /// `[groups, columns]`
    pub(super) panel: &'a mut [u32],
    /// Of each column, of bytes.
    pub(super) scales: &'a mut [f32],
    pub(super) offsets: &'a mut [i32],
}

impl WithSimd for Panel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { precision, rows, k, words, panel, scales, offsets } = self;
        let (columns, groups) = (scales.len(), k / precision.group());
        if groups == 0 {
            return;
        }
        for (column, (row, words)) in rows.chunks_exact(k).zip(words.chunks_exact_mut(groups)).enumerate() {
            match precision {
                Precision::F32 => words.copy_from_slice(row),
                Precision::Bf16 => pairs(row, words),
                Precision::Int8 => (scales[column], offsets[column]) = fours(row, words),
            }
        }
        for (strip, panel) in panel.chunks_mut(STRIP * columns).enumerate() {
            for (column, words) in words.chunks_exact(groups).take(columns).enumerate() {
                for (word, out) in words[strip * STRIP..].iter().zip(panel.chunks_exact_mut(columns)) {
                    out[column] = word.to_bits();
                }
            }
        }
    }
}

#[inline(always)]
fn pairs(row: &[f32], words: &mut [f32]) {
    for (word, pair) in words.iter_mut().zip(row.as_chunks::<2>().0) {
        let [low, high] = pair.map(|v| u32::from(bf16::narrow(v).to_bits()));
        *word = f32::from_bits(low | high << 16);
    }
}

/// Also the scale, and 128 times the sum of the bytes.
#[inline(always)]
fn fours(row: &[f32], words: &mut [f32]) -> (f32, i32) {
    /// Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let mut tops = [0f32; 32];
    let (parts, rest) = row.as_chunks::<32>();
    for part in parts {
        for (top, v) in tops.iter_mut().zip(part) {
            *top = top.max(v.abs());
        }
    }
    let top = tops.iter().chain(rest).fold(0f32, |top, v| top.max(v.abs()));
    let (scale, inverse) = if top > 0.0 { (top / 127.0, 127.0 / top) } else { (1.0, 1.0) };
    let mut sum = 0i32;
    for (word, four) in words.iter_mut().zip(row.as_chunks::<4>().0) {
        let bytes = four.map(|v| (v * inverse + ROUND).to_bits());
        sum += bytes.map(|b| i32::from(b as i8)).iter().sum::<i32>();
        let [a, b, c, d] = bytes.map(|b| b & 0xFF);
        *word = f32::from_bits(a | b << 8 | c << 16 | d << 24);
    }
    (scale, 128 * sum)
}
