//! How fast each kernel is at the sizes of SD1.5, and which share that is of what the processor can do at most:
//! `cargo bench -p fourstep-kernels -- [part of a name]`. `FOURSTEP_ISA` chooses the instructions, `FOURSTEP_THREADS`
//! the threads (2).
#![expect(clippy::print_stdout, reason = "the share is printed below what criterion says")]

mod ceiling;

use ceiling::Ceiling;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fourstep_kernels::{
    Activation, Context, Isa, Pool, Values, ValuesMut,
    attention::{self, attention},
    norm::{GroupNorm, LayerNorm, group_norm, layer_norm},
    product::{Finish, Geometry, Layout, Packed, Padding, Precision, conv2d, linear},
};
use half::bf16;
use std::time::{Duration, Instant};

struct Bench<'a> {
    criterion: &'a mut Criterion,
    cx: Context<'a>,
    ceiling: Ceiling,
}

criterion_group! {
    name = kernels;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = all
}
criterion_main!(kernels);

fn all(criterion: &mut Criterion) {
    let isa = Isa::from_environment().expect("FOURSTEP_ISA names instructions of this machine");
    let threads = std::env::var("FOURSTEP_THREADS").ok().and_then(|t| t.parse().ok()).unwrap_or(2);
    let pool = Pool::new(threads, || ());
    let cx = Context { isa, pool: &pool, cancelled: &|| false };
    let ceiling = Ceiling::measure(cx);
    println!("{isa}, {threads} threads, at most {ceiling}");
    let mut bench = Bench { criterion, cx, ceiling };
    for precision in [Precision::F32, Precision::Bf16, Precision::Int8] {
        bench.linears(precision);
        bench.convolutions(precision);
    }
    bench.attentions();
    bench.norms();
}

impl Bench<'_> {
    fn linears(&mut self, precision: Precision) {
        for [m, n, k] in [[4096, 320, 320], [4096, 320, 1280], [1024, 640, 640], [256, 1280, 1280], [77, 768, 768]] {
            let (x, w) = (values(m * k), self.pack(precision, [n, k], Layout::Plain));
            let (mut out, cx) = (vec![bf16::ZERO; m * n], self.cx);
            self.run(&format!("linear {precision:?} {m}×{n}×{k}"), precision, m * n * k, || {
                let out = ValuesMut::Bf16(&mut out);
                linear(cx, Values::Bf16(&x), &w, &Finish::default(), out).expect("not cancelled");
            });
        }
    }

    fn convolutions(&mut self, precision: Precision) {
        for (c, n, side) in [(320, 320, 64), (640, 640, 32), (1280, 1280, 16), (1280, 1280, 8), (64, 64, 256)] {
            for (how, layout) in [("direct", Layout::Kernel { taps: 9 }), ("Winograd", Layout::Winograd)] {
                if precision == Precision::Int8 && layout == Layout::Winograd {
                    continue;
                }
                let (x, w) = (values(side * side * c), self.pack(precision, [n, 9 * c], layout));
                let (mut out, cx) = (vec![bf16::ZERO; side * side * n], self.cx);
                let geometry = same(c, side);
                let name = format!("convolution {precision:?} {how} {c}→{n} at {side}");
                self.run(&name, precision, side * side * n * c * 9, || {
                    let out = ValuesMut::Bf16(&mut out);
                    conv2d(cx, Values::Bf16(&x), &geometry, &w, &Finish::default(), out).expect("not cancelled");
                });
            }
        }
    }

    fn attentions(&mut self) {
        for (d, queries, keys) in [(40, 4096, 4096), (80, 1024, 1024), (160, 256, 256), (40, 4096, 77)] {
            let shape = attention::Shape { n: 1, heads: 8, d, queries, keys, causal: false };
            let [q, k] = [queries, keys].map(|tokens| values(tokens * 8 * d));
            let (mut out, cx) = (vec![bf16::ZERO; q.len()], self.cx);
            let work = 2 * 8 * d * queries * keys;
            self.run(&format!("attention Bf16 {d} {queries}×{keys}"), Precision::Bf16, work, || {
                let (k, out) = (Values::Bf16(&k), ValuesMut::Bf16(&mut out));
                attention(cx, Values::Bf16(&q), k, k, shape, out).expect("not cancelled");
            });
        }
    }

    /// As multiplications count values, of which there are no more than memory gives.
    fn norms(&mut self) {
        for (positions, c) in [(4096, 320), (1024, 640), (256, 1280)] {
            let x: Vec<f32> = values(positions * c).into_iter().map(f32::from).collect();
            let (scale, shift) = (vec![1.0; c], vec![0.0; c]);
            let (mut out, cx) = (vec![bf16::ZERO; x.len()], self.cx);
            let group = GroupNorm { scale: &scale, shift: &shift, groups: 32, eps: 1e-5 };
            let layer = LayerNorm { scale: &scale, shift: &shift, eps: 1e-5 };
            self.time(&format!("group norm, SiLU {positions}×{c}"), x.len(), || {
                let out = ValuesMut::Bf16(&mut out);
                group_norm(cx, Values::F32(&x), 1, group, Some(Activation::Silu), out).expect("not cancelled");
            });
            self.time(&format!("layer norm {positions}×{c}"), x.len(), || {
                layer_norm(cx, Values::F32(&x), layer, ValuesMut::Bf16(&mut out)).expect("not cancelled");
            });
        }
    }

    fn pack(&self, precision: Precision, shape: [usize; 2], layout: Layout) -> Packed {
        Packed::new(self.cx, precision, shape, layout, &|_, _, out| out.fill(0.01), None, None).expect("memory")
    }

    /// Criterion's "elements" are floating-point operations, two for each multiplication of the direct algorithm.
    fn run(&mut self, name: &str, precision: Precision, multiplications: usize, f: impl FnMut()) {
        if let Some(secs) = self.time(name, 2 * multiplications, f) {
            let speed = 2.0 * multiplications as f64 / secs;
            println!(
                "{name}: {:.0} GFLOP/s, {:.0} % of the most",
                speed / 1e9,
                100.0 * speed / self.ceiling.of(precision)
            );
        }
    }

    /// Seconds of one call, `None` where it was not measured.
    fn time(&mut self, name: &str, elements: usize, mut f: impl FnMut()) -> Option<f64> {
        let mut last = None;
        let mut group = self.criterion.benchmark_group("SD1.5");
        group.throughput(Throughput::Elements(elements as u64));
        group.bench_function(name, |b| {
            b.iter_custom(|calls| {
                let start = Instant::now();
                (0..calls).for_each(|_| f());
                let spent = start.elapsed();
                last = Some(spent.as_secs_f64() / calls as f64);
                spent
            });
        });
        group.finish();
        last
    }
}

fn values(len: usize) -> Vec<bf16> {
    (0..len).map(|i| bf16::from_f32((i * 7919 % 1000) as f32 / 500.0 - 1.0)).collect()
}

/// 3×3 px whose output is as large as the input.
fn same(c: usize, side: usize) -> Geometry {
    let (size, padding) = ([side; 2], Padding { top: 1, left: 1 });
    Geometry { n: 1, c, input: size, resized: size, kernel: [3; 2], stride: 1, padding, output: size }
}
