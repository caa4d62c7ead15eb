//! How fast attention is, in GFLOP/s, at the sizes that networks have.
//!
//! `attention_speed [f32 GFLOP/s] [bf16 GFLOP/s] [part of a line]`: what one thread could do at most, for the share of
//! that, and which sizes.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use fourstep_kernels::{
    Context, Isa, Pool, Values, ValuesMut,
    attention::{Shape, attention},
};
use half::bf16;
use std::time::{Duration, Instant};

/// As heads, channels, queries, keys, causal.
const SHAPES: [(&str, [usize; 4], bool); 8] = [
    ("SD1.5 512 px level 0", [8, 40, 4096, 4096], false),
    ("SD1.5 512 px level 1", [8, 80, 1024, 1024], false),
    ("SD1.5 512 px level 2", [8, 160, 256, 256], false),
    ("SD1.5 512 px middle", [8, 160, 64, 64], false),
    ("SD1.5 level 0, text", [8, 40, 4096, 77], false),
    ("SDXL 512 px level 1", [10, 64, 1024, 1024], false),
    ("text encoder", [12, 64, 77, 77], true),
    ("autoencoder 512 px", [1, 512, 4096, 4096], false),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let peaks: [Option<f64>; 2] = std::array::from_fn(|_| arguments.next()?.parse().ok());
    let part = arguments.next().unwrap_or_default();
    let isa = Isa::from_environment().expect("an instruction set that there is");
    println!("{isa}");
    for threads in [1, 2] {
        let pool = Pool::new(threads, || ());
        let cx = Context { isa, pool: &pool, cancelled: &|| false };
        for (name, sizes, causal) in SHAPES {
            let [heads, d, queries, keys] = sizes;
            let shape = Shape { n: 1, heads, d, queries, keys, causal };
            for (format, peak) in ["f32", "bf16"].into_iter().zip(peaks) {
                let label = format!("{threads} × {format:4} {name:21}");
                if !label.contains(&part) {
                    continue;
                }
                let time = measure(cx, shape, format == "bf16").as_secs_f64();
                let flops = 4.0 * (heads * d * queries * keys) as f64 * if causal { 0.5 } else { 1.0 };
                let speed = flops / time * 1e-9;
                let share =
                    peak.map_or(String::new(), |peak| format!(" {:3.0} %", 100.0 * speed / peak / threads as f64));
                println!("{label} {:8.3} ms {speed:6.1} GFLOP/s{share}", time * 1e3);
            }
        }
    }
}

/// The least time of a few.
fn measure(cx: Context<'_>, shape: Shape, narrow: bool) -> Duration {
    let Shape { n, heads, d, queries, keys, .. } = shape;
    let random = |tokens: usize, mut seed: u64| -> Vec<f32> {
        let next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f32 / (1 << 22) as f32 - 2.0
        };
        std::iter::repeat_with(next).take(n * tokens * heads * d).collect()
    };
    let wide = [random(queries, 1), random(keys, 2), random(keys, 3)];
    let halves = wide.each_ref().map(|v| v.iter().map(|v| bf16::from_f32(*v)).collect::<Vec<_>>());
    let [q, k, v] = std::array::from_fn(|i| if narrow { Values::Bf16(&halves[i]) } else { Values::F32(&wide[i]) });
    let (mut out, mut half_out) = (vec![0.0; wide[0].len()], vec![bf16::ZERO; wide[0].len()]);
    let begin = Instant::now();
    let mut least = Duration::MAX;
    let mut runs = 0;
    while runs < 3 || begin.elapsed() < Duration::from_millis(200) {
        let out = if narrow { ValuesMut::Bf16(&mut half_out) } else { ValuesMut::F32(&mut out) };
        let begin = Instant::now();
        attention(cx, q, k, v, shape, out).expect("not cancelled");
        least = least.min(begin.elapsed());
        runs += 1;
    }
    least
}
