//! What the processor can do at most: multiplications of registers, nothing read or written.

use fourstep_kernels::{Context, product::Precision};
use std::{fmt, time::Instant};

/// Operations a second, all threads together, two for each multiplication.
pub(crate) struct Ceiling {
    f32: f64,
    bf16: f64,
    int8: f64,
}

/// Rounds of a loop.
const ROUNDS: usize = 4_000_000;
/// Sums of a loop: enough that none waits for the one before.
const SUMS: usize = 24;

impl Ceiling {
    pub(crate) fn measure(cx: Context<'_>) -> Self {
        let f32 = speed(cx, Precision::F32);
        let or_f32 = |speed: f64| if speed > 0.0 { speed } else { f32 };
        Self { f32, bf16: or_f32(speed(cx, Precision::Bf16)), int8: or_f32(speed(cx, Precision::Int8)) }
    }

    pub(crate) fn of(&self, precision: Precision) -> f64 {
        match precision {
            Precision::F32 => self.f32,
            Precision::Bf16 => self.bf16,
            Precision::Int8 => self.int8,
        }
    }
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = [self.f32, self.bf16, self.int8].map(|speed| speed / 1e9);
        write!(f, "{a:.0} GFLOP/s in f32, {b:.0} in bf16, {c:.0} GOP/s in int8")
    }
}

/// 0 where these instructions have none of their own.
fn speed(cx: Context<'_>, precision: Precision) -> f64 {
    let threads = cx.pool.threads();
    let best = (0..3).map(|_| {
        let start = Instant::now();
        let work = std::sync::atomic::AtomicUsize::new(0);
        cx.pool.run(threads, &|_| {
            work.fetch_add(spin(cx, precision), std::sync::atomic::Ordering::Relaxed);
        });
        2.0 * work.into_inner() as f64 / start.elapsed().as_secs_f64()
    });
    best.fold(0.0, f64::max)
}

/// How many multiplications it did.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "instructions that are checked at run time")]
fn spin(cx: Context<'_>, precision: Precision) -> usize {
    use fourstep_kernels::Isa;
    // SAFETY: an `Isa` is one that the machine has.
    unsafe {
        match (cx.isa, precision) {
            (Isa::Avx512Bf16, Precision::Bf16) => x86::bf16_512(),
            (Isa::Avx512Bf16 | Isa::Avx512Vnni, Precision::Int8) => x86::int8_512(),
            (Isa::AvxVnni, Precision::Int8) => x86::int8_256(),
            (Isa::Avx512 | Isa::Avx512Vnni | Isa::Avx512Bf16, Precision::F32) => x86::f32_512(),
            (Isa::Avx2 | Isa::AvxVnni, Precision::F32) => x86::f32_256(),
            (_, Precision::F32) => scalar(),
            _ => 0,
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn spin(_: Context<'_>, precision: Precision) -> usize {
    if precision == Precision::F32 { scalar() } else { 0 }
}

fn scalar() -> usize {
    let (x, y, mut sums) = (std::hint::black_box(1.000_001f32), std::hint::black_box(0.5f32), [0f32; SUMS]);
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum += x * y;
        }
        std::hint::black_box(&mut sums);
    }
    ROUNDS * SUMS
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "as above")]
mod x86 {
    use super::{ROUNDS, SUMS};
    use std::{arch::x86_64::*, hint::black_box};

    /// A loop over `$sums` registers, each step of which is `$step`.
    macro_rules! spin {
        ($name:ident, $features:literal, $sums:expr, $zero:expr, $operand:expr, $step:expr, $multiplications:expr) => {
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $name() -> usize {
                let mut sums = [$zero; $sums];
                let (x, y) = (black_box($operand), black_box($operand));
                for _ in 0..ROUNDS {
                    for sum in &mut sums {
                        *sum = $step(*sum, x, y);
                    }
                }
                black_box(sums);
                ROUNDS * $sums * $multiplications
            }
        };
    }

    spin!(f32_512, "avx512f", SUMS, _mm512_setzero_ps(), _mm512_set1_ps(0.5), |s, x, y| _mm512_fmadd_ps(x, y, s), 16);
    spin!(f32_256, "avx2,fma", 12, _mm256_setzero_ps(), _mm256_set1_ps(0.5), |s, x, y| _mm256_fmadd_ps(x, y, s), 8);
    spin!(
        bf16_512,
        "avx512f,avx512bf16",
        SUMS,
        _mm512_setzero_ps(),
        // SAFETY: the same 512 bits.
        unsafe { std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(0x3F00_3F00)) },
        |s, x, y| _mm512_dpbf16_ps(s, x, y),
        32
    );
    spin!(
        int8_512,
        "avx512f,avx512vnni",
        SUMS,
        _mm512_setzero_si512(),
        _mm512_set1_epi32(0x0101_0101),
        |s, x, y| _mm512_dpbusd_epi32(s, x, y),
        64
    );
    spin!(
        int8_256,
        "avx2,avxvnni",
        12,
        _mm256_setzero_si256(),
        _mm256_set1_epi32(0x0101_0101),
        |s, x, y| _mm256_dpbusd_avx_epi32(s, x, y),
        32
    );
}
