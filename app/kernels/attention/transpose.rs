//! Rows become columns.

use crate::Isa;

/// A matrix of words, the rows of which lie `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Matrix<W> {
    pub(super) words: W,
    pub(super) stride: usize,
}

/// `to[c][r] = from[r][c]` of so many rows and columns of `from`.
pub(super) fn transpose(isa: Isa, [rows, columns]: [usize; 2], from: Matrix<&[u32]>, to: Matrix<&mut [u32]>) {
    let Matrix { words: from, stride: from_stride } = from;
    let Matrix { words: to, stride: to_stride } = to;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(from.len() >= (rows - 1) * from_stride + columns, "all that is read is there");
    assert!(to.len() >= (columns - 1) * to_stride + rows, "all that is written is there");
    #[cfg(target_arch = "x86_64")]
    if matches!(isa, Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16) {
        // SAFETY: both hold all words, as asserted; instruction sets are checked before they are used.
        #[expect(unsafe_code, reason = "see above")]
        unsafe {
            return x86::transpose([rows, columns], from.as_ptr(), from_stride, to.as_mut_ptr(), to_stride);
        }
    }
    let _ = isa;
    for (c, to) in to.chunks_mut(to_stride).take(columns).enumerate() {
        for (r, to) in to[..rows].iter_mut().enumerate() {
            *to = from[r * from_stride + c];
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![expect(unsafe_code, reason = "loads and stores go by pointer, and the instructions are checked at run time")]

    use std::arch::x86_64::*;

    /// Words of a vector.
    const LANES: usize = 16;

    /// # Safety
    /// All rows and columns are there, as are the instructions.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn transpose(
        [rows, columns]: [usize; 2],
        from: *const u32,
        from_stride: usize,
        to: *mut u32,
        to_stride: usize,
    ) {
        for r in (0..rows).step_by(LANES) {
            for c in (0..columns).step_by(LANES) {
                let size = [LANES.min(rows - r), LANES.min(columns - c)];
                // SAFETY: the block lies inside both.
                unsafe {
                    let (from, to) = (from.add(r * from_stride + c), to.add(c * to_stride + r));
                    block(size, from, from_stride, to, to_stride);
                }
            }
        }
    }

    /// At most 16 × 16 words: within pairs and fours of rows by 128 bits, then those by rows.
    #[target_feature(enable = "avx512f")]
    unsafe fn block([rows, columns]: [usize; 2], from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
        let first = |count: usize| ((1u32 << count) - 1) as __mmask16;
        let row = |r: usize| {
            // SAFETY: the block is there, as the caller warrants; words outside the mask are not read.
            unsafe { _mm512_maskz_loadu_epi32(first(columns), from.add(r * from_stride).cast()) }
        };
        let mut lines = [_mm512_setzero_si512(); LANES];
        for (r, line) in lines.iter_mut().enumerate() {
            if r < rows {
                *line = row(r);
            }
        }
        let pairs: [__m512i; LANES] = std::array::from_fn(|i| match i % 2 {
            0 => _mm512_unpacklo_epi32(lines[i], lines[i + 1]),
            _ => _mm512_unpackhi_epi32(lines[i - 1], lines[i]),
        });
        // `fours[4 g + i]` has, in each 128 bits l, column 4 l + i of rows 4 g … 4 g + 3.
        let fours: [__m512i; LANES] = std::array::from_fn(|i| {
            let (a, b) = (pairs[i / 4 * 4 + i % 4 / 2], pairs[i / 4 * 4 + i % 4 / 2 + 2]);
            if i % 2 == 0 { _mm512_unpacklo_epi64(a, b) } else { _mm512_unpackhi_epi64(a, b) }
        });
        for i in 0..4 {
            let [a, b, c, d] = [fours[i], fours[4 + i], fours[8 + i], fours[12 + i]];
            let even = [_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0x88>(c, d)];
            let odd = [_mm512_shuffle_i32x4::<0xDD>(a, b), _mm512_shuffle_i32x4::<0xDD>(c, d)];
            let crossed = [
                _mm512_shuffle_i32x4::<0x88>(even[0], even[1]),
                _mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]),
                _mm512_shuffle_i32x4::<0xDD>(even[0], even[1]),
                _mm512_shuffle_i32x4::<0xDD>(odd[0], odd[1]),
            ];
            for (c, column) in (i..columns).step_by(4).zip(crossed) {
                // SAFETY: as above.
                unsafe { _mm512_mask_storeu_epi32(to.add(c * to_stride).cast(), first(rows), column) };
            }
        }
    }
}
