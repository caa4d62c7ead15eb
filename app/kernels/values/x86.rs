//! Leaves that only some processors have instructions for.
#![expect(unsafe_code, reason = "leaves read and write by pointer, and their instructions are checked at run time")]

use half::bf16;
use std::arch::x86_64::*;

/// Values of a vector.
const LANES: usize = 16;

/// To nearest even (`vcvtneps2bf16`); what is below the normal range becomes 0.
///
/// The processor must have AVX-512 BF16.
pub(super) fn narrow(values: &[f32], out: &mut [bf16]) {
    assert_eq!(values.len(), out.len(), "one for each");
    // SAFETY: the slices are equally long; this leaf is chosen only where the processor has its instructions.
    unsafe { narrow_vectors(values.as_ptr(), out.as_mut_ptr().cast(), values.len()) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn narrow_vectors(values: *const f32, out: *mut i16, len: usize) {
    for i in (0..len / LANES * LANES).step_by(LANES) {
        // SAFETY: inside the slices. The types hold the same 256 bits.
        unsafe {
            let narrow: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(_mm512_loadu_ps(values.add(i))));
            _mm256_storeu_si256(out.add(i).cast(), narrow);
        }
    }
    let (done, rest) = (len / LANES * LANES, len % LANES);
    if rest > 0 {
        let mask = (1 << rest) - 1;
        // SAFETY: as above; lanes behind the end are masked out.
        unsafe {
            let wide = _mm512_maskz_loadu_ps(mask, values.add(done));
            let narrow: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(wide));
            _mm256_mask_storeu_epi16(out.add(done), mask, narrow);
        }
    }
}
