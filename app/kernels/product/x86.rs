//! Leaves for dot products that only some processors have.
#![expect(unsafe_code, reason = "leaves read and write by pointer, and their instructions are checked at run time")]

use super::{leaf::Leaf, winograd::Transform};
use crate::{Isa, Values, dispatch};
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

/// Bytes of a cache line.
const LINE: usize = 64;

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

    fn tile(self, rows: usize, left: &[bf16], [panel, ahead]: [&[u32]; 2], sums: &mut [f32], stride: usize, add: bool) {
        let groups = panel.len() / Self::COLUMNS;
        assert!(ahead.len() >= panel.len(), "what comes is as large as what is there");
        check::<Self>(rows, left.len(), 2 * groups, sums.len(), stride);
        let (left, sums) = (left.as_ptr().cast(), sums.as_mut_ptr());
        let panels = [panel.as_ptr(), ahead.as_ptr()];
        // SAFETY: `check` holds what is read and written inside the slices; this leaf is chosen only where the
        // processor has its instructions.
        by_rows!(rows, bf16_tile, (left, panels, groups, sums, stride, add), 1 2 3 4 5 6 7 8 9 10 11 12);
    }

    fn transform(self, isa: Isa, of: Transform<'_, bf16>) {
        if of.patches.geometry.c > ZEROS.len() {
            return dispatch(isa, of);
        }
        // SAFETY: this leaf is chosen only where the processor has its instructions.
        unsafe {
            match of.patches.values {
                Values::F32(values) => transform(&of, values),
                Values::Bf16(values) => transform(&of, values),
            }
        }
    }
}

/// `left` rows are `Bf16::DEPTH / 2` pairs apart.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn bf16_tile<const R: usize>(
    left: *const i32,
    [panel, ahead]: [*const u32; 2],
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
            let next = ahead.add(g * Bf16::COLUMNS).cast();
            _mm_prefetch::<_MM_HINT_T1>(next);
            _mm_prefetch::<_MM_HINT_T1>(next.add(LINE));
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

    fn tile(self, rows: usize, left: &[u8], [panel, ahead]: [&[u32]; 2], sums: &mut [f32], stride: usize, add: bool) {
        let groups = panel.len() / Self::COLUMNS;
        assert!(ahead.len() >= panel.len(), "what comes is as large as what is there");
        check::<Self>(rows, left.len(), 4 * groups, sums.len(), stride);
        let (left, sums) = (left.as_ptr().cast(), sums.as_mut_ptr().cast());
        let panels = [panel.as_ptr(), ahead.as_ptr()];
        // SAFETY: as in `Bf16`.
        by_rows!(rows, bytes512_tile, (left, panels, groups, sums, stride, add), 1 2 3 4 5 6 7 8 9 10 11 12);
    }
}

/// `left` rows are `Bytes512::DEPTH / 4` fours apart and need not be aligned.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn bytes512_tile<const R: usize>(
    left: *const i32,
    [panel, ahead]: [*const u32; 2],
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
            let next = ahead.add(g * Bytes512::COLUMNS).cast();
            _mm_prefetch::<_MM_HINT_T1>(next);
            _mm_prefetch::<_MM_HINT_T1>(next.add(LINE));
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

    fn tile(self, rows: usize, left: &[u8], [panel, ahead]: [&[u32]; 2], sums: &mut [f32], stride: usize, add: bool) {
        let groups = panel.len() / Self::COLUMNS;
        assert!(ahead.len() >= panel.len(), "what comes is as large as what is there");
        check::<Self>(rows, left.len(), 4 * groups, sums.len(), stride);
        let (left, sums) = (left.as_ptr().cast(), sums.as_mut_ptr().cast());
        let panels = [panel.as_ptr(), ahead.as_ptr()];
        // SAFETY: as in `Bf16`.
        by_rows!(rows, bytes256_tile, (left, panels, groups, sums, stride, add), 1 2 3 4 5 6);
    }
}

