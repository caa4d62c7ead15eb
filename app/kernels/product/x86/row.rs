//! Where a row's values come from and go to, 16 at a time.

use super::transform::Load;
use crate::{
    Activation, Values,
    math::{Vectors, Wide},
    product::{
        finish::{Finish, Output, PerSample},
        pack::{Layout, Packed},
    },
};
use half::bf16;
use pulp::x86::V4;
use std::{arch::x86_64::*, mem::transmute, ops::Range};

/// Values of a vector.
pub(super) const LANES: usize = 16;
/// A mask of all of them.
pub(super) const WHOLE: __mmask16 = !0;

/// What a row's sums meet, and its part of the output.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) bias: *const f32,
    per_sample: Numbers,
    residual: Numbers,
    out: Target,
    activation: Option<Activation>,
    /// Values from here to what is finished soon.
    ahead: usize,
}

#[derive(Clone, Copy)]
enum Numbers {
    None,
    F32(*const f32),
    Bf16(*const bf16),
}

#[derive(Clone, Copy)]
enum Target {
    F32(*mut f32),
    Bf16(*mut bf16),
}

impl Numbers {
    /// Those of `range`, which are there.
    fn of(values: Values<'_>, range: Range<usize>) -> Self {
        match values {
            Values::F32(values) => Self::F32(values[range].as_ptr()),
            Values::Bf16(values) => Self::Bf16(values[range].as_ptr()),
        }
    }

    /// # Safety
    /// Those of the mask have to be there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn add_to(self, v: __m512, column: usize, mask: __mmask16) -> __m512 {
        // SAFETY: as the caller warrants.
        unsafe {
            match self {
                Self::None => v,
                Self::F32(from) => _mm512_add_ps(v, f32::load(mask, from.add(column))),
                Self::Bf16(from) => _mm512_add_ps(v, bf16::load(mask, from.add(column))),
            }
        }
    }

    #[inline(always)]
    fn come_closer(self, column: usize) {
        let at = match self {
            Self::None => return,
            Self::F32(from) => from.wrapping_add(column).cast(),
            Self::Bf16(from) => from.wrapping_add(column).cast(),
        };
        // SAFETY: whatever the address, a hint reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
    }
}

impl Row {
    /// Row `row` of the output, all of whose outputs the caller may write from `columns` on.
    pub(super) fn new(
        weights: &Packed,
        finish: &Finish<'_>,
        out: &Output<'_>,
        row: usize,
        columns: Range<usize>,
        ahead: usize,
    ) -> Self {
        let outputs = weights.outputs();
        let place = row * outputs + columns.start..row * outputs + columns.end;
        let per_sample = finish.per_sample.map_or(Numbers::None, |PerSample { values, rows }| {
            let first = row / rows * outputs;
            Numbers::of(values, first + columns.start..first + columns.end)
        });
        let residual = finish.residual.map_or(Numbers::None, |residual| Numbers::of(residual, place.clone()));
        // SAFETY: rows of a block do not overlap, and nobody else writes it.
        let out = unsafe {
            match out {
                Output::F32(out) => Target::F32(out.part(place).as_mut_ptr()),
                Output::Bf16(out) => Target::Bf16(out.part(place).as_mut_ptr()),
            }
        };
        let bias = match weights.layout {
            Layout::Gated => weights.bias[2 * columns.start..].as_ptr(),
            _ => weights.bias[columns.start..].as_ptr(),
        };
        Self { bias, per_sample, residual, out, activation: finish.activation, ahead }
    }

    /// What is left to do to values that have their bias, from `column` of the row's part on.
    ///
    /// # Safety
    /// Those of the mask are inside the row's part.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
    pub(super) unsafe fn store(&self, v: __m512, column: usize, mask: __mmask16) {
        // SAFETY: as the caller warrants; the types hold the same bits.
        unsafe {
            self.residual.come_closer(column + self.ahead);
            let v = self.per_sample.add_to(v, column, mask);
            let v = self.residual.add_to(v, column, mask);
            let v = match self.activation {
                None => v,
                // The second where one is no number.
                Some(Activation::Relu) => _mm512_max_ps(_mm512_setzero_ps(), v),
                Some(activation) => {
                    let wide = Wide::<V4, 1>(V4::new_unchecked());
                    transmute::<Vectors<V4, 1>, __m512>(activation.of(wide, transmute::<__m512, Vectors<V4, 1>>(v)))
                }
            };
            match self.out {
                Target::F32(out) if mask == WHOLE => _mm512_storeu_ps(out.add(column), v),
                Target::F32(out) => _mm512_mask_storeu_ps(out.add(column), mask, v),
                Target::Bf16(out) => {
                    let (out, narrow) = (out.add(column), transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(v)));
                    if mask == WHOLE {
                        _mm256_storeu_si256(out.cast(), narrow);
                    } else {
                        _mm256_mask_storeu_epi16(out.cast(), mask, narrow);
                    }
                }
            }
        }
    }
}
