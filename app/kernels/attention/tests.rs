use super::*;
use crate::{Isa, Pool};
use half::bf16;
use proptest::prelude::*;

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

    /// With those of the inputs, and the output, as bf16 of which the bit is set.
    fn found(&self, cx: Context<'_>, shape: Shape, narrow: u8) -> Vec<f32> {
        let halves = self.0.each_ref().map(|values| values.iter().map(|v| bf16::from_f32(*v)).collect::<Vec<_>>());
        let is_narrow = |i: usize| narrow >> i & 1 == 1;
        let [q, k, v] =
            std::array::from_fn(|i| if is_narrow(i) { Values::Bf16(&halves[i]) } else { Values::F32(&self.0[i]) });
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
    everywhere(|cx, narrow| {
        let error = relative_l2(&inputs.found(cx, shape, narrow), &expected);
        assert!(error < bound(cx, narrow), "{} {narrow:04b} {sharpness} {shape:?}: {error:e}", cx.isa);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

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
