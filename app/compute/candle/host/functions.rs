use crate::Activation;
use pulp::{Arch, Simd, WithSimd};

/// Applies the activation to every value.
///
/// The loops are branch-free polynomials that the compiler turns into vector code for the machine at hand; `f32::exp`
/// of the standard library is a call per value.
pub(super) fn activate(activation: Activation, x: &mut [f32]) {
    Arch::new().dispatch(Activate { activation, x });
}

struct Activate<'a> {
    activation: Activation,
    x: &'a mut [f32],
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let x = self.x;
        match self.activation {
            Activation::Silu => map(x, |v| v / (1.0 + exp(-v))),
            Activation::Gelu => map(x, gelu),
            Activation::QuickGelu => map(x, |v| v / (1.0 + exp(-1.702 * v))),
            Activation::Relu => map(x, |v| if v < 0.0 { 0.0 } else { v }),
            // tanh(y) = 1 - 2 / (exp(2 y) + 1)
            Activation::SoftClamp3 => map(x, |v| 3.0 - 6.0 / (exp(v * (2.0 / 3.0)) + 1.0)),
        }
    }
}

/// Softmax of `scale · x`, in place.
pub(super) fn softmax(x: &mut [f32], scale: f32) {
    Arch::new().dispatch(Softmax { x, scale });
}

struct Softmax<'a> {
    x: &'a mut [f32],
    scale: f32,
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, scale } = self;
        let top = max(x);
        map(x, |v| exp((v - top) * scale));
        let inverse = 1.0 / sum(x, |v| v);
        map(x, |v| v * inverse);
    }
}

#[inline(always)]
fn map(x: &mut [f32], f: impl Fn(f32) -> f32) {
    for v in x {
        *v = f(*v);
    }
}

/// `x += y`, over the length of `x`.
pub(super) fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// x · Φ(x), within 2e-7 · |x| (erf by Abramowitz & Stegun 7.1.26).
#[inline(always)]
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let half_tail = 0.5 * poly * exp(-z * z);
    x * if x < 0.0 { half_tail } else { 1.0 - half_tail }
}

/// eˣ within 2 units in the last place, 0 or huge where it leaves f32's normal range.
#[inline(always)]
fn exp(x: f32) -> f32 {
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

/// The sum of `f` of every value, in 16 running sums.
#[inline(always)]
pub(super) fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = x.as_chunks::<16>();
    let mut lanes = [0f32; 16];
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += f(*v);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|v| f(*v)).sum::<f32>()
}

/// The largest value, −∞ of none.
#[inline(always)]
fn max(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<16>();
    let mut lanes = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane = if *v > *lane { *v } else { *lane };
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
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
