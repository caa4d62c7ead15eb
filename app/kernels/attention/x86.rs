//! The leaf for processors that multiply pairs of bf16 in 512 bits (`vdpbf16ps`).
#![expect(unsafe_code, reason = "leaves read and write by pointer, and their instructions are checked at run time")]

use super::{
    leaf::{Leaf, Panels},
    softmax::Softmax,
    words::Pair,
};
use std::{arch::x86_64::*, mem::transmute};

/// Words are pairs of bf16.
#[derive(Clone, Copy)]
pub(super) struct Bf16;

/// Rows of a tile, and vectors of queries: 24 sums leave registers for a row and for the queries.
const ROWS: usize = 6;
const VECTORS: usize = 4;
const LANES: usize = 16;

/// `$call` with the number of rows as a constant.
macro_rules! by_rows {
    ($rows:expr, $constant:ident => $call:expr) => {
        by_rows!($rows, $constant => $call, 1 2 3 4 5 6)
    };
    ($rows:expr, $constant:ident => $call:expr, $($count:literal)*) => {
        match $rows {
            $($count => {
                const $constant: usize = $count;
                unsafe { $call }
            })*
            rows => unreachable!("a tile has no {rows} rows"),
        }
    };
}

impl Leaf for Bf16 {
    type Words = Pair;
    const ROWS: usize = ROWS;
    const QUERIES: usize = VECTORS * LANES;
    const KEYS: usize = 132;

    fn multiply(self, panels: Panels<'_>, columns: &[u32], sums: &mut [f32], add: bool) {
        let enough = columns.len() >= panels.depth * Self::QUERIES && sums.len() >= panels.rows * Self::QUERIES;
        assert!(enough, "operands are there");
        for (rows, panel) in panels.tiles(ROWS) {
            let (depth, sums) = (panels.depth, &mut sums[rows.start * Self::QUERIES..]);
            let (panel, columns, sums) = (panel.as_ptr(), columns.as_ptr(), sums.as_mut_ptr());
            // SAFETY: what is read and written is inside the slices, as asserted; this leaf is chosen only where the
            // processor has its instructions.
            by_rows!(rows.len(), R => multiply_tile::<R>(panel, columns, depth, sums, add));
        }
    }

    fn weigh(
        self,
        keys: Panels<'_>,
        queries: &[u32],
        softmax: &Softmax<'_>,
        hidden: isize,
        weights: &mut [u32],
        sums: &mut [f32],
    ) {
        let enough = queries.len() >= keys.depth * Self::QUERIES
            && weights.len() >= keys.rows.div_ceil(2) * Self::QUERIES
            && [softmax.shifts.len(), sums.len()] == [Self::QUERIES; 2];
        assert!(enough, "operands are there");
        sums.fill(0.0);
        for (rows, panel) in keys.tiles(ROWS) {
            let (depth, weights) = (keys.depth, &mut weights[rows.start / 2 * Self::QUERIES..]);
            let hidden = hidden.saturating_add_unsigned(rows.start);
            let (panel, queries, weights, sums) =
                (panel.as_ptr(), queries.as_ptr(), weights.as_mut_ptr(), sums.as_mut_ptr());
            // SAFETY: as in `multiply`.
            if hidden.saturating_add_unsigned(rows.len()) > 1 {
                by_rows!(rows.len(), R => weigh_tile::<R, true>(panel, queries, depth, softmax, hidden, weights, sums));
            } else {
                by_rows!(rows.len(), R => weigh_tile::<R, false>(panel, queries, depth, softmax, hidden, weights, sums));
            }
        }
    }
}

type Tile<const R: usize> = [[__m512; VECTORS]; R];

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn product<const R: usize>(panel: *const u32, columns: *const u32, depth: usize) -> Tile<R> {
    let mut tile = [[_mm512_setzero_ps(); VECTORS]; R];
    for i in 0..depth {
        // SAFETY: inside the panel and the columns, as the caller checked. The types hold the same 512 bits.
        unsafe {
            let columns: [__m512bh; VECTORS] =
                std::array::from_fn(|v| transmute(_mm512_loadu_si512(columns.add((i * VECTORS + v) * LANES).cast())));
            for (r, sums) in tile.iter_mut().enumerate() {
                let row: __m512bh = transmute(_mm512_set1_epi32(panel.add(i * ROWS + r).cast::<i32>().read()));
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = _mm512_dpbf16_ps(*sum, row, column);
                }
            }
        }
    }
    tile
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn multiply_tile<const R: usize>(
    panel: *const u32,
    columns: *const u32,
    depth: usize,
    sums: *mut f32,
    add: bool,
) {
    // SAFETY: as the caller warrants.
    let tile = unsafe { product::<R>(panel, columns, depth) };
    for (r, values) in tile.iter().enumerate() {
        for (v, value) in values.iter().enumerate() {
            // SAFETY: inside the sums, as the caller checked.
            unsafe {
                let sum = sums.add((r * VECTORS + v) * LANES);
                _mm512_storeu_ps(sum, if add { _mm512_add_ps(_mm512_loadu_ps(sum), *value) } else { *value });
            }
        }
    }
}

