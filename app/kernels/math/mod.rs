//! Functions of one value, as branch-free polynomials over vectors of the instruction set at hand; `f32::exp` of the
//! standard library is a call per value.

mod wide;

pub(crate) use wide::{ABREAST, MOST, Pointwise, Vectors, Wide, compute};

use pulp::Simd;

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
pub(crate) fn activate<S: Simd>(simd: S, activation: Activation, x: &mut [f32]) {
    compute(simd, &activation, [], x);
}

/// In place.
impl Pointwise<0> for Activation {
    #[inline(always)]
    fn compute<S: Simd, const N: usize>(
        &self,
        w: Wide<S, N>,
        x: Vectors<S, N>,
        _: [Vectors<S, N>; 0],
    ) -> Vectors<S, N> {
        self.of(w, x)
    }
}

/// Of the input.
impl Pointwise<1> for Activation {
    #[inline(always)]
    fn compute<S: Simd, const N: usize>(
        &self,
        w: Wide<S, N>,
        _: Vectors<S, N>,
        [x]: [Vectors<S, N>; 1],
    ) -> Vectors<S, N> {
        self.of(w, x)
    }
}

impl Activation {
    #[inline(always)]
    pub(crate) fn of<S: Simd, const N: usize>(self, w: Wide<S, N>, x: Vectors<S, N>) -> Vectors<S, N> {
        let one = w.splat(1.0);
        match self {
            Self::Silu => w.div(x, w.add(one, decay(w, x))),
            Self::Gelu => gelu(w, x),
            Self::QuickGelu => w.div(x, w.add(one, decay(w, w.mul(x, w.splat(1.702))))),
            Self::Relu => w.at_least(x, 0.0),
            Self::SoftClamp3 => {
                // tanh(y) = 1 - 2 / (exp(2 y) + 1)
                let power = decay(w, w.mul(x, w.splat(-2.0 / 3.0)));
                w.sub(w.splat(3.0), w.div(w.splat(6.0), w.add(power, one)))
            }
        }
    }
}

/// x · Φ(x), within 2e-7 · |x| (erf by Abramowitz & Stegun 7.1.26).
#[inline(always)]
pub(crate) fn gelu<S: Simd, const N: usize>(w: Wide<S, N>, x: Vectors<S, N>) -> Vectors<S, N> {
    const SCALE: f32 = 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2;
    let one = w.splat(1.0);
    let far = w.abs(x);
    let t = w.div(one, w.mul_add(far, w.splat(SCALE), one));
    // Halves of their coefficients.
    let p = w.polynomial(t, [0.530_702_7, -0.726_576, 0.710_706_87, -0.142_248_37, 0.127_414_8, 0.0]);
    let tail = w.mul(p, decay(w, w.mul(w.mul(x, x), w.splat(0.5))));
    // x · (1 − tail) right of 0 and x · tail left of it are this.
    w.sub(w.at_least(x, 0.0), w.mul(far, tail))
}

/// e⁻ˣ within a unit in the last place, 0 or huge where it leaves f32's normal range.
#[inline(always)]
pub(crate) fn decay<S: Simd, const N: usize>(w: Wide<S, N>, x: Vectors<S, N>) -> Vectors<S, N> {
    /// Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits; 127 more makes them an exponent.
    const ROUND: f32 = 12_582_912.0 + 127.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = w.at_most(w.at_least(x, -88.3), 87.3);
    let shifted = w.mul_add(x, w.splat(-std::f32::consts::LOG2_E), w.splat(ROUND));
    let n = w.sub(shifted, w.splat(ROUND));
    let r = w.mul_add(n, w.splat(LN2_LOW), w.mul_add(n, w.splat(LN2_HIGH), x));
    let p = w.polynomial(r, [1.381_432e-3, -8.368_852e-3, 4.166_84e-2, -0.166_665_2, 0.499_999_94, -1.0, 1.0]);
    w.mul(p, w.exponents(shifted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Isa, dispatch};
    use pulp::WithSimd;

    /// What an instruction set makes of the values.
    fn on(isa: Isa, activation: Option<Activation>, x: &[f32]) -> Vec<f32> {
        struct Apply<'a>(Option<Activation>, &'a mut [f32]);
        impl WithSimd for Apply<'_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                match self.0 {
                    Some(activation) => activate(simd, activation, self.1),
                    None => compute(simd, &Decay, [], self.1),
                }
            }
        }
        struct Decay;
        impl Pointwise<0> for Decay {
            #[inline(always)]
            fn compute<S: Simd, const N: usize>(
                &self,
                w: Wide<S, N>,
                x: Vectors<S, N>,
                _: [Vectors<S, N>; 0],
            ) -> Vectors<S, N> {
                decay(w, x)
            }
        }
        let mut out = x.to_vec();
        dispatch(isa, Apply(activation, &mut out));
        out
    }

    #[test]
    fn exp_is_exact_to_a_few_units_in_the_last_place() {
        let x: Vec<f32> = (-8800..8700).map(|i| i as f32 * 0.01 + 0.003).collect();
        for isa in Isa::available() {
            for (x, found) in x.iter().zip(on(isa, None, &x)) {
                let want = (-f64::from(*x)).exp();
                let error = (f64::from(found) - want).abs() / want;
                assert!(error < 1.3e-7, "{isa}: exp(-{x}) is off by {error:e}");
            }
            let ends = on(isa, None, &[1e9, -1e9]);
            assert!(ends[0] < 1e-37 && ends[1].is_finite() && ends[1] > 1e38, "{isa}: {ends:?}");
        }
    }

    #[test]
    fn gelu_is_that_of_the_error_function() {
        let x: Vec<f32> = (-800..800).map(|i| i as f32 * 0.01 + 0.003).collect();
        // The integral of the density from 0, by Simpson's rule.
        let phi = |x: f64| {
            let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let step = x / 200.0;
            let part = |i: i32| {
                let t = f64::from(i) * step;
                density(t) + 4.0 * density(t + step / 2.0) + density(t + step)
            };
            0.5 + (0..200).map(part).sum::<f64>() * step / 6.0
        };
        for isa in Isa::available() {
            for (x, found) in x.iter().zip(on(isa, Some(Activation::Gelu), &x)) {
                let (x, found) = (f64::from(*x), f64::from(found));
                let error = (found - x * phi(x)).abs() / x.abs();
                assert!(error < 2.5e-7, "{isa}: gelu({x}) is off by {error:e} · |x|");
            }
        }
    }

    #[test]
    fn a_value_that_is_no_number_stays_visible() {
        use Activation::{Gelu, QuickGelu, Relu, Silu, SoftClamp3};
        // One whose last bits are set, which must not be taken for an exponent.
        let odd = f32::from_bits(0x7FC0_01FF);
        for (isa, activation) in
            Isa::available().flat_map(|isa| [Silu, Gelu, QuickGelu, Relu, SoftClamp3].map(|a| (isa, a)))
        {
            let x = on(isa, Some(activation), &[f32::NAN, odd, 1.0].repeat(12));
            for x in x.chunks(3) {
                assert!(x[0].is_nan() && x[1].is_nan() && x[2].is_finite(), "{isa} {activation:?} gives {x:?}");
            }
        }
    }
}
