//! How fast norms and what moves values are, beside a plain copy of as many bytes: `norm_speed [THREADS] [FILTER]`.
//!
//! Shapes are those of Stable Diffusion 1.5 at 512 × 512 px; formats those of bf16 precision. Bytes are those that must
//! be read and written: a group norm reads its input twice.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use fourstep_kernels::{
    Activation, Cancelled, Context, Isa, Pool, Values, ValuesMut, elementwise,
    norm::{self, GroupNorm, LayerNorm},
};
use half::bf16;
use std::{
    ops::{Deref, DerefMut},
    time::{Duration, Instant},
};

/// How long each is repeated.
const PATIENCE: Duration = Duration::from_millis(300);

/// A buffer that can be either.
struct Both {
    f32: Aligned<f32>,
    bf16: Aligned<bf16>,
}

/// Values that begin at a cache line, as a backend's should.
struct Aligned<T> {
    memory: Vec<T>,
    skip: usize,
}

impl<T: Copy + Default> Aligned<T> {
    fn new(values: impl ExactSizeIterator<Item = T>) -> Self {
        const LINE: usize = 64;
        let mut memory = Vec::<T>::with_capacity(values.len() + LINE);
        let skip = memory.as_ptr().align_offset(LINE);
        memory.resize(skip, T::default());
        memory.extend(values);
        Self { memory, skip }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.skip..]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.skip..]
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Format {
    F32,
    Bf16,
}

impl Format {
    fn bytes(self) -> usize {
        if self == Self::F32 { 4 } else { 2 }
    }
}

impl Both {
    fn new(len: usize) -> Self {
        let value = |i: usize| ((i * 7919 % 1009) as f32 / 500.0 - 1.0) * 3.0;
        let bf16 = Aligned::new((0..len).map(|i| bf16::from_f32(value(i))));
        Self { f32: Aligned::new((0..len).map(value)), bf16 }
    }

    fn values(&self, format: Format, len: usize) -> Values<'_> {
        match format {
            Format::F32 => Values::F32(&self.f32[..len]),
            Format::Bf16 => Values::Bf16(&self.bf16[..len]),
        }
    }

    fn values_mut(&mut self, format: Format, len: usize) -> ValuesMut<'_> {
        match format {
            Format::F32 => ValuesMut::F32(&mut self.f32[..len]),
            Format::Bf16 => ValuesMut::Bf16(&mut self.bf16[..len]),
        }
    }
}

struct Bench<'a> {
    cx: Context<'a>,
    x: Both,
    y: Both,
    out: Both,
    filter: String,
}

/// The quickest of many of each, in turns: what disturbs one disturbs the other.
fn quickest(
    out: &mut Both,
    mut a: impl FnMut(&mut Both) -> Result<(), Cancelled>,
    mut b: impl FnMut(&mut Both) -> Result<(), Cancelled>,
) -> (f64, f64) {
    let (begin, mut best) = (Instant::now(), (f64::MAX, f64::MAX));
    let mut time = |f: &mut dyn FnMut(&mut Both) -> Result<(), Cancelled>| {
        let one = Instant::now();
        f(out).expect("nobody cancels");
        one.elapsed().as_secs_f64()
    };
    while begin.elapsed() < PATIENCE {
        best = (best.0.min(time(&mut a)), best.1.min(time(&mut b)));
    }
    best
}

