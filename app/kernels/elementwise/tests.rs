use super::*;
use crate::{Isa, Pool};
use half::bf16;
use proptest::prelude::*;

/// Whole numbers that bf16 holds too.
fn numbers(len: usize, seed: u64) -> Vec<f32> {
    (0..len).map(|i| ((i as u64).wrapping_mul(seed | 1) >> 7) as u8 as f32 - 100.0).collect()
}

fn everywhere(check: impl Fn(Context<'_>)) {
    for isa in Isa::available() {
        for threads in [1, 2] {
            let pool = Pool::new(threads, || ());
            check(Context { isa, pool: &pool, cancelled: &|| false });
        }
    }
}

/// Both formats of some numbers.
struct Both(Vec<f32>, Vec<bf16>);

impl Both {
    fn new(values: Vec<f32>) -> Self {
        let narrow = values.iter().map(|v| bf16::from_f32(*v)).collect();
        Self(values, narrow)
    }

    fn each(&self) -> [Values<'_>; 2] {
        [Values::F32(&self.0), Values::Bf16(&self.1)]
    }
}

/// Runs `kernel` into both formats and compares with numbers that both hold.
fn check(expected: &[f32], isa: Isa, kernel: impl Fn(ValuesMut<'_>) -> Result<(), Cancelled>) {
    let mut out = vec![f32::NAN; expected.len()];
    kernel(ValuesMut::F32(&mut out)).expect("not cancelled");
    assert!(out == expected, "{isa}");
    let mut out = vec![bf16::NAN; expected.len()];
    kernel(ValuesMut::Bf16(&mut out)).expect("not cancelled");
    let out: Vec<f32> = out.iter().map(|v| v.to_f32()).collect();
    let expected: Vec<f32> = expected.iter().map(|v| bf16::from_f32(*v).to_f32()).collect();
    assert!(out == expected, "{isa} in bf16");
}

fn check_moves([n, h, w]: [usize; 3], c: [usize; 2], size: [usize; 2], seed: u64) {
    let rows = n * h * w;
    let (a, b) = (Both::new(numbers(rows * c[0], seed)), Both::new(numbers(rows * c[1], !seed)));
    let both: Vec<f32> =
        (0..rows).flat_map(|row| [&a.0[row * c[0]..][..c[0]], &b.0[row * c[1]..][..c[1]]].concat()).collect();
    let c = [c[0], c[1]];
    let mut resized = Vec::new();
    for (sample, y, x) in (0..n).flat_map(|s| (0..size[0]).flat_map(move |y| (0..size[1]).map(move |x| (s, y, x)))) {
        let from = (sample * h + y * h / size[0]) * w + x * w / size[1];
        resized.extend_from_slice(&a.0[from * c[0]..][..c[0]]);
    }
    let plane = h * w;
    let first: Vec<f32> = (0..n * c[0] * plane)
        .map(|i| a.0[(i / (c[0] * plane) * plane + i % plane) * c[0] + i / plane % c[0]])
        .collect();
    let ids: Vec<u32> = (0..rows as u32).rev().chain([0, 0]).collect();
    let gathered: Vec<f32> = ids.iter().flat_map(|id| &a.0[*id as usize * c[0]..][..c[0]]).copied().collect();
    everywhere(|cx| {
        for x in a.each() {
            for y in b.each() {
                check(&both, cx.isa, |out| concat(cx, x, y, c, out));
            }
            check(&resized, cx.isa, |out| upsample_nearest(cx, x, [n, h, w, c[0]], size, out));
            check(&gathered, cx.isa, |out| gather_rows(cx, x, c[0], &ids, out));
            check(&a.0, cx.isa, |out| convert(cx, x, out));
            let mut out = vec![f32::NAN; first.len()];
            to_channels_first(cx, x, [n, h, w, c[0]], &mut out).expect("not cancelled");
            assert!(out == first, "{}", cx.isa);
        }
        check(&a.0, cx.isa, |out| to_channels_last(cx, &first, [n, c[0], h, w], out));
    });
}

fn check_values(len: usize, seed: u64) {
    let (a, b) = (Both::new(numbers(len, seed)), Both::new(numbers(len, !seed)));
    let sum: Vec<f32> = a.0.iter().zip(&b.0).map(|(a, b)| a + b).collect();
    let relu: Vec<f32> = a.0.iter().map(|v| v.max(0.0)).collect();
    everywhere(|cx| {
        for x in a.each() {
            for y in b.each() {
                check(&sum, cx.isa, |out| add(cx, x, y, out));
            }
            check(&relu, cx.isa, |out| activate(cx, x, Activation::Relu, out));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn values_are_moved_to_where_they_belong(
        n in 1usize..3, h in 1usize..7, w in 1usize..20, a in 1usize..40, b in 1usize..9,
        height in 1usize..15, width in 1usize..30, seed: u64,
    ) {
        check_moves([n, h, w], [a, b], [height, width], seed);
    }

    #[test]
    fn values_are_computed_one_by_one(len in 0usize..3000, seed: u64) {
        check_values(len, seed);
    }
}

#[test]
fn what_is_done_in_many_parts_is_the_same() {
    check_moves([2, 40, 50], [17, 3], [80, 100], 5);
    check_moves([1, 130, 140], [3, 4], [130, 140], 6);
    check_values(50_000, 7);
}

#[test]
fn activations_are_those_of_f64() {
    let x: Vec<f32> = (-900..900).map(|i| i as f32 * 0.01 + 0.005).collect();
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    let cases: [(Activation, &dyn Fn(f64) -> f64); 3] = [
        (Activation::Silu, &|v| v * sigmoid(v)),
        (Activation::QuickGelu, &|v| v * sigmoid(1.702 * v)),
        (Activation::SoftClamp3, &|v| 3.0 * (v / 3.0).tanh()),
    ];
    everywhere(|cx| {
        for (activation, f) in cases {
            let mut out = vec![f32::NAN; x.len()];
            activate(cx, Values::F32(&x), activation, ValuesMut::F32(&mut out)).expect("not cancelled");
            for (x, found) in x.iter().zip(&out) {
                let expected = f(f64::from(*x));
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= 1e-6 * expected.abs().max(1.0), "{} {activation:?}({x}) is off by {error:e}", cx.isa);
            }
        }
    });
}

#[test]
fn of_nothing_comes_nothing() {
    everywhere(|cx| {
        let none = Values::F32(&[]);
        assert_eq!(add(cx, none, none, ValuesMut::F32(&mut [])), Ok(()));
        assert_eq!(concat(cx, none, none, [4, 2], ValuesMut::Bf16(&mut [])), Ok(()));
        assert_eq!(upsample_nearest(cx, none, [0, 4, 4, 2], [8, 8], ValuesMut::F32(&mut [])), Ok(()));
        assert_eq!(to_channels_last(cx, &[], [1, 0, 4, 4], ValuesMut::F32(&mut [])), Ok(()));
        assert_eq!(to_channels_first(cx, none, [1, 4, 4, 0], &mut []), Ok(()));
        assert_eq!(gather_rows(cx, none, 3, &[], ValuesMut::F32(&mut [])), Ok(()));
    });
}

#[test]
fn what_is_cancelled_says_so() {
    let pool = Pool::new(1, || ());
    let cx = Context { isa: Isa::best(), pool: &pool, cancelled: &|| true };
    let x = Values::F32(&[1.0; 4]);
    assert_eq!(add(cx, x, x, ValuesMut::F32(&mut [0.0; 4])), Err(Cancelled));
}
