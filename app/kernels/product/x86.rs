//! Leaves for dot products that only some processors have.
#![expect(unsafe_code, reason = "leaves read and write by pointer, and their instructions are checked at run time")]

use super::leaf::Leaf;
use half::bf16;
use std::arch::x86_64::*;

/// Pairs of bf16 in 512 bits (`vdpbf16ps`).
#[derive(Clone, Copy)]
pub(super) struct Bf16;

/// Fours of bytes in 512 bits (AVX-512 `vpdpbusd`).
#[derive(Clone, Copy)]
pub(super) struct Bytes512;

/// Fours of bytes in 256 bits (AVX `vpdpbusd`).
#[derive(Clone, Copy)]
pub(super) struct Bytes256;

/// Calls `$tile` for as many rows as there are.
macro_rules! by_rows {
    ($rows:expr, $tile:ident, $arguments:tt, $($count:literal)*) => {
        match $rows {
            $($count => unsafe { $tile::<$count> $arguments },)*
            rows => unreachable!("a tile has no {rows} rows"),
        }
    };
}

/// What a leaf reads and writes has to be there.
fn check<L: Leaf>(rows: usize, left: usize, depth: usize, sums: usize, stride: usize) {
    assert!(
        (1..=L::ROWS).contains(&rows)
            && depth <= L::DEPTH
            && left >= (rows - 1) * L::DEPTH + depth
            && sums >= (rows - 1) * stride + L::COLUMNS,
        "a tile lies inside its block"
    );
}

impl Leaf for Bf16 {
    type Left = bf16;
    const ROWS: usize = 12;
    const COLUMNS: usize = 32;
    const DEPTH: usize = 512;

    fn tile(self, rows: usize, left: &[bf16], panel: &[u32], sums: &mut [f32], stride: usize, add: bool) {
        let groups = panel.len() / Self::COLUMNS;
        check::<Self>(rows, left.len(), 2 * groups, sums.len(), stride);
        let (left, panel, sums) = (left.as_ptr().cast(), panel.as_ptr(), sums.as_mut_ptr());
        // SAFETY: `check` holds what is read and written inside the slices; this leaf is chosen only where the
        // processor has its instructions.
        by_rows!(rows, bf16_tile, (left, panel, groups, sums, stride, add), 1 2 3 4 5 6 7 8 9 10 11 12);
    }
}

/// `left` rows are `Bf16::DEPTH / 2` pairs apart.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn bf16_tile<const R: usize>(
    left: *const i32,
    panel: *const u32,
    groups: usize,
    sums: *mut f32,
    stride: usize,
    add: bool,
) {
    const APART: usize = Bf16::DEPTH / 2;
    let mut tile = [[_mm512_setzero_ps(); 2]; R];
    for g in 0..groups {
        // SAFETY: inside the panel and the rows, as the caller checked. The types hold the same 512 bits.
        unsafe {
            let row = panel.add(g * Bf16::COLUMNS);
            let weights: [__m512bh; 2] =
                std::mem::transmute([_mm512_loadu_si512(row.cast()), _mm512_loadu_si512(row.add(16).cast())]);
            for (r, tile) in tile.iter_mut().enumerate() {
                let pair: __m512bh = std::mem::transmute(_mm512_set1_epi32(*left.add(r * APART + g)));
                tile[0] = _mm512_dpbf16_ps(tile[0], pair, weights[0]);
                tile[1] = _mm512_dpbf16_ps(tile[1], pair, weights[1]);
            }
        }
    }
    for (r, values) in tile.iter().enumerate() {
        for (v, value) in values.iter().enumerate() {
            // SAFETY: inside the sums, as the caller checked.
            unsafe {
                let sum = sums.add(r * stride + 16 * v);
                _mm512_storeu_ps(sum, if add { _mm512_add_ps(_mm512_loadu_ps(sum), *value) } else { *value });
            }
        }
    }
}

impl Leaf for Bytes512 {
    type Left = u8;
    const ROWS: usize = 12;
    const COLUMNS: usize = 32;
    const DEPTH: usize = 1024;