/// `left` rows are `Bytes256::DEPTH / 4` fours apart and need not be aligned.
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn bytes256_tile<const R: usize>(
    left: *const i32,
    [panel, ahead]: [*const u32; 2],
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
            let next = ahead.add(g * Bytes256::COLUMNS).cast();
            _mm_prefetch::<_MM_HINT_T1>(next);
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

/// Numbers that a vector of 16 is made of.
trait Load: Copy {
    /// 16 of them, or as many as the mask names and zeros.
    ///
    /// # Safety
    /// They have to be there.
    unsafe fn load(mask: __mmask16, from: *const Self) -> __m512;
}

impl Load for f32 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn load(mask: __mmask16, from: *const Self) -> __m512 {
        // SAFETY: as the caller warrants. A mask that is a constant costs nothing.
        unsafe { if mask == !0 { _mm512_loadu_ps(from) } else { _mm512_maskz_loadu_ps(mask, from) } }
    }
}

impl Load for bf16 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn load(mask: __mmask16, from: *const Self) -> __m512 {
        // SAFETY: as above.
        let values = unsafe {
            if mask == !0 { _mm256_loadu_si256(from.cast()) } else { _mm256_maskz_loadu_epi16(mask, from.cast()) }
        };
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(values)))
    }
}

/// The channels of a pixel that is outside of the picture, of any format.
static ZEROS: [f32; 4096] = [0.0; 4096];

/// `Bᵀ d B` of patches, all 16 places of 16 channels in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn transform<F: Load>(of: &Transform<'_, bf16>, values: &[F]) {
    let c = of.patches.geometry.c;
    assert!(c <= ZEROS.len(), "there are zeros enough");
    for patch in of.range.clone() {
        let (mut pixels, mut out) = ([ZEROS.as_ptr().cast::<F>(); 16], [std::ptr::null_mut::<bf16>(); 16]);
        for (i, at) in of.patches.pixels(patch).into_iter().enumerate() {
            if let Some(at) = at {
                pixels[i] = values[at..at + c].as_ptr();
            }
            // SAFETY: a patch is transformed by one task.
            out[i] = unsafe { of.place(i, patch) }.as_mut_ptr();
        }
        let whole = c / 16 * 16;
        // SAFETY: each of these has c values; the mask names those behind the last whole vector.
        unsafe {
            for channel in (0..whole).step_by(16) {
                transform_channels(!0, pixels.map(|p| p.add(channel)), out.map(|p| p.add(channel)));
            }
            if whole < c {
                transform_channels((1 << (c - whole)) - 1, pixels.map(|p| p.add(whole)), out.map(|p| p.add(whole)));
            }
        }
    }
}

/// Of 16 channels, or as many as the mask names.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn transform_channels<F: Load>(mask: __mmask16, pixels: [*const F; 16], out: [*mut bf16; 16]) {
    let mut v = [_mm512_setzero_ps(); 16];
    for (v, pixel) in v.iter_mut().zip(pixels) {
        // SAFETY: as the caller warrants.
        *v = unsafe { F::load(mask, pixel) };
    }
    for x in 0..4 {
        [v[x], v[4 + x], v[8 + x], v[12 + x]] = forth([v[x], v[4 + x], v[8 + x], v[12 + x]]);
    }
    for y in 0..4 {
        let row = forth([v[4 * y], v[4 * y + 1], v[4 * y + 2], v[4 * y + 3]]);
        for (x, value) in row.into_iter().enumerate() {
            // SAFETY: as the caller warrants; the types hold the same 256 bits.
            unsafe {
                let value: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(value));
                let out: *mut __m256i = out[4 * y + x].cast();
                if mask == !0 {
                    _mm256_storeu_si256(out, value);
                } else {
                    _mm256_mask_storeu_epi16(out.cast(), mask, value);
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn forth([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
    [_mm512_sub_ps(a, c), _mm512_add_ps(b, c), _mm512_sub_ps(c, b), _mm512_sub_ps(b, d)]
}
