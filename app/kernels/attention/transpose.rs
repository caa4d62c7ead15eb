//! Rows become columns.

use crate::Isa;

/// `to[c][r] = from[r][c]`: `from` is `[rows, columns]`.
pub(super) fn transpose(isa: Isa, rows: usize, columns: usize, from: &[u32], to: &mut [u32]) {
    assert!(from.len() == rows * columns && to.len() == rows * columns, "both hold all words");
    #[cfg(target_arch = "x86_64")]
    if matches!(isa, Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16) && rows % 16 == 0 && columns % 16 == 0 {
        return x86::transpose(rows, columns, from, to);
    }
    let _ = isa;
    for (c, to) in to.chunks_mut(rows).enumerate() {
        for (r, to) in to.iter_mut().enumerate() {
            *to = from[r * columns + c];
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![expect(unsafe_code, reason = "loads and stores go by pointer, and the instructions are checked at run time")]

    use std::arch::x86_64::*;

    pub(super) fn transpose(rows: usize, columns: usize, from: &[u32], to: &mut [u32]) {
        for r in (0..rows).step_by(16) {
            for c in (0..columns).step_by(16) {
                let (from, to) = (&from[r * columns + c..], &mut to[c * rows + r..]);
                assert!(from.len() >= 15 * columns + 16 && to.len() >= 15 * rows + 16, "a block lies inside");
                // SAFETY: both blocks lie inside; the caller's instruction set is the processor's.
                unsafe { block(from.as_ptr(), columns, to.as_mut_ptr(), rows) };
            }
        }
    }

    /// 16 × 16 words: within pairs and fours of rows by 128 bits, then those by rows.
    #[target_feature(enable = "avx512f")]
    unsafe fn block(from: *const u32, from_stride: usize, to: *mut u32, to_stride: usize) {
        // SAFETY: the block lies inside its slice, as the caller checked.
        let rows: [__m512i; 16] =
            std::array::from_fn(|r| unsafe { _mm512_loadu_si512(from.add(r * from_stride).cast()) });
        let pairs: [__m512i; 16] = std::array::from_fn(|i| match i % 2 {
            0 => _mm512_unpacklo_epi32(rows[i], rows[i + 1]),
            _ => _mm512_unpackhi_epi32(rows[i - 1], rows[i]),
        });
        // `fours[4 g + i]` has, in each 128 bits l, column 4 l + i of rows 4 g … 4 g + 3.
        let fours: [__m512i; 16] = std::array::from_fn(|i| {
            let (a, b) = (pairs[i / 4 * 4 + i % 4 / 2], pairs[i / 4 * 4 + i % 4 / 2 + 2]);
            if i % 2 == 0 { _mm512_unpacklo_epi64(a, b) } else { _mm512_unpackhi_epi64(a, b) }
        });
        for i in 0..4 {
            let [a, b, c, d] = [fours[i], fours[4 + i], fours[8 + i], fours[12 + i]];
            let even = [_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0x88>(c, d)];
            let odd = [_mm512_shuffle_i32x4::<0xDD>(a, b), _mm512_shuffle_i32x4::<0xDD>(c, d)];
            let columns = [
                _mm512_shuffle_i32x4::<0x88>(even[0], even[1]),
                _mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]),
                _mm512_shuffle_i32x4::<0xDD>(even[0], even[1]),
                _mm512_shuffle_i32x4::<0xDD>(odd[0], odd[1]),
            ];
            for (l, column) in columns.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { _mm512_storeu_si512(to.add((4 * l + i) * to_stride).cast(), column) };
            }
        }
    }
}
