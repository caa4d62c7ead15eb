use super::*;
use crate::{Isa, Pool};
use half::bf16;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Values in ±`scale`, the same for a seed, that bf16 can hold.
fn random(len: usize, scale: f32, mut seed: u64) -> Vec<f32> {
    let next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bf16::from_f32(scale * ((seed >> 40) as f32 / (1 << 23) as f32 - 1.0)).to_f32()
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Queries, keys and values.
struct Inputs([Vec<f32>; 3]);

impl Inputs {
    /// Queries in ±`sharpness`: the larger, the fewer keys have all the weight.
    fn random(shape: Shape, sharpness: f32, seed: u64) -> Self {
        let len = |tokens: usize| shape.n * tokens * shape.channels();
        let (queries, keys) = (len(shape.queries), len(shape.keys));
        Self([random(queries, sharpness, seed), random(keys, 1.0, !seed), random(keys, 1.0, seed ^ 77)])
    }

    /// By the definition.
    fn expected(&self, shape: Shape) -> Vec<f64> {
        let [q, k, v] = &self.0;
        let mut out = vec![0.0; q.len()];
        let Shape { n, heads, d, queries, keys, causal } = shape;
        for (s, h, i) in (0..n).flat_map(|s| (0..heads).flat_map(move |h| (0..queries).map(move |i| (s, h, i)))) {
            let at = |tokens: usize, token: usize| ((s * tokens + token) * heads + h) * d;
            let visible = if causal { keys.min(i + 1) } else { keys };
            let q = &q[at(queries, i)..][..d];
            let dot = |j| q.iter().zip(&k[at(keys, j)..]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            let scores: Vec<f64> = (0..visible).map(|j| dot(j) / (d as f64).sqrt()).collect();
            let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for (j, weight) in weights.iter().enumerate() {
                for c in 0..d {
                    out[at(queries, i) + c] += weight / sum * f64::from(v[at(keys, j) + c]);
                }
            }
        }
        out
    }

    /// With those of the inputs, and the output, as bf16 of which the bit is set. These begin in the middle of 4 bytes
    /// where there is more than one thread.
    fn found(&self, cx: Context<'_>, shape: Shape, narrow: u8) -> Vec<f32> {
        let skip = cx.pool.threads().min(2) - 1;
        let halves = self.0.each_ref().map(|values| {
            let values = values.iter().map(|v| bf16::from_f32(*v));
            std::iter::repeat_n(bf16::NAN, skip).chain(values).collect::<Vec<_>>()
        });
        let halves = halves.each_ref().map(|values| &values[skip..]);
        let is_narrow = |i: usize| narrow >> i & 1 == 1;
        let [q, k, v] =
            std::array::from_fn(|i| if is_narrow(i) { Values::Bf16(halves[i]) } else { Values::F32(&self.0[i]) });
        if is_narrow(3) {
            let mut out = vec![bf16::NAN; self.0[0].len()];
            attention(cx, q, k, v, shape, ValuesMut::Bf16(&mut out)).expect("not cancelled");
            out.iter().map(|v| v.to_f32()).collect()
        } else {
            let mut out = vec![f32::NAN; self.0[0].len()];
            attention(cx, q, k, v, shape, ValuesMut::F32(&mut out)).expect("not cancelled");
            out
        }
    }
}

/// All are f32, all bf16, and some of each.
const FORMATS: [u8; 4] = [0b0000, 0b1111, 0b1010, 0b0111];

fn relative_l2(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |v: f64| v * v;
    let error: f64 = found.iter().zip(expected).map(|(a, b)| square(f64::from(*a) - b)).sum();
    (error / expected.iter().map(|v| square(*v)).sum::<f64>().max(1e-30)).sqrt()
}

fn bound(cx: Context<'_>, narrow: u8) -> f64 {
    let multiplies_bf16 = cx.isa.has_bf16() && narrow & 0b111 == 0b111;
    if narrow & 0b1000 != 0 || multiplies_bf16 { 5e-3 } else { 1e-6 }
}

fn everywhere(mut check: impl FnMut(Context<'_>, u8)) {
    for isa in Isa::available() {
        for threads in [1, 2] {
            let pool = Pool::new(threads, || ());
            let cx = Context { isa, pool: &pool, cancelled: &|| false };
            FORMATS.into_iter().for_each(|narrow| check(cx, narrow));
        }
    }
}

fn check(shape: Shape, sharpness: f32, seed: u64) {
    let inputs = Inputs::random(shape, sharpness, seed);
    let expected = inputs.expected(shape);
    // A score is as exact as f32 can hold it, and its error is that of its weight.
    let of_scores = f64::from(sharpness) * 2e-7;
    everywhere(|cx, narrow| {
        let error = relative_l2(&inputs.found(cx, shape, narrow), &expected);
        let bound = bound(cx, narrow) + of_scores;
        assert!(error < bound, "{} {narrow:04b} {sharpness} {shape:?}: {error:e}", cx.isa);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn attention_is_that_of_f64(
        n in 1usize..3, heads in 1usize..4, d in 1usize..50, queries in 1usize..150, keys in 1usize..300,
        causal: bool, sharpness in 0.0f32..8.0, seed: u64,
    ) {
        check(Shape { n, heads, d, queries, keys, causal }, sharpness, seed);
    }
}

#[test]
fn the_sizes_of_networks_are_right() {
    for (heads, d, queries, keys, causal) in [
        (2, 40, 256, 256, false),
        (1, 64, 130, 77, false),
        (2, 64, 77, 77, true),
        (1, 80, 100, 200, false),
        (1, 160, 64, 64, false),
        (1, 512, 70, 70, false),
    ] {
        check(Shape { n: 1, heads, d, queries, keys, causal }, 2.0, 5);
    }
}

#[test]
fn scores_may_be_beyond_the_range_of_weights() {
    for (d, queries, keys, causal) in [(40, 70, 300, false), (8, 20, 3, false), (16, 150, 150, true)] {
        for sharpness in [100.0, 1e4] {
            check(Shape { n: 1, heads: 2, d, queries, keys, causal }, sharpness, 9);
        }
    }
}

#[test]
fn equal_values_stay_as_they_are() {
    let shape = Shape { n: 1, heads: 1, d: 40, queries: 65, keys: 200, causal: false };
    let mut inputs = Inputs::random(shape, 3.0, 2);
    inputs.0[2].fill(1.0);
    everywhere(|cx, narrow| {
        let found = inputs.found(cx, shape, narrow);
        assert!(found.iter().all(|v| (v - 1.0).abs() < 1e-6), "{} {narrow:04b}: weights have the sum 1", cx.isa);
    });
}

#[test]
fn a_value_that_is_no_number_stays_visible_where_it_counts() {
    const AT: usize = 20;
    let shape = Shape { n: 1, heads: 2, d: 6, queries: 80, keys: 80, causal: false };
    let width = shape.channels();
    for (input, causal) in [(0, false), (1, false), (1, true), (2, false)] {
        let shape = Shape { causal, ..shape };
        let mut inputs = Inputs::random(shape, 1.0, 3);
        // A channel of the second head.
        inputs.0[input][AT * width + 7] = f32::NAN;
        let concerned = |token: usize, channel: usize| match input {
            0 => token == AT && channel >= 6,
            1 => (!causal || token >= AT) && channel >= 6,
            _ => channel == 7,
        };
        everywhere(|cx, narrow| {
            for (i, value) in inputs.found(cx, shape, narrow).iter().enumerate() {
                let expected = concerned(i / width, i % width);
                assert_eq!(value.is_nan(), expected, "{} {narrow:04b} input {input} {causal} at {i}", cx.isa);
            }
        });
    }
}

#[test]
fn nothing_gives_nothing() {
    everywhere(|cx, narrow| {
        for shape in [
            Shape { n: 1, heads: 2, d: 8, queries: 0, keys: 0, causal: false },
            Shape { n: 0, heads: 2, d: 8, queries: 3, keys: 3, causal: true },
            Shape { n: 1, heads: 2, d: 0, queries: 3, keys: 3, causal: false },
        ] {
            assert!(Inputs::random(shape, 1.0, 1).found(cx, shape, narrow).is_empty());
        }
    });
}

#[test]
fn a_cancelled_attention_says_so() {
    let shape = Shape { n: 1, heads: 4, d: 8, queries: 300, keys: 300, causal: false };
    let Inputs([q, k, v]) = Inputs::random(shape, 1.0, 1);
    let pool = Pool::new(2, || ());
    for allowed in [0, 1, 20] {
        let asked = AtomicUsize::new(0);
        let cancelled = || asked.fetch_add(1, Ordering::Relaxed) >= allowed;
        let cx = Context { isa: Isa::best(), pool: &pool, cancelled: &cancelled };
        let mut out = vec![0.0; q.len()];
        let (q, k, v) = (Values::F32(&q), Values::F32(&k), Values::F32(&v));
        assert_eq!(attention(cx, q, k, v, shape, ValuesMut::F32(&mut out)), Err(Cancelled));
    }
}
