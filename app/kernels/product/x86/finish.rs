//! Sums that are finished, rounded and stored without leaving the registers.

use super::row::{LANES, Row, WHOLE};
use crate::{
    math::{Pointwise, Wide},
    product::{
        finish::{Block, Gate, RowScales},
        pack::{Layout, Packed},
        winograd::TransformBack,
    },
};
use pulp::x86::V4;
use std::{arch::x86_64::*, mem::transmute};

/// Vectors that are computed side by side where that takes long.
const ABREAST: usize = 4;

/// Finishes and stores a block.
///
/// The processor must have AVX-512 BF16.
pub(in crate::product) fn write(block: &Block<'_>) {
    // SAFETY: this is called only where the processor has the instructions.
    unsafe { if block.weights.layout == Layout::Gated { gated_rows(block) } else { rows(block) } }
}

/// `Aᵀ m A` of patches' sums, finished and stored.
///
/// The processor must have AVX-512 BF16.
pub(in crate::product) fn transform_back(of: &TransformBack<'_>) {
    // SAFETY: this is called only where the processor has the instructions.
    unsafe { patches(of) }
}

/// What sums of bytes are worth.
#[derive(Clone, Copy)]
struct Worth<'a> {
    row: f32,
    scales: &'a [f32],
    offsets: &'a [i32],
}

impl<'a> Worth<'a> {
    /// Of a row's sums in all columns.
    fn of(weights: &'a Packed, scales: Option<RowScales<'_>>, row: usize) -> Option<Self> {
        let row = scales.map(|scales| scales.values[row / scales.rows])?;
        Some(Self { row, scales: &weights.scales, offsets: &weights.offsets })
    }
}

/// 16 sums with their bias.
///
/// # Safety
/// Sums and bias have to be there.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn sums_of(sums: *const f32, bias: *const f32, worth: Option<Worth<'_>>, column: usize) -> __m512 {
    // SAFETY: as the caller warrants; scales and offsets are checked.
    unsafe {
        let Some(Worth { row, scales, offsets }) = worth else {
            return _mm512_add_ps(_mm512_loadu_ps(sums), _mm512_loadu_ps(bias));
        };
        let (scales, offsets) = (&scales[column..][..LANES], &offsets[column..][..LANES]);
        let whole = _mm512_sub_epi32(_mm512_loadu_si512(sums.cast()), _mm512_loadu_si512(offsets.as_ptr().cast()));
        let scale = _mm512_mul_ps(_mm512_set1_ps(row), _mm512_loadu_ps(scales.as_ptr()));
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), scale, _mm512_loadu_ps(bias))
    }
}

/// Rows of a block between the one that is finished and the one that comes closer.
const ROWS_AHEAD: usize = 3;
/// Patches between the one that is finished and the one that comes closer.
const PATCHES_AHEAD: usize = 2;

