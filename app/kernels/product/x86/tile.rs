//! Tiles of 12 rows and two vectors of columns, which stay in registers.

use crate::product::leaf::{Ahead, Tile};
use half::bf16;
use std::arch::x86_64::*;

/// Bytes of a cache line.
const LINE: usize = 64;
/// Columns of a tile of vectors of 512 bits.
const COLUMNS: usize = 32;

/// How 4 bytes of a row are multiplied by those of 16 columns.
pub(super) trait Dot {
    /// What a row is made of.
    type Left;

    /// # Safety
    /// The processor must have the instruction.
    unsafe fn add(sums: __m512i, row: i32, columns: __m512i) -> __m512i;

    /// Of two vectors of sums.
    ///
    /// # Safety
    /// As [`add`](Self::add).
    unsafe fn total(a: __m512i, b: __m512i) -> __m512i;
}

/// One number.
pub(super) struct F32;
/// Two numbers.
pub(super) struct Bf16;
/// Four numbers, those of the row without a sign; sums are whole.
pub(super) struct Bytes;

impl Dot for F32 {
    type Left = f32;

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn add(sums: __m512i, row: i32, columns: __m512i) -> __m512i {
        let row = _mm512_castsi512_ps(_mm512_set1_epi32(row));
        _mm512_castps_si512(_mm512_fmadd_ps(row, _mm512_castsi512_ps(columns), _mm512_castsi512_ps(sums)))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn total(a: __m512i, b: __m512i) -> __m512i {
        _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)))
    }
}

impl Dot for Bf16 {
    type Left = bf16;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn add(sums: __m512i, row: i32, columns: __m512i) -> __m512i {
        // SAFETY: the types hold the same 512 bits.
        let [row, columns]: [__m512bh; 2] = unsafe { std::mem::transmute([_mm512_set1_epi32(row), columns]) };
        _mm512_castps_si512(_mm512_dpbf16_ps(_mm512_castsi512_ps(sums), row, columns))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn total(a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: whoever has bf16 has f32.
        unsafe { F32::total(a, b) }
    }
}

impl Dot for Bytes {
    type Left = u8;

    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn add(sums: __m512i, row: i32, columns: __m512i) -> __m512i {
        _mm512_dpbusd_epi32(sums, _mm512_set1_epi32(row), columns)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn total(a: __m512i, b: __m512i) -> __m512i {
        _mm512_add_epi32(a, b)
    }
}

/// Brings the next rows closer, a line at a time.
struct Lines {
    at: *const u8,
    /// Lines that are left of this row.
    left: usize,
    of_row: usize,
    /// Bytes from the end of a row to the next one.
    gap: usize,
}

impl Lines {
    #[inline(always)]
    fn new(ahead: &Ahead) -> Self {
        let of_row = ahead.row.div_ceil(LINE);
        Self { at: ahead.rows, left: of_row, of_row, gap: ahead.apart.wrapping_sub(of_row * LINE) }
    }

    #[inline(always)]
    fn next(&mut self) {
        // SAFETY: whatever the address, a hint reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(self.at.cast()) };
        self.left -= 1;
        self.at = self.at.wrapping_add(if self.left == 0 { self.gap.wrapping_add(LINE) } else { LINE });
        self.left = if self.left == 0 { self.of_row } else { self.left };
    }
}

/// # Safety
/// The processor must have `D`'s instructions, and `tile` must have `R` rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni")]
pub(super) unsafe fn tile_512<D: Dot, const R: usize>(tile: &mut Tile<'_, D::Left>) {
    let (left, apart) = (tile.left.as_ptr().cast::<i32>(), tile.apart * size_of::<D::Left>() / 4);
    let (panel, mut lines) = (tile.panel.as_ptr(), Lines::new(&tile.ahead));
    let mut sums = [[_mm512_setzero_si512(); 2]; R];
    for g in 0..tile.panel.len() / COLUMNS {
        lines.next();
        let next = tile.ahead.panel.wrapping_add(g * tile.ahead.step / Ahead::FINE).cast();
        // SAFETY: inside the panel and the rows, as the caller checked; hints read nothing.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(next);
            _mm_prefetch::<_MM_HINT_T1>(next.wrapping_add(LINE));
            let group = panel.add(g * COLUMNS);
            let columns = [_mm512_loadu_si512(group.cast()), _mm512_loadu_si512(group.add(16).cast())];
            for (r, sums) in sums.iter_mut().enumerate() {
                let row = left.add(r * apart + g).read_unaligned();
                sums[0] = D::add(sums[0], row, columns[0]);
                sums[1] = D::add(sums[1], row, columns[1]);
            }
        }
    }
    let to = tile.sums.as_mut_ptr();
    for (r, sums) in sums.iter().enumerate() {
        for (v, value) in sums.iter().enumerate() {
            // SAFETY: inside the sums, as the caller checked.
            unsafe {
                let to: *mut __m512i = to.add(r * tile.stride + 16 * v).cast();
                _mm512_storeu_si512(to, if tile.add { D::total(_mm512_loadu_si512(to), *value) } else { *value });
            }
        }
    }
}

/// Bytes in 256 bits.
///
/// # Safety
/// The processor must have AVX-VNNI, and `tile` must have `R` rows.
#[target_feature(enable = "avx2,avxvnni")]
pub(super) unsafe fn bytes_256<const R: usize>(tile: &mut Tile<'_, u8>) {
    const COLUMNS: usize = 16;
    let (left, apart) = (tile.left.as_ptr().cast::<i32>(), tile.apart / 4);
    let (panel, mut lines) = (tile.panel.as_ptr(), Lines::new(&tile.ahead));
    let mut sums = [[_mm256_setzero_si256(); 2]; R];
    for g in 0..tile.panel.len() / COLUMNS {
        lines.next();
        // SAFETY: inside the panel and the rows, as the caller checked; hints read nothing.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(tile.ahead.panel.wrapping_add(g * tile.ahead.step / Ahead::FINE).cast());
            let group = panel.add(g * COLUMNS);
            let columns = [_mm256_loadu_si256(group.cast()), _mm256_loadu_si256(group.add(8).cast())];
            for (r, sums) in sums.iter_mut().enumerate() {
                let four = _mm256_set1_epi32(left.add(r * apart + g).read_unaligned());
                sums[0] = _mm256_dpbusd_avx_epi32(sums[0], four, columns[0]);
                sums[1] = _mm256_dpbusd_avx_epi32(sums[1], four, columns[1]);
            }
        }
    }
    let to = tile.sums.as_mut_ptr();
    for (r, sums) in sums.iter().enumerate() {
        for (v, value) in sums.iter().enumerate() {
            // SAFETY: inside the sums, as the caller checked.
            unsafe {
                let to: *mut __m256i = to.add(r * tile.stride + 8 * v).cast();
                _mm256_storeu_si256(
                    to,
                    if tile.add { _mm256_add_epi32(_mm256_loadu_si256(to), *value) } else { *value },
                );
            }
        }
    }
}
