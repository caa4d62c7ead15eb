use super::*;
use crate::{Isa, Pool, product::rows::Padding as Zeros};
use half::bf16;
use proptest::prelude::*;

/// Values in ±1, the same for a seed.
fn random(len: usize, mut seed: u64) -> Vec<f32> {
    let next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn relative_l2(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let errors: Vec<f64> = found.iter().zip(expected).map(|(a, b)| f64::from(*a) - b).collect();
    (squares(&errors) / squares(expected).max(1e-30)).sqrt()
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}

/// How far a product may be from f64's.
fn bound(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-6,
        Precision::Bf16 => 6e-3,
        Precision::Int8 => 2e-2,
    }
}

fn everywhere(mut check: impl FnMut(Context<'_>, Precision)) {
    for isa in Isa::available() {
        for threads in [1, 2] {
            let pool = Pool::new(threads, || ());
            let cx = Context { isa, pool: &pool, cancelled: &|| false };
            for precision in [Precision::F32, Precision::Bf16, Precision::Int8] {
                check(cx, precision);
            }
        }
    }
}

fn pack(cx: Context<'_>, precision: Precision, w: &[f32], shape: [usize; 2], layout: Layout, bias: &[f32]) -> Packed {
    let source = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>, out: &mut [f32]| {
        for (row, out) in rows.zip(out.chunks_mut(columns.len())) {
            out.copy_from_slice(&w[row * shape[1]..][columns.clone()]);
        }
    };
    Packed::new(cx, precision, shape, layout, &source, Some(bias), None).expect("packed")
}

fn check_linear([m, n, k]: [usize; 3], seed: u64) {
    let (x, w, bias, residual) = (random(m * k, seed), random(n * k, !seed), random(n, seed ^ 5), random(m * n, 3));
    let dot = |r: usize, c: usize| (0..k).map(|i| f64::from(x[r * k + i]) * f64::from(w[c * k + i])).sum::<f64>();
    let full = |r: usize, c: usize| dot(r, c) + f64::from(bias[c]);
    let plain: Vec<f64> = (0..m * n).map(|i| full(i / n, i % n) + f64::from(residual[i])).collect();
    let half = n / 2;
    let gelu = |v: f64| v * 0.5 * (1.0 + erf(v / std::f64::consts::SQRT_2));
    let gated: Vec<f64> =
        (0..m * half).map(|i| full(i / half, i % half) * gelu(full(i / half, half + i % half))).collect();
    everywhere(|cx, precision| {
        let packed = pack(cx, precision, &w, [n, k], Layout::Plain, &bias);
        let mut out = vec![f32::NAN; m * n];
        let finish = Finish { residual: Some(Values::F32(&residual)), ..Finish::default() };
        linear(cx, Values::F32(&x), &packed, &finish, ValuesMut::F32(&mut out)).expect("not cancelled");
        let error = relative_l2(&out, &plain);
        assert!(error < bound(precision), "{} {precision:?} {m}×{n}×{k}: {error:e}", cx.isa);
        let narrow: Vec<bf16> = residual.iter().map(|v| bf16::from_f32(*v)).collect();
        let mut out = vec![bf16::NAN; m * n];
        let finish = Finish { residual: Some(Values::Bf16(&narrow)), ..Finish::default() };
        linear(cx, Values::F32(&x), &packed, &finish, ValuesMut::Bf16(&mut out)).expect("not cancelled");
        let out: Vec<f32> = out.iter().map(|v| v.to_f32()).collect();
        let error = relative_l2(&out, &plain);
        assert!(error < bound(precision) + 6e-3, "narrow {} {precision:?} {m}×{n}×{k}: {error:e}", cx.isa);
        if n % 2 == 0 {
            let packed = pack(cx, precision, &w, [n, k], Layout::Gated, &bias);
            let mut out = vec![bf16::NAN; m * half];
            linear(cx, Values::F32(&x), &packed, &Finish::default(), ValuesMut::Bf16(&mut out)).expect("not cancelled");
            let out: Vec<f32> = out.iter().map(|v| v.to_f32()).collect();
            let error = relative_l2(&out, &gated);
            assert!(error < 4.0 * bound(precision) + 4e-3, "gated {} {precision:?} {m}×{n}×{k}: {error:e}", cx.isa);
        }
    });
}

/// By its series and its continued fraction, to 1e-12.
fn erf(x: f64) -> f64 {
    let sum = (0..200).fold((0.0, x), |(sum, term), i| {
        let i = f64::from(i);
        (sum + term / (2.0 * i + 1.0), term * -x * x / (i + 1.0))
    });
    if x.abs() > 5.0 { x.signum() } else { sum.0 * std::f64::consts::FRAC_2_SQRT_PI }
}

fn check_conv(n: usize, geometry: &Geometry, seed: u64) {
    let Geometry { n: samples, c, input: [h, w], resized, kernel: [kh, kw], stride, padding, output: [oh, ow] } =
        geometry.clone();
    let x = random(samples * h * w * c, seed);
    let (weights, bias) = (random(n * c * kh * kw, !seed), random(n, 9));
    let vectors = random(samples * n, 11);
    let mut expected = Vec::new();
    for (s, oy, ox) in (0..samples).flat_map(|s| (0..oh).flat_map(move |y| (0..ow).map(move |x| (s, y, x)))) {
        for o in 0..n {
            let mut sum = f64::from(bias[o]) + f64::from(vectors[s * n + o]);
            for (ky, kx) in (0..kh).flat_map(|y| (0..kw).map(move |x| (y, x))) {
                let (y, left) =
                    ((oy * stride + ky).checked_sub(padding.top), (ox * stride + kx).checked_sub(padding.left));
                let (Some(y), Some(left)) = (y, left) else { continue };
                if y >= resized[0] || left >= resized[1] {
                    continue;
                }
                let at = ((s * h + y * h / resized[0]) * w + left * w / resized[1]) * c;
                for i in 0..c {
                    sum += f64::from(x[at + i]) * f64::from(weights[((o * c + i) * kh + ky) * kw + kx]);
                }
            }
            expected.push(sum.max(0.0));
        }
    }
    everywhere(|cx, precision| {
        let per_sample = Some(PerSample { values: Values::F32(&vectors), rows: oh * ow });
        let finish = Finish { per_sample, activation: Some(crate::Activation::Relu), residual: None };
        let taps = kh * kw;
        let transforms = geometry.kernel == [3, 3] && stride == 1 && precision != Precision::Int8;
        for (layout, more) in [
            (Layout::Kernel { taps }, 1.0),
            (Layout::Places { taps }, 1.0),
            // Patches are sums of four pixels before they are rounded.
            (Layout::Winograd, 2.0),
        ] {
            if layout == Layout::Winograd && !transforms {
                continue;
            }
            let packed = pack(cx, precision, &weights, [n, c * taps], layout, &bias);
            let mut out = vec![f32::NAN; expected.len()];
            conv2d(cx, Values::F32(&x), geometry, &packed, &finish, ValuesMut::F32(&mut out)).expect("not cancelled");
            // Of two or three outputs the sums may all be near zero, which errors do not know.
            let usual = (expected.len() * c * taps) as f64 / 9.0;
            let error = relative_l2(&out, &expected) * (squares(&expected) / squares(&expected).max(usual)).sqrt();
            let bound = more * bound(precision);
            assert!(error < bound, "{layout:?} {} {precision:?} {n} of {geometry:?}: {error:e}", cx.isa);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn products_are_those_of_f64(m in 1usize..40, n in 1usize..80, k in 1usize..90, seed: u64) {
        check_linear([m, n, k], seed);
    }

    #[test]
    fn convolutions_are_those_of_f64(
        samples in 1usize..3, c in 1usize..9, n in 1usize..20,
        h in 1usize..9, w in 1usize..9, kernel in 0usize..2, stride in 1usize..3, grow in 0usize..3, seed: u64,
    ) {
        let kernel = 2 * kernel + 1;
        let (resized, pad) = ([h * (grow + 1), w * (grow + 1) + grow], kernel / 2);
        let output = resized.map(|side| (side + 2 * pad - kernel) / stride + 1);
        let padding = Zeros { top: pad, left: pad };
        check_conv(n, &Geometry { n: samples, c, input: [h, w], resized, kernel: [kernel; 2], stride, padding, output }, seed);
    }
}

#[test]
fn products_deeper_and_wider_than_a_block_are_those_of_f64() {
    check_linear([77, 96, 1100], 1);
    check_linear([200, 33, 64], 2);
    check_linear([3, 700, 40], 3);
}

#[test]
fn a_cancelled_product_says_so() {
    let pool = Pool::new(1, || ());
    let cx = |cancelled| Context { isa: Isa::best(), pool: &pool, cancelled };
    let packed = pack(cx(&|| false), Precision::F32, &[1.0; 4], [2, 2], Layout::Plain, &[0.0; 2]);
    let out = &mut [0.0; 2];
    let result = linear(cx(&|| true), Values::F32(&[1.0; 2]), &packed, &Finish::default(), ValuesMut::F32(out));
    assert_eq!(result, Err(Cancelled));
}

#[test]
fn a_value_that_is_no_number_stays_visible() {
    everywhere(|cx, precision| {
        let packed = pack(cx, precision, &[1.0; 16], [4, 4], Layout::Plain, &[0.0; 4]);
        let mut out = [0.0; 8];
        let x = [1.0, f32::NAN, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        linear(cx, Values::F32(&x), &packed, &Finish::default(), ValuesMut::F32(&mut out)).expect("not cancelled");
        assert!(
            out[..4].iter().all(|v| v.is_nan()) && out[4..].iter().all(|v| *v > 3.9),
            "{} {precision:?} {out:?}",
            cx.isa
        );
    });
}