#[inline]
fn mask(len: usize) -> __mmask16 {
    if len >= LANES { WHOLE } else { (1 << len) - 1 }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn rows(block: &Block<'_>) {
    let Block { weights, finish, row_scales, rows, columns, sums, stride, out } = block;
    let (outputs, width) = (weights.outputs(), columns.len());
    let columns = columns.start..columns.end.min(outputs);
    for (row, sums) in rows.clone().zip(sums.chunks(*stride)) {
        let sums = &sums[..width];
        let worth = Worth::of(weights, *row_scales, row);
        let row = Row::new(weights, finish, out, row, columns.clone(), ROWS_AHEAD * outputs);
        for at in (0..columns.len()).step_by(LANES) {
            // SAFETY: columns of panels are a multiple of 16, so there are as many sums and biases; the mask ends with
            // the row's part.
            unsafe {
                let v = sums_of(sums.as_ptr().add(at), row.bias.add(at), worth, columns.start + at);
                row.store(v, at, mask(columns.len() - at));
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn gated_rows(block: &Block<'_>) {
    let Block { weights, finish, row_scales, rows, columns, sums, stride, out } = block;
    let (outputs, width) = (weights.outputs(), columns.len());
    let gated = columns.start / 2..(columns.end / 2).min(outputs);
    for (row, sums) in rows.clone().zip(sums.chunks(*stride)) {
        let sums = &sums[..width];
        let worth = Worth::of(weights, *row_scales, row);
        let row = Row::new(weights, finish, out, row, gated.clone(), ROWS_AHEAD * outputs);
        let mut at = 0;
        while at < gated.len() {
            let left = gated.len() - at;
            // SAFETY: as in `rows`, of twice as many sums.
            unsafe {
                if left >= ABREAST * LANES {
                    gate::<ABREAST>(sums, &row, worth, columns.start, at, WHOLE);
                    at += ABREAST * LANES;
                } else {
                    gate::<1>(sums, &row, worth, columns.start, at, mask(left));
                    at += LANES;
                }
            }
        }
    }
}

/// `N` vectors of a row's outputs from `at` on.
///
/// # Safety
/// Their sums have to be there, and those of the mask in the row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn gate<const N: usize>(
    sums: &[f32],
    row: &Row,
    worth: Option<Worth<'_>>,
    first: usize,
    at: usize,
    mask: __mmask16,
) {
    // SAFETY: as the caller warrants; the processor has AVX-512. The types hold the same bits.
    unsafe {
        let wide = Wide::<V4, N>(V4::new_unchecked());
        let (mut values, mut gates) = (wide.splat(0.0), wide.splat(0.0));
        for i in 0..N {
            let pair = 2 * (at + i * LANES);
            let (sums, bias) = (sums.as_ptr().add(pair), row.bias.add(pair));
            values[i] = transmute::<__m512, pulp::f32x16>(sums_of(sums, bias, worth, first + pair));
            let (sums, bias) = (sums.add(LANES), bias.add(LANES));
            gates[i] = transmute::<__m512, pulp::f32x16>(sums_of(sums, bias, worth, first + pair + LANES));
        }
        let gated = Gate.compute(wide, values, [gates]);
        for (i, gated) in gated.into_iter().enumerate() {
            row.store(transmute::<pulp::f32x16, __m512>(gated), at + i * LANES, mask);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn patches(of: &TransformBack<'_>) {
    let (convolution, wide, outputs) = (of.of, of.columns.len(), of.of.w.outputs());
    let columns = of.columns.start..of.columns.end.min(outputs);
    for (patch, sums) in of.range.clone().zip(of.sums.chunks(of.stride)) {
        let sums = &sums[..16 * wide];
        let mut pixels: [Option<Row>; 4] = [None; 4];
        for (pixel, row) in pixels.iter_mut().zip(of.pixels(patch)) {
            let Some(row) = row else { continue };
            let (w, finish, out) = (convolution.w, convolution.finish, &convolution.out);
            *pixel = Some(Row::new(w, finish, out, row, columns.clone(), 2 * PATCHES_AHEAD * outputs));
        }
        for at in (0..columns.len()).step_by(LANES) {
            // SAFETY: as in `rows`, of sums of 16 places.
            unsafe {
                let values = back(sums.as_ptr().add(at), wide);
                for (pixel, value) in pixels.iter().zip(values) {
                    if let Some(row) = pixel {
                        let value = _mm512_add_ps(value, _mm512_loadu_ps(row.bias.add(at)));
                        row.store(value, at, mask(columns.len() - at));
                    }
                }
            }
        }
    }
}

/// The four px of 16 places that are `wide` from each other.
///
/// # Safety
/// They have to be there.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn back(sums: *const f32, wide: usize) -> [__m512; 4] {
    let mut m = [_mm512_setzero_ps(); 16];
    for (place, m) in m.iter_mut().enumerate() {
        // SAFETY: as the caller warrants.
        *m = unsafe { _mm512_loadu_ps(sums.add(place * wide)) };
    }
    let (mut upper, mut lower) = ([_mm512_setzero_ps(); 4], [_mm512_setzero_ps(); 4]);
    for x in 0..4 {
        (upper[x], lower[x]) = halves([m[x], m[4 + x], m[8 + x], m[12 + x]]);
    }
    let (upper, lower) = (halves(upper), halves(lower));
    [upper.0, upper.1, lower.0, lower.1]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn halves([a, b, c, d]: [__m512; 4]) -> (__m512, __m512) {
    (_mm512_add_ps(a, _mm512_add_ps(b, c)), _mm512_sub_ps(_mm512_sub_ps(b, c), d))
}
