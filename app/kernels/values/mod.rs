#[cfg(target_arch = "x86_64")]
mod x86;

use crate::{Isa, dispatch};
use half::bf16;
use pulp::{
    Simd, WithSimd,
    bytemuck::{self, Pod},
};

/// Numbers that a kernel reads.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// 4 bytes each.
    F32(&'a [f32]),
    /// 2 bytes each.
    Bf16(&'a [bf16]),
}

/// Numbers that a kernel writes.
#[derive(Debug)]
pub enum ValuesMut<'a> {
    /// 4 bytes each.
    F32(&'a mut [f32]),
    /// 2 bytes each, rounded to nearest even.
    Bf16(&'a mut [bf16]),
}

impl Values<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ValuesMut<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `$body`, compiled for each format of the [`Values`] and [`ValuesMut`] before it, whose names are slices there.
macro_rules! with_slices {
    ($name:ident: $kind:ident $(, $names:ident: $kinds:ident)* => $body:expr) => {
        match $name {
            $crate::$kind::F32($name) => $crate::values::with_slices!($($names: $kinds),* => $body),
            $crate::$kind::Bf16($name) => $crate::values::with_slices!($($names: $kinds),* => $body),
        }
    };
    (=> $body:expr) => { $body };
}

pub(crate) use with_slices;

/// Values that pass through f32 together, staying in the first cache.
pub(crate) const STAGE: usize = 2560;

/// Memory of a stage. It begins at a cache line: vectors that straddle two cost twice.
#[repr(align(64))]
pub(crate) struct Stage([f32; STAGE]);

impl Stage {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self([0.0; STAGE])
    }
}

/// A number that lies in memory in some format and is computed with in f32.
pub(crate) trait Number: Pod + Send + Sync + Default {
    fn widen(self) -> f32;
    fn narrow(value: f32) -> Self;

    /// The bits of its magnitude in f32: as numbers they have the same order, and what is no number is above all.
    fn magnitude(self) -> u32;

    /// At most a stage of values in f32: where they lie, or on the stage.
    fn widened<'a>(values: &'a [Self], stage: &'a mut Stage) -> &'a [f32];

    /// Where to compute a stage of values in f32: where they belong, or on the stage.
    fn room<'a>(out: &'a mut [Self], stage: &'a mut Stage) -> &'a mut [f32];

    /// Brings them from the stage to where they belong.
    fn settle(isa: Isa, out: &mut [Self], stage: &Stage);
}

impl Number for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    fn narrow(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn magnitude(self) -> u32 {
        self.to_bits() & (u32::MAX >> 1)
    }

    #[inline(always)]
    fn widened<'a>(values: &'a [Self], _: &'a mut Stage) -> &'a [f32] {
        values
    }

    #[inline(always)]
    fn room<'a>(out: &'a mut [Self], _: &'a mut Stage) -> &'a mut [f32] {
        out
    }

    #[inline(always)]
    fn settle(_: Isa, _: &mut [Self], _: &Stage) {}
}

impl Number for bf16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    /// To nearest even, without a branch, so that loops over it become vector code. Of what is no number a bit is set
    /// that rounding cannot carry away.
    #[inline(always)]
    fn narrow(value: f32) -> Self {
        let bits = value.to_bits();
        let rounded = bits.wrapping_add(0x7FFF + ((bits >> 16) & 1));
        let bits = if value.is_nan() { bits | 0x0040_0000 } else { rounded };
        Self::from_bits((bits >> 16) as u16)
    }

    #[inline(always)]
    fn magnitude(self) -> u32 {
        u32::from(self.to_bits() & (u16::MAX >> 1)) << 16
    }

    #[inline(always)]
    fn widened<'a>(values: &'a [Self], stage: &'a mut Stage) -> &'a [f32] {
        let stage = &mut stage.0[..values.len()];
        for (wide, v) in stage.iter_mut().zip(values) {
            *wide = v.widen();
        }
        stage
    }

    #[inline(always)]
    fn room<'a>(out: &'a mut [Self], stage: &'a mut Stage) -> &'a mut [f32] {
        &mut stage.0[..out.len()]
    }

    #[inline(always)]
    fn settle(isa: Isa, out: &mut [Self], stage: &Stage) {
        narrow(isa, &stage.0[..out.len()], out);
    }
}

/// The same numbers in another format, or copied.
pub(crate) fn convert<X: Number, O: Number>(isa: Isa, x: &[X], out: &mut [O]) {
    if size_of::<X>() == size_of::<O>() {
        out.copy_from_slice(bytemuck::cast_slice(x));
    } else {
        dispatch(isa, Convert { isa, x, out });
    }
}

/// Of different formats.
struct Convert<'a, X, O> {
    isa: Isa,
    x: &'a [X],
    out: &'a mut [O],
}

impl<X: Number, O: Number> WithSimd for Convert<'_, X, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { isa, x, out } = self;
        if size_of::<X>() > size_of::<O>() {
            narrow(isa, bytemuck::cast_slice(x), bytemuck::cast_slice_mut(out));
        } else {
            for (out, v) in out.iter_mut().zip(x) {
                *out = O::narrow(v.widen());
            }
        }
    }
}

/// As [`bf16::narrow`], by one instruction where there is one: a quarter of the time.
#[inline(always)]
fn narrow(isa: Isa, values: &[f32], out: &mut [bf16]) {
    if isa.has_bf16() {
        #[cfg(target_arch = "x86_64")]
        return x86::narrow(values, out);
    }
    for (out, v) in out.iter_mut().zip(values) {
        *out = bf16::narrow(*v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_rounds_as_half_does() {
        for bits in (0..u32::MAX).step_by(7919) {
            let value = f32::from_bits(bits);
            let (found, expected) = (bf16::narrow(value), bf16::from_f32(value));
            assert!(found.to_bits() == expected.to_bits() || value.is_nan() && found.is_nan(), "{value:e}");
        }
    }

    #[test]
    fn slices_are_narrowed_as_values_are() {
        let values: Vec<f32> = (0..u32::MAX).step_by(1_299_709).map(f32::from_bits).collect();
        for isa in Isa::available() {
            for len in (0..70).chain([values.len()]) {
                let mut out = vec![bf16::ONE; len + 1];
                convert(isa, &values[..len], &mut out[..len]);
                for (value, found) in values.iter().zip(&out[..len]) {
                    let expected = bf16::narrow(*value);
                    let same = found.to_bits() == expected.to_bits()
                        || value.is_nan() && found.is_nan()
                        || value.is_subnormal() && found.to_f32().abs() <= f32::MIN_POSITIVE;
                    assert!(same, "{isa}: {value:e} became {found}, not {expected}");
                }
                assert_eq!(out[len], bf16::ONE, "{isa} writes behind the end");
            }
        }
    }
}