    fn tile(self, rows: usize, left: &[u8], panel: &[u32], sums: &mut [f32], stride: usize, add: bool) {
        let groups = panel.len() / Self::COLUMNS;
        check::<Self>(rows, left.len(), 4 * groups, sums.len(), stride);
        let (left, panel, sums) = (left.as_ptr().cast(), panel.as_ptr(), sums.as_mut_ptr().cast());
        // SAFETY: as in `Bf16`.
        by_rows!(rows, bytes512_tile, (left, panel, groups, sums, stride, add), 1 2 3 4 5 6 7 8 9 10 11 12);
    }
}

/// `left` rows are `Bytes512::DEPTH / 4` fours apart and need not be aligned.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn bytes512_tile<const R: usize>(
    left: *const i32,
    panel: *const u32,
    groups: usize,
    sums: *mut i32,
    stride: usize,
    add: bool,
) {
    const APART: usize = Bytes512::DEPTH / 4;
    let mut tile = [[_mm512_setzero_si512(); 2]; R];
    for g in 0..groups {
        // SAFETY: inside the panel and the rows, as the caller checked.
        unsafe {
            let row = panel.add(g * Bytes512::COLUMNS);
            let weights = [_mm512_loadu_si512(row.cast()), _mm512_loadu_si512(row.add(16).cast())];
            for (r, tile) in tile.iter_mut().enumerate() {
                let four = _mm512_set1_epi32(left.add(r * APART + g).read_unaligned());
                tile[0] = _mm512_dpbusd_epi32(tile[0], four, weights[0]);
                tile[1] = _mm512_dpbusd_epi32(tile[1], four, weights[1]);
            }
        }
    }
    for (r, values) in tile.iter().enumerate() {
        for (v, value) in values.iter().enumerate() {
            // SAFETY: inside the sums, as the caller checked.
            unsafe {
                let sum = sums.add(r * stride + 16 * v).cast();
                _mm512_storeu_si512(sum, if add { _mm512_add_epi32(_mm512_loadu_si512(sum), *value) } else { *value });
            }
        }
    }
}

impl Leaf for Bytes256 {
    type Left = u8;
    const ROWS: usize = 6;
    const COLUMNS: usize = 16;
    const DEPTH: usize = 1024;

    fn tile(self, rows: usize, left: &[u8], panel: &[u32], sums: &mut [f32], stride: usize, add: bool) {
        let groups = panel.len() / Self::COLUMNS;
        check::<Self>(rows, left.len(), 4 * groups, sums.len(), stride);
        let (left, panel, sums) = (left.as_ptr().cast(), panel.as_ptr(), sums.as_mut_ptr().cast());
        // SAFETY: as in `Bf16`.
        by_rows!(rows, bytes256_tile, (left, panel, groups, sums, stride, add), 1 2 3 4 5 6);
    }
}

/// `left` rows are `Bytes256::DEPTH / 4` fours apart and need not be aligned.
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn bytes256_tile<const R: usize>(
    left: *const i32,
    panel: *const u32,
    groups: usize,
    sums: *mut i32,
    stride: usize,
    add: bool,
) {
    const APART: usize = Bytes256::DEPTH / 4;
    let mut tile = [[_mm256_setzero_si256(); 2]; R];
    for g in 0..groups {
        // SAFETY: inside the panel and the rows, as the caller checked.
        unsafe {
            let row = panel.add(g * Bytes256::COLUMNS);
            let weights = [_mm256_loadu_si256(row.cast()), _mm256_loadu_si256(row.add(8).cast())];
            for (r, tile) in tile.iter_mut().enumerate() {
                let four = _mm256_set1_epi32(left.add(r * APART + g).read_unaligned());
                tile[0] = _mm256_dpbusd_avx_epi32(tile[0], four, weights[0]);
                tile[1] = _mm256_dpbusd_avx_epi32(tile[1], four, weights[1]);
            }
        }
    }
    for (r, values) in tile.iter().enumerate() {
        for (v, value) in values.iter().enumerate() {
            // SAFETY: inside the sums, as the caller checked.
            unsafe {
                let sum = sums.add(r * stride + 8 * v).cast();
                _mm256_storeu_si256(sum, if add { _mm256_add_epi32(_mm256_loadu_si256(sum), *value) } else { *value });
            }
        }
    }
}
