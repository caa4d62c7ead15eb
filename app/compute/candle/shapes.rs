use crate::{ComputeError, Result};
use candle_core::Tensor;

/// How pictures lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureLayout {
    /// `[n, h, w, c]`: a convolution is a gather and a product, a picture is tokens as it stands.
    ChannelsLast,
    /// `[n, c, h, w]`: what candle's own operations want.
    ChannelsFirst,
}

/// Logical shape of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) n: usize,
    pub(super) h: usize,
    pub(super) w: usize,
    pub(super) c: usize,
}

impl Picture {
    /// The dimensions as they lie in memory.
    pub(super) fn dims(self, layout: PictureLayout) -> [usize; 4] {
        match layout {
            PictureLayout::ChannelsLast => [self.n, self.h, self.w, self.c],
            PictureLayout::ChannelsFirst => [self.n, self.c, self.h, self.w],
        }
    }
}

/// Logical shape of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) n: usize,
    pub(super) l: usize,
    pub(super) c: usize,
}

/// The shape of a picture, or that it is none.
pub(super) fn picture(x: &Tensor, layout: PictureLayout, what: &str) -> Result<Picture> {
    match (x.dims(), layout) {
        (&[n, h, w, c], PictureLayout::ChannelsLast) | (&[n, c, h, w], PictureLayout::ChannelsFirst) => {
            Ok(Picture { n, h, w, c })
        }
        (dims, _) => Err(misfit(what, "a picture", &dims)),
    }
}

/// The shape of tokens, or that they are none.
pub(super) fn tokens(x: &Tensor, what: &str) -> Result<Tokens> {
    match *x.dims() {
        [n, l, c] => Ok(Tokens { n, l, c }),
        ref dims => Err(misfit(what, "tokens", &dims)),
    }
}

/// Ends with [`ComputeError::Shape`] unless the two are equal.
pub(super) fn expect<T: Copy + PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<()> {
    if found == expected { Ok(()) } else { Err(misfit(what, &format!("{expected:?}"), &found)) }
}

/// Ends with [`ComputeError::Shape`] where `values` does not hold `shape` or is empty, so that no operation meets a
/// side of no length.
pub(super) fn expect_len(what: &str, values: usize, shape: &[usize]) -> Result<()> {
    match shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)) {
        Some(n) if n == values && n > 0 => Ok(()),
        _ => Err(misfit(what, &format!("{shape:?}"), &format!("{values} values"))),
    }
}

/// A [`ComputeError::Shape`].
pub(super) fn misfit(what: &str, expected: &str, found: &impl std::fmt::Debug) -> ComputeError {
    ComputeError::Shape { what: what.into(), expected: expected.into(), found: format!("{found:?}") }
}
