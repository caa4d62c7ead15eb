//! Functions of one value, as branch-free polynomials that the compiler turns into vector code for the instruction
//! set at hand; `f32::exp` of the standard library is a call per value.

/// Functions of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// x · sigmoid(x).
    Silu,
    /// The exact GELU: x · Φ(x) (OpenCLIP).
    Gelu,
    /// x · sigmoid(1.702 x) (OpenAI's CLIP).
    QuickGelu,
    /// max(x, 0).
    Relu,
    /// 3 · tanh(x / 3), the clamp in front of the tiny decoder.
    SoftClamp3,
}

/// Applies the activation to every value, in place.
#[inline(always)]
pub(crate) fn activate(activation: Activation, x: &mut [f32]) {
    match activation {
        Activation::Silu => map(x, silu),
        Activation::Gelu => map(x, gelu),
        Activation::QuickGelu => map(x, |v| v / (1.0 + exp(-1.702 * v))),
        Activation::Relu => map(x, |v| if v < 0.0 { 0.0 } else { v }),
        // tanh(y) = 1 - 2 / (exp(2 y) + 1)
        Activation::SoftClamp3 => map(x, |v| 3.0 - 6.0 / (exp(v * (2.0 / 3.0)) + 1.0)),
    }
}

#[inline(always)]
fn map(x: &mut [f32], f: impl Fn(f32) -> f32) {
    for v in x {
        *v = f(*v);
    }
}

#[inline(always)]
pub(crate) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// x · Φ(x), within 2e-7 · |x| (erf by Abramowitz & Stegun 7.1.26).
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let half_tail = 0.5 * poly * exp(-z * z);
    x * if x < 0.0 { half_tail } else { 1.0 - half_tail }
}

/// eˣ within 2 units in the last place, 0 or huge where it leaves f32's normal range.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.3, 88.3);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let p = 1.0 / 6.0 + r * (4.166_579_6e-2 + r * (8.333_452e-3 + r * (1.398_2e-3 + r * 1.987_569_1e-4)));
    let p = 1.0 + r + r * r * (0.5 + r * p);
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_a_few_units_in_the_last_place() {
        for i in -8700..8800 {
            let x = i as f32 * 0.01 + 0.003;
            let want = f64::from(x).exp();
            let error = (f64::from(exp(x)) - want).abs() / want;
            assert!(error < 3e-7, "exp({x}) is off by {error:e}");
        }
        assert!(exp(-1e9) < 1e-37 && exp(1e9).is_finite());
    }

    #[test]
    fn a_value_that_is_no_number_stays_visible() {
        use Activation::{Gelu, QuickGelu, Relu, Silu, SoftClamp3};
        for activation in [Silu, Gelu, QuickGelu, Relu, SoftClamp3] {
            let mut x = [f32::NAN, 1.0];
            activate(activation, &mut x);
            assert!(x[0].is_nan() && x[1].is_finite(), "{activation:?} gives {x:?}");
        }
    }
}
