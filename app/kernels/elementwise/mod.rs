//! What is done to each value, or moves it, and nothing else.

mod rearrange;
#[cfg(test)]
mod tests;

pub use rearrange::{concat, gather_rows, to_channels_first, to_channels_last, upsample_nearest};

use crate::{
    Activation, Cancelled, Context, Isa, Values, ValuesMut, dispatch, math,
    values::{self, Number, STAGE, Stage, with_slices},
};
use pulp::{Simd, WithSimd};

/// Values of a task: less work would cost less than telling another thread of it.
pub(crate) const PART: usize = 1 << 14;

/// `activation(x)`.
///
/// # Errors
/// [`Cancelled`].
pub fn activate(cx: Context<'_>, x: Values<'_>, activation: Activation, out: ValuesMut<'_>) -> Result<(), Cancelled> {
    assert_eq!(x.len(), out.len(), "the output has the input's shape");
    with_slices!(x: Values, out: ValuesMut => {
        let part = |i: usize, out: &mut [_]| {
            let x = &x[i * PART..][..out.len()];
            dispatch(cx.isa, Activate { isa: cx.isa, x, activation, out });
        };
        cx.run_parts(out, PART, part)
    })
}

/// `x + y`.
///
/// # Errors
/// [`Cancelled`].
pub fn add(cx: Context<'_>, x: Values<'_>, y: Values<'_>, out: ValuesMut<'_>) -> Result<(), Cancelled> {
    assert!(x.len() == out.len() && y.len() == out.len(), "the output has the inputs' shape");
    with_slices!(x: Values, y: Values, out: ValuesMut => {
        let part = |i: usize, out: &mut [_]| {
            let (x, y) = (&x[i * PART..][..out.len()], &y[i * PART..][..out.len()]);
            dispatch(cx.isa, Add { isa: cx.isa, x, y, out });
        };
        cx.run_parts(out, PART, part)
    })
}

/// The same values in the format of `out`.
///
/// # Errors
/// [`Cancelled`].
pub fn convert(cx: Context<'_>, x: Values<'_>, out: ValuesMut<'_>) -> Result<(), Cancelled> {
    assert_eq!(x.len(), out.len(), "the output has the input's shape");
    with_slices!(x: Values, out: ValuesMut => {
        cx.run_parts(out, PART, |i, out| values::convert(cx.isa, &x[i * PART..][..out.len()], out))
    })
}

struct Activate<'a, X, O> {
    isa: Isa,
    x: &'a [X],
    activation: Activation,
    out: &'a mut [O],
}

impl<X: Number, O: Number> WithSimd for Activate<'_, X, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [wide, narrow] = &mut [Stage::new(); 2];
        for (x, out) in self.x.chunks(STAGE).zip(self.out.chunks_mut(STAGE)) {
            math::compute(simd, &self.activation, [X::widened(x, wide)], O::room(out, narrow));
            O::settle(self.isa, out, narrow);
        }
    }
}

struct Add<'a, X, Y, O> {
    isa: Isa,
    x: &'a [X],
    y: &'a [Y],
    out: &'a mut [O],
}

impl<X: Number, Y: Number, O: Number> WithSimd for Add<'_, X, Y, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let stage = &mut Stage::new();
        let (x, y) = (self.x.chunks(STAGE), self.y.chunks(STAGE));
        for ((x, y), out) in x.zip(y).zip(self.out.chunks_mut(STAGE)) {
            for ((out, x), y) in O::room(out, stage).iter_mut().zip(x).zip(y) {
                *out = x.widen() + y.widen();
            }
            O::settle(self.isa, out, stage);
        }
    }
}