/// What is hidden is not asked for at run time: for that the tile would leave its registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn weigh_tile<const R: usize, const HIDE: bool>(
    panel: *const u32,
    queries: *const u32,
    depth: usize,
    softmax: &Softmax<'_>,
    hidden: isize,
    weights: *mut u32,
    sums: *mut f32,
) {
    // SAFETY: as the caller warrants.
    let mut tile = unsafe { product::<R>(panel, queries, depth) };
    if HIDE {
        hide(&mut tile, hidden);
    }
    let scale = _mm512_set1_ps(softmax.scale);
    // SAFETY: the types hold the same 512 bits.
    let ones: __m512bh = unsafe { transmute(_mm512_set1_epi32(0x3F80_3F80)) };
    #[expect(clippy::needless_range_loop, reason = "it counts the vectors of every row")]
    for v in 0..VECTORS {
        // SAFETY: inside the shifts, sums and weights, as the caller checked. The types hold the same 512 bits.
        unsafe {
            let shift = _mm512_loadu_ps(softmax.shifts.as_ptr().add(v * LANES));
            let weight = |score| exp2(_mm512_fmsub_ps(score, scale, shift));
            let mut sum = _mm512_loadu_ps(sums.add(v * LANES));
            for r in (0..R).step_by(2) {
                let second = if r + 1 < R { weight(tile[r + 1][v]) } else { _mm512_setzero_ps() };
                let pair = pair(weight(tile[r][v]), second);
                // Of what is multiplied, not of what it was before rounding: so weights have the sum 1.
                sum = _mm512_dpbf16_ps(sum, ones, transmute::<__m512i, __m512bh>(pair));
                _mm512_storeu_si512(weights.add((r / 2 * VECTORS + v) * LANES).cast(), pair);
            }
            _mm512_storeu_ps(sums.add(v * LANES), sum);
        }
    }
}

/// Takes the scores that queries do not see.
#[inline]
#[target_feature(enable = "avx512f")]
fn hide<const R: usize>(tile: &mut Tile<R>, hidden: isize) {
    for (r, scores) in tile.iter_mut().enumerate() {
        for (v, scores) in scores.iter_mut().enumerate() {
            let hidden = hidden.saturating_add_unsigned(r).saturating_sub_unsigned(v * LANES).clamp(0, LANES as isize);
            let mask = ((1u32 << hidden) - 1) as __mmask16;
            *scores = _mm512_mask_blend_ps(mask, *scores, _mm512_set1_ps(f32::NEG_INFINITY));
        }
    }
}

/// 2ˣ within 8e-5, a fiftieth of what rounding to bf16 takes; 0 and infinity beyond f32's range.
///
/// The instructions are those that leave the multipliers to `vdpbf16ps`, which wait for them.
#[inline]
#[target_feature(enable = "avx512f")]
fn exp2(x: __m512) -> __m512 {
    /// To whole numbers, the nearest, without exceptions.
    const WHOLE: i32 = 0x08;
    /// 2ˣ on ±½ (Remez).
    const TERMS: [f32; 4] = [5.517_167e-2, 0.242_611_13, 0.693_260_97, 0.999_928_06];
    let n = _mm512_roundscale_ps::<WHOLE>(x);
    // Of -∞ this is no number, and yet `vscalefps` makes 0 of it.
    let f = _mm512_sub_ps(x, n);
    let mut p = _mm512_set1_ps(TERMS[0]);
    for term in &TERMS[1..] {
        p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(*term));
    }
    _mm512_scalef_ps(p, n)
}

/// The upper halves of both: bf16 by truncation, whose mean error divides out.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn pair(first: __m512, second: __m512) -> __m512i {
    let first = _mm512_srli_epi32::<16>(_mm512_castps_si512(first));
    _mm512_mask_blend_epi16(0xAAAA_AAAA, first, _mm512_castps_si512(second))
}
