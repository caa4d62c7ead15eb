use super::*;
use crate::{Cancelled, Isa, Pool};
use half::bf16;
use proptest::prelude::*;

/// Any numbers, the same for a seed, of mean 0 and deviation about 1.
fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 24) as f32 - 0.5
    };
    (0..len).map(|_| (next() + next() + next() + next()) * 1.7).collect()
}

fn everywhere(check: impl Fn(Context<'_>)) {
    for isa in Isa::available() {
        for threads in [1, 2] {
            let pool = Pool::new(threads, || ());
            check(Context { isa, pool: &pool, cancelled: &|| false });
        }
    }
}

fn relative_l2(found: impl Iterator<Item = f32>, expected: &[f64]) -> f64 {
    let (mut error, mut norm) = (0.0, 1e-30);
    for (found, expected) in found.zip(expected) {
        error += (f64::from(found) - expected).powi(2);
        norm += expected.powi(2);
    }
    (error / norm).sqrt()
}

/// Runs `kernel` on both formats of the input, into both formats, on every instruction set, and compares.
fn check(
    what: &str,
    x: &[f32],
    expected: impl Fn(&[f32]) -> Vec<f64>,
    kernel: impl Fn(Context<'_>, Values<'_>, ValuesMut<'_>) -> Result<(), Cancelled>,
) {
    let narrow: Vec<bf16> = x.iter().map(|v| bf16::from_f32(*v)).collect();
    let widened: Vec<f32> = narrow.iter().map(|v| v.to_f32()).collect();
    let expected = [expected(x), expected(&widened)];
    everywhere(|cx| {
        for (values, expected) in [Values::F32(x), Values::Bf16(&narrow)].into_iter().zip(&expected) {
            let mut out = vec![f32::NAN; x.len()];
            kernel(cx, values, ValuesMut::F32(&mut out)).expect("not cancelled");
            let error = relative_l2(out.iter().copied(), expected);
            assert!(error < 2e-6, "{what} on {}, {} threads: {error:e}", cx.isa, cx.pool.threads());
            let mut out = vec![bf16::NAN; x.len()];
            kernel(cx, values, ValuesMut::Bf16(&mut out)).expect("not cancelled");
            let error = relative_l2(out.iter().map(|v| v.to_f32()), expected);
            assert!(error < 4e-3, "{what} on {} in bf16, {} threads: {error:e}", cx.isa, cx.pool.threads());
        }
    });
}

fn mean_and_deviation(values: impl Iterator<Item = f32> + Clone, eps: f32) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    let variance = values.map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
    (mean, (variance + f64::from(eps)).sqrt())
}

fn check_group_norm([n, positions, groups, per_group]: [usize; 4], mean: f32, activation: bool, seed: u64) {
    let c = groups * per_group;
    let x: Vec<f32> = random(n * positions * c, seed).iter().map(|v| v + mean).collect();
    let (scale, shift) = (random(c, !seed), random(c, seed ^ 77));
    let w = GroupNorm { scale: &scale, shift: &shift, groups, eps: 1e-5 };
    let expected = |x: &[f32]| {
        let mut out = vec![0.0; x.len()];
        for (x, out) in x.chunks(positions * c).zip(out.chunks_mut(positions * c)) {
            for group in 0..groups {
                let channels = group * per_group..(group + 1) * per_group;
                let values = x.chunks(c).flat_map(|row| &row[channels.clone()]).copied();
                let (mean, deviation) = mean_and_deviation(values, w.eps);
                for i in (0..positions).flat_map(|row| channels.clone().map(move |channel| row * c + channel)) {
                    let normal = (f64::from(x[i]) - mean) / deviation;
                    let y = normal * f64::from(scale[i % c]) + f64::from(shift[i % c]);
                    out[i] = if activation { y / (1.0 + (-y).exp()) } else { y };
                }
            }
        }
        out
    };
    let activation = activation.then_some(Activation::Silu);
    let what = format!("group norm of {n}×{positions}×{c}, {groups} groups, mean {mean}");
    check(&what, &x, expected, |cx, x, out| group_norm(cx, x, n, w, activation, out));
}

fn check_layer_norm([rows, c]: [usize; 2], mean: f32, seed: u64) {
    let x: Vec<f32> = random(rows * c, seed).iter().map(|v| v + mean).collect();
    let (scale, shift) = (random(c, !seed), random(c, seed ^ 77));
    let w = LayerNorm { scale: &scale, shift: &shift, eps: 1e-5 };
    let expected = |x: &[f32]| {
        let row = |x: &[f32]| {
            let (mean, deviation) = mean_and_deviation(x.iter().copied(), w.eps);
            let normal = x.iter().map(move |v| (f64::from(*v) - mean) / deviation);
            normal.zip(&scale).zip(&shift).map(|((v, a), b)| v * f64::from(*a) + f64::from(*b)).collect::<Vec<_>>()
        };
        x.chunks(c).flat_map(row).collect()
    };
    let what = format!("layer norm of {rows}×{c}, mean {mean}");
    check(&what, &x, expected, |cx, x, out| layer_norm(cx, x, w, out));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn group_norms_are_those_of_f64(
        n in 1usize..3, positions in 1usize..90, groups in 1usize..6, per_group in 1usize..40,
        mean in -30f32..30.0, activation: bool, seed: u64,
    ) {
        check_group_norm([n, positions, groups, per_group], mean, activation, seed);
    }

    #[test]
    fn layer_norms_are_those_of_f64(rows in 1usize..20, c in 2usize..300, mean in -30f32..30.0, seed: u64) {
        check_layer_norm([rows, c], mean, seed);
    }
}

#[test]
fn norms_in_many_parts_are_those_of_f64() {
    check_group_norm([2, 700, 4, 11], 0.5, true, 1);
    check_group_norm([1, 20, 2, 1500], -2.0, false, 2);
    check_layer_norm([300, 130], 1.0, 3);
    check_layer_norm([5, 3000], 1.0, 4);
}

#[test]
fn a_large_mean_costs_no_digits() {
    check_group_norm([1, 900, 8, 5], 4096.0, false, 5);
    check_layer_norm([40, 320], 4096.0, 6);
}

#[test]
fn a_first_value_far_from_all_others_costs_no_digits() {
    let (rows, c) = (900, 64);
    let mut x = random(rows * c, 7);
    x[..c].fill(3e4);
    let ones = vec![1.0; c];
    let zeros = vec![0.0; c];
    let w = GroupNorm { scale: &ones, shift: &zeros, groups: 4, eps: 1e-5 };
    let (mean, deviation) = mean_and_deviation(x.iter().copied(), w.eps);
    assert!(mean > 30.0, "the first row matters");
    everywhere(|cx| {
        let mut out = vec![0.0; x.len()];
        group_norm(cx, Values::F32(&x), 1, GroupNorm { groups: 1, ..w }, None, ValuesMut::F32(&mut out))
            .expect("not cancelled");
        let expected: Vec<f64> = x.iter().map(|v| (f64::from(*v) - mean) / deviation).collect();
        let error = relative_l2(out.iter().copied(), &expected);
        assert!(error < 1e-6, "{}: {error:e}", cx.isa);
    });
}

#[test]
fn equal_values_become_the_shift() {
    let x = vec![1e6; 40 * 48];
    let (scale, shift) = (vec![2.0; 48], vec![0.25; 48]);
    everywhere(|cx| {
        let mut out = vec![0.0; x.len()];
        let w = GroupNorm { scale: &scale, shift: &shift, groups: 3, eps: 1e-6 };
        group_norm(cx, Values::F32(&x), 2, w, None, ValuesMut::F32(&mut out)).expect("not cancelled");
        assert!(out.iter().all(|v| *v == 0.25), "{}: {:?}", cx.isa, &out[..4]);
        out.fill(0.0);
        let w = LayerNorm { scale: &scale, shift: &shift, eps: 1e-6 };
        layer_norm(cx, Values::F32(&x), w, ValuesMut::F32(&mut out)).expect("not cancelled");
        assert!(out.iter().all(|v| *v == 0.25), "{}: {:?}", cx.isa, &out[..4]);
    });
}

#[test]
fn a_value_that_is_no_number_stays_visible() {
    let (rows, c) = (9, 48);
    let ones = vec![1.0; c];
    everywhere(|cx| {
        for (bad, at) in [(f32::NAN, 0), (f32::INFINITY, 7 * c + 20)] {
            let mut x = random(rows * c, 8);
            x[at] = bad;
            let group = at % c / 16;
            let mut out = vec![bf16::ZERO; x.len()];
            let w = GroupNorm { scale: &ones, shift: &ones, groups: 3, eps: 1e-5 };
            group_norm(cx, Values::F32(&x), 1, w, Some(Activation::Silu), ValuesMut::Bf16(&mut out))
                .expect("not cancelled");
            for (i, v) in out.iter().enumerate() {
                assert_eq!(v.is_nan(), i % c / 16 == group, "{}: {v} at {i}", cx.isa);
            }
            let w = LayerNorm { scale: &ones, shift: &ones, eps: 1e-5 };
            layer_norm(cx, Values::F32(&x), w, ValuesMut::Bf16(&mut out)).expect("not cancelled");
            for (i, v) in out.iter().enumerate() {
                assert_eq!(v.is_nan(), i / c == at / c, "{}: {v} at {i}", cx.isa);
            }
        }
    });
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (positions, c) = (1000, 96);
    let x = random(positions * c, 9);
    let ones = vec![1.0; c];
    let w = GroupNorm { scale: &ones, shift: &ones, groups: 32, eps: 1e-5 };
    let with = |threads: usize| {
        let pool = Pool::new(threads, || ());
        let cx = Context { isa: Isa::best(), pool: &pool, cancelled: &|| false };
        let mut out = vec![0.0; x.len()];
        group_norm(cx, Values::F32(&x), 1, w, None, ValuesMut::F32(&mut out)).expect("not cancelled");
        out
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn of_nothing_comes_nothing_and_a_cancelled_norm_says_so() {
    let pool = Pool::new(1, || ());
    let cx = |cancelled| Context { isa: Isa::best(), pool: &pool, cancelled };
    let w = GroupNorm { scale: &[1.0; 4], shift: &[0.0; 4], groups: 2, eps: 1e-5 };
    assert_eq!(group_norm(cx(&|| false), Values::F32(&[]), 0, w, None, ValuesMut::F32(&mut [])), Ok(()));
    let out = &mut [0.0; 8];
    assert_eq!(group_norm(cx(&|| true), Values::F32(&[1.0; 8]), 1, w, None, ValuesMut::F32(out)), Err(Cancelled));
}
