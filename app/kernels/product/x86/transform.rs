//! Patches of Winograd's convolution, by vectors of 16 channels.

use crate::{
    Isa, Values, dispatch,
    product::{rows::Left, winograd::Transform},
};
use half::bf16;
use std::arch::x86_64::*;

/// Numbers that a vector of 16 is made of.
pub(super) trait Load: Copy {
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

/// Numbers that a vector of 16 is rounded to.
pub(super) trait Write: Left {
    /// Writes 16 of them, or as many as the mask names.
    ///
    /// # Safety
    /// There has to be room for them, and the processor must have AVX-512 BF16.
    unsafe fn write(mask: __mmask16, values: __m512, to: *mut Self);
}

impl Write for f32 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn write(mask: __mmask16, values: __m512, to: *mut Self) {
        // SAFETY: as the caller warrants. A mask that is a constant costs nothing.
        unsafe { if mask == !0 { _mm512_storeu_ps(to, values) } else { _mm512_mask_storeu_ps(to, mask, values) } }
    }
}

impl Write for bf16 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    unsafe fn write(mask: __mmask16, values: __m512, to: *mut Self) {
        // SAFETY: as above; the types hold the same 256 bits.
        unsafe {
            let values: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(values));
            if mask == !0 {
                _mm256_storeu_si256(to.cast(), values);
            } else {
                _mm256_mask_storeu_epi16(to.cast(), mask, values);
            }
        }
    }
}

/// As [`Leaf::transform`](crate::product::leaf::Leaf::transform); the processor must have AVX-512 BF16.
pub(super) fn transform<T: Write>(isa: Isa, of: Transform<'_, T>) {
    if of.patches.geometry.c > ZEROS.len() {
        return dispatch(isa, of);
    }
    // SAFETY: leaves call this only where the processor has its instructions.
    unsafe {
        match of.patches.values {
            Values::F32(values) => patches(&of, values),
            Values::Bf16(values) => patches(&of, values),
        }
    }
}

/// The channels of a pixel that is outside of the picture, of any format.
static ZEROS: [f32; 4096] = [0.0; 4096];

/// `Bᵀ d B` of patches, all 16 places of 16 channels in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn patches<F: Load, T: Write>(of: &Transform<'_, T>, values: &[F]) {
    let c = of.patches.geometry.c;
    assert!(c <= ZEROS.len(), "there are zeros enough");
    for patch in of.range.clone() {
        let (mut pixels, mut out) = ([ZEROS.as_ptr().cast::<F>(); 16], [std::ptr::null_mut::<T>(); 16]);
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
                channels(!0, pixels.map(|p| p.add(channel)), out.map(|p| p.add(channel)));
            }
            if whole < c {
                channels((1 << (c - whole)) - 1, pixels.map(|p| p.add(whole)), out.map(|p| p.add(whole)));
            }
        }
    }
}

/// Of 16 channels, or as many as the mask names.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
unsafe fn channels<F: Load, T: Write>(mask: __mmask16, pixels: [*const F; 16], out: [*mut T; 16]) {
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
            // SAFETY: as the caller warrants.
            unsafe { T::write(mask, value, out[4 * y + x]) };
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn forth([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
    [_mm512_sub_ps(a, c), _mm512_add_ps(b, c), _mm512_sub_ps(c, b), _mm512_sub_ps(b, d)]
}
