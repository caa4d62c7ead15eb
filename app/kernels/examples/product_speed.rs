//! How fast products and convolutions of SD1.5's shapes are: `cargo run --release -p fourstep-kernels --example
//! product_speed [bf16|f32|int8] [threads] [isa] [which]`.
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use fourstep_kernels::{
    Context, Isa, Pool, Values, ValuesMut,
    product::{Finish, Geometry, Layout, Packed, Padding, Precision, conv2d, linear},
};
use half::bf16;
use std::time::Instant;

fn main() {
    let argument = |i| std::env::args().nth(i);
    let precision = match argument(1).as_deref() {
        Some("f32") => Precision::F32,
        Some("int8") => Precision::Int8,
        _ => Precision::Bf16,
    };
    let threads = argument(2).and_then(|t| t.parse().ok()).unwrap_or(2);
    let isa = argument(3).map_or_else(Isa::best, |name| name.parse().expect("an instruction set of this machine"));
    let pool = Pool::new(threads, || ());
    let cx = Context { isa, pool: &pool, cancelled: &|| false };
    let which = argument(4).unwrap_or_default();
    println!("{isa} {precision:?} {threads} threads");
    let linears = [
        [4096, 320, 320],
        [4096, 2560, 320],
        [4096, 320, 1280],
        [1024, 640, 640],
        [1024, 5120, 640],
        [256, 1280, 1280],
        [256, 10240, 1280],
        [64, 1280, 1280],
        [77, 768, 768],
    ];
    for [m, n, k] in linears {
        let name = format!("linear {m}×{n}×{k}");
        if !name.contains(&which) {
            continue;
        }
        let x = values(m * k);
        let w = pack(cx, precision, [n, k], Layout::Plain);
        let mut out = vec![bf16::ZERO; m * n];
        let secs =
            median(|| linear(cx, Values::Bf16(&x), &w, &Finish::default(), ValuesMut::Bf16(&mut out)).expect("done"));
        report(&name, m * n * k, secs);
    }
    let convs = [
        (320, 320, 64),
        (640, 320, 64),
        (640, 640, 32),
        (1280, 640, 32),
        (1280, 1280, 16),
        (2560, 1280, 16),
        (1280, 1280, 8),
        (1280, 1280, 4),
        (64, 64, 512),
        (4, 320, 64),
    ];
    for ((c, n, side), winograd) in convs.into_iter().flat_map(|conv| [(conv, false), (conv, true)]) {
        let how = if winograd { "Winograd" } else { "direct" };
        let name = format!("conv 3×3 {c}→{n} at {side} {how}");
        if winograd && (precision == Precision::Int8 || c < 64) || !name.contains(&which) {
            continue;
        }
        let x = values(side * side * c);
        let layout = if winograd { Layout::Winograd } else { Layout::Kernel { taps: 9 } };
        let w = pack(cx, precision, [n, c * 9], layout);
        let mut out = vec![bf16::ZERO; side * side * n];
        let size = [side; 2];
        let padding = Padding { top: 1, left: 1 };
        let geometry =
            Geometry { n: 1, c, input: size, resized: size, kernel: [3; 2], stride: 1, padding, output: size };
        let secs = median(|| {
            conv2d(cx, Values::Bf16(&x), &geometry, &w, &Finish::default(), ValuesMut::Bf16(&mut out)).expect("done");
        });
        report(&name, side * side * n * c * 9, secs);
    }
}

fn values(len: usize) -> Vec<bf16> {
    (0..len).map(|i| bf16::from_f32((i * 7919 % 1000) as f32 / 500.0 - 1.0)).collect()
}

fn pack(cx: Context<'_>, precision: Precision, shape: [usize; 2], layout: Layout) -> Packed {
    Packed::new(cx, precision, shape, layout, &|_, _, out| out.fill(0.01), None, None).expect("memory")
}

fn median(mut f: impl FnMut()) -> f64 {
    f();
    let mut secs: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            f();
            start.elapsed().as_secs_f64()
        })
        .collect();
    secs.sort_by(f64::total_cmp);
    secs[secs.len() / 2]
}

fn report(what: &str, multiplications: usize, secs: f64) {
    println!("{what:36} {:8.3} ms {:7.1} GFLOP/s", secs * 1e3, 2.0 * multiplications as f64 / secs / 1e9);
}
