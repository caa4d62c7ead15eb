//! Scores become weights.

use pulp::Simd;

/// What a block of queries knows of its scores: a weight is 2^(`scale` · score − shift).
pub(super) struct Softmax<'a> {
    /// log₂ e / √d.
    pub(super) scale: f32,
    /// Of each query: keeps its weights within f32's range, and divides out in the end.
    pub(super) shifts: &'a [f32],
}

/// 2ˣ within 2 units in the last place; 0 below f32's normal range, infinity above, and no number of what is none.
#[inline(always)]
pub(super) fn exp2<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// 2ˣ on ±½ within 8e-8 (Remez).
    const TERMS: [f32; 6] = [1.327_647_2e-3, 9.675_541e-3, 5.550_713e-2, 0.240_221_2, 0.693_146_94, 1.0];
    let x = clamp(simd, x, -127.0, 128.0);
    let shifted = simd.add_f32s(x, simd.splat_f32s(ROUND));
    let f = simd.sub_f32s(x, simd.sub_f32s(shifted, simd.splat_f32s(ROUND)));
    let mut p = simd.splat_f32s(TERMS[0]);
    for term in &TERMS[1..] {
        p = simd.mul_add_e_f32s(p, f, simd.splat_f32s(*term));
    }
    let exponent = simd.sub_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(ROUND.to_bits() - 127));
    let power = simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23));
    simd.mul_f32s(p, simd.transmute_f32s_u32s(power))
}

/// Leaves what is no number as it is.
#[inline(always)]
fn clamp<S: Simd>(simd: S, x: S::f32s, least: f32, most: f32) -> S::f32s {
    let (least, most) = (simd.splat_f32s(least), simd.splat_f32s(most));
    if S::F32_LANES == 1 {
        // `f32::max` takes the other one.
        let x = simd.select_f32s(simd.less_than_f32s(x, least), least, x);
        return simd.select_f32s(simd.greater_than_f32s(x, most), most, x);
    }
    // Vector instructions take the second one or what is no number.
    simd.min_f32s(most, simd.max_f32s(least, x))
}