impl Bench<'_> {
    /// Of something that reads and writes so many bytes.
    fn row(
        &mut self,
        name: &str,
        bytes: usize,
        f: impl Fn(Context<'_>, &Both, &Both, &mut Both) -> Result<(), Cancelled>,
    ) {
        if !name.contains(&self.filter) {
            return;
        }
        let Self { cx, x, y, out, .. } = self;
        let cx = *cx;
        let (time, copy) = quickest(
            out,
            |out| f(cx, x, y, out),
            |out| {
                let (from, to) = (&x.f32[..bytes / 8], &mut out.f32[..bytes / 8]);
                cx.run_parts(to, 1 << 14, |i, to| to.copy_from_slice(&from[i << 14..][..to.len()]))
            },
        );
        let [rate, copy_rate] = [time, copy].map(|secs| bytes as f64 / secs / 1e9);
        println!(
            "{name:48} {:8.1} µs {rate:6.0} GB/s   copy {:8.1} µs {copy_rate:6.0} GB/s   {:5.2}",
            time * 1e6,
            copy * 1e6,
            time / copy
        );
    }

    fn group_norm(&mut self, positions: usize, c: usize, activation: Option<Activation>, [from, to]: [Format; 2]) {
        let (len, parameters) = (positions * c, vec![0.5; c]);
        let name = format!("group_norm {positions}×{c} {from:?} → {to:?} {}", activation.map_or("alone", |_| "SiLU"));
        self.row(&name, len * (2 * from.bytes() + to.bytes()), |cx, x, _, out| {
            let w = GroupNorm { scale: &parameters, shift: &parameters, groups: 32, eps: 1e-5 };
            norm::group_norm(cx, x.values(from, len), 1, w, activation, out.values_mut(to, len))
        });
    }

    fn norms(&mut self) {
        use Format::{Bf16, F32};
        let silu = Some(Activation::Silu);
        for (positions, c) in [(4096, 320), (4096, 960), (1024, 640), (256, 1280), (64, 1280), (64, 2560)] {
            self.group_norm(positions, c, silu, [F32, Bf16]);
        }
        self.group_norm(4096, 320, None, [F32, Bf16]);
        self.group_norm(4096, 320, silu, [F32, F32]);
        self.group_norm(4096, 320, None, [F32, F32]);
        self.group_norm(4096, 320, silu, [Bf16, Bf16]);
        self.group_norm(262_144, 128, silu, [F32, Bf16]);
        for (rows, c) in [(4096, 320), (1024, 640), (256, 1280), (64, 1280), (77, 768)] {
            let (len, parameters) = (rows * c, vec![0.5; c]);
            for (from, to) in [(F32, Bf16), (F32, F32)] {
                let name = format!("layer_norm {rows}×{c} {from:?} → {to:?}");
                self.row(&name, len * (from.bytes() + to.bytes()), |cx, x, _, out| {
                    let w = LayerNorm { scale: &parameters, shift: &parameters, eps: 1e-5 };
                    norm::layer_norm(cx, x.values(from, len), w, out.values_mut(to, len))
                });
            }
        }
    }

    fn values(&mut self) {
        use Format::{Bf16, F32};
        let len = 4096 * 320;
        for activation in [Activation::Silu, Activation::Gelu, Activation::Relu] {
            for (from, to) in [(F32, F32), (Bf16, Bf16)] {
                let name = format!("activate {activation:?} 4096×320 {from:?} → {to:?}");
                self.row(&name, len * (from.bytes() + to.bytes()), |cx, x, _, out| {
                    elementwise::activate(cx, x.values(from, len), activation, out.values_mut(to, len))
                });
            }
        }
        for [a, b, to] in [[F32, F32, F32], [F32, Bf16, F32], [Bf16, Bf16, Bf16]] {
            let name = format!("add 4096×320 {a:?} + {b:?} → {to:?}");
            self.row(&name, len * (a.bytes() + b.bytes() + to.bytes()), |cx, x, y, out| {
                elementwise::add(cx, x.values(a, len), y.values(b, len), out.values_mut(to, len))
            });
        }
        for (from, to) in [(F32, Bf16), (Bf16, F32), (F32, F32)] {
            self.row(
                &format!("convert 4096×320 {from:?} → {to:?}"),
                len * (from.bytes() + to.bytes()),
                |cx, x, _, out| elementwise::convert(cx, x.values(from, len), out.values_mut(to, len)),
            );
        }
    }

    fn moves(&mut self) {
        use Format::{Bf16, F32};
        for (rows, c) in [(4096, [640, 320]), (1024, [1280, 640]), (64, [1280, 1280])] {
            for [a, b, to] in [[F32; 3], [Bf16; 3], [F32, F32, Bf16]] {
                let (la, lb) = (rows * c[0], rows * c[1]);
                let bytes = la * (a.bytes() + to.bytes()) + lb * (b.bytes() + to.bytes());
                self.row(&format!("concat {rows}×{c:?} {a:?} → {to:?}"), bytes, |cx, x, y, out| {
                    elementwise::concat(cx, x.values(a, la), y.values(b, lb), c, out.values_mut(to, la + lb))
                });
            }
        }
        for (side, c) in [(32, 640), (16, 1280), (256, 64)] {
            for format in [F32, Bf16] {
                let (from, to) = (side * side * c, 4 * side * side * c);
                self.row(
                    &format!("upsample {side}²×{c} {format:?}"),
                    (from + to) * format.bytes(),
                    |cx, x, _, out| {
                        let (x, out) = (x.values(format, from), out.values_mut(format, to));
                        elementwise::upsample_nearest(cx, x, [1, side, side, c], [2 * side; 2], out)
                    },
                );
            }
        }
        for (side, c) in [(512, 3), (64, 4), (64, 320)] {
            let len = side * side * c;
            self.row(&format!("to_channels_last {side}²×{c} F32"), 8 * len, |cx, x, _, out| {
                elementwise::to_channels_last(cx, &x.f32[..len], [1, c, side, side], out.values_mut(F32, len))
            });
            self.row(&format!("to_channels_first {side}²×{c} F32"), 8 * len, |cx, x, _, out| {
                elementwise::to_channels_first(cx, x.values(F32, len), [1, side, side, c], &mut out.f32[..len])
            });
        }
        let ids: Vec<u32> = (0..77).map(|i| i * 131 % 2000).collect();
        self.row("gather_rows 77×768 F32 → F32", 77 * 768 * 8, |cx, x, _, out| {
            elementwise::gather_rows(cx, x.values(F32, 2000 * 768), 768, &ids, out.values_mut(F32, 77 * 768))
        });
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().and_then(|threads| threads.parse().ok()).unwrap_or(2);
    let pool = Pool::new(threads, || ());
    let isa = Isa::from_environment().expect("an instruction set that there is");
    let cx = Context { isa, pool: &pool, cancelled: &|| false };
    println!("{isa}, {threads} threads");
    let len = 262_144 * 160;
    let filter = arguments.next().unwrap_or_default();
    let mut bench = Bench { cx, x: Both::new(len), y: Both::new(len / 8), out: Both::new(len), filter };
    bench.norms();
    bench.values();
    bench.moves();
}
