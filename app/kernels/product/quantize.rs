use crate::{Cancelled, Context, Disjoint, Values, dispatch, values::Number};
use pulp::{Simd, WithSimd};
use std::{cell::Cell, ops::Range};

/// Values that one task looks at.
const GRAIN: usize = 1 << 14;

thread_local! {
    /// Of the operation before, for the next one.
    static MEMORY: Cell<Memory> = const { Cell::new(Memory { bytes: Vec::new(), scales: Vec::new(), tops: Vec::new() }) };
}

#[derive(Default)]
struct Memory {
    bytes: Vec<u8>,
    scales: Vec<f32>,
    /// The largest magnitude of each unit.
    tops: Vec<f32>,
}

/// `then` with the values as bytes, 128 more than multiples of a scale, and the scales: one for each `shared` values.
pub(super) fn with_bytes<R>(
    cx: Context<'_>,
    x: Values<'_>,
    shared: usize,
    then: impl FnOnce(&[u8], &[f32]) -> Result<R, Cancelled>,
) -> Result<R, Cancelled> {
    let mut memory = MEMORY.take();
    let done = match x {
        Values::F32(x) => quantize(cx, x, shared, &mut memory),
        Values::Bf16(x) => quantize(cx, x, shared, &mut memory),
    };
    let result = done.and_then(|()| then(&memory.bytes[..x.len()], &memory.scales));
    MEMORY.set(memory);
    result
}

fn quantize<T: Number>(cx: Context<'_>, x: &[T], shared: usize, memory: &mut Memory) -> Result<(), Cancelled> {
    let units = Units::new(x.len(), shared);
    let Memory { bytes, scales, tops } = memory;
    if bytes.len() < x.len() {
        bytes.resize(x.len(), 0);
    }
    let bytes = Disjoint::new(&mut bytes[..x.len()]);
    let write = |unit: usize, scale: f32| {
        let range = units.range(unit);
        // SAFETY: units do not overlap, and each belongs to one task.
        #[expect(unsafe_code, reason = "see above")]
        let out = unsafe { bytes.part(range.clone()) };
        dispatch(cx.isa, Quantize { x: &x[range], inverse: 1.0 / scale, out });
    };
    let top = |unit: usize| f32::from_bits(dispatch(cx.isa, Top(&x[units.range(unit)])));
    scales.resize(units.count() / units.pieces, 0.0);
    if units.pieces == 1 {
        // What was read for its scale is still near.
        return cx.run_parts(scales, units.per_task, |task, scales| {
            for (i, one) in scales.iter_mut().enumerate() {
                let unit = task * units.per_task + i;
                *one = scale(top(unit));
                write(unit, *one);
            }
        });
    }
    tops.resize(units.count(), 0.0);
    cx.run_parts(tops, 1, |unit, to| to[0] = top(unit))?;
    for (one, tops) in scales.iter_mut().zip(tops.chunks(units.pieces)) {
        *one = scale(tops.iter().copied().fold(0.0, larger));
    }
    cx.run(units.count(), |unit| write(unit, scales[unit / units.pieces]))
}

/// Values that share a scale, cut into pieces where they are many.
struct Units {
    len: usize,
    shared: usize,
    pieces: usize,
    per_task: usize,
}

impl Units {
    fn new(len: usize, shared: usize) -> Self {
        let shared = shared.max(1);
        Self { len, shared, pieces: shared.div_ceil(GRAIN), per_task: (GRAIN / shared).max(1) }
    }

    fn count(&self) -> usize {
        self.len.div_ceil(self.shared) * self.pieces
    }

    fn range(&self, unit: usize) -> Range<usize> {
        let (first, piece) = (unit / self.pieces * self.shared, unit % self.pieces);
        first + piece * GRAIN..self.len.min(first + self.shared.min((piece + 1) * GRAIN))
    }
}

/// Of no value but zero, any scale will do. What is no number makes the scale none, so that it stays visible.
fn scale(top: f32) -> f32 {
    if top == 0.0 { 1.0 } else { top / 127.0 }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b || a.is_nan() { a } else { b }
}

/// The largest magnitude, as bits: comparing numbers that may be none is no vector code.
struct Top<'a, T>(&'a [T]);

impl<T: Number> WithSimd for Top<'_, T> {
    type Output = u32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> u32 {
        self.0.iter().fold(0, |top, v| top.max(v.magnitude()))
    }
}

struct Quantize<'a, T> {
    x: &'a [T],
    inverse: f32,
    out: &'a mut [u8],
}

impl<T: Number> WithSimd for Quantize<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        /// Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
        const ROUND: f32 = 12_582_912.0;
        for (out, v) in self.out.iter_mut().zip(self.x) {
            *out = (v.widen() * self.inverse + (ROUND + 128.0)).to_bits() as u8;
        }
    }
}
