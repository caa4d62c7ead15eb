use crate::{Values, values::Number};
use half::bf16;
use pulp::bytemuck::Pod;
use std::ops::Range;

/// Zeros in front of a picture; what is behind it follows from the output's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Rows, px.
    pub top: usize,
    /// Columns, px.
    pub left: usize,
}

/// Where a convolution's kernel lies on its picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Samples.
    pub n: usize,
    /// Channels of the input.
    pub c: usize,
    /// Height and width of the input in memory, px.
    pub input: [usize; 2],
    /// Height and width it is read as, by PyTorch's `nearest` rule, px.
    pub resized: [usize; 2],
    /// Height and width of the kernel, px.
    pub kernel: [usize; 2],
    /// Both ways, px.
    pub stride: usize,
    /// Zeros around the resized input.
    pub padding: Padding,
    /// Height and width of the output, px.
    pub output: [usize; 2],
}

impl Geometry {
    /// Whether each output pixel depends on the input pixel at its own place alone.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == 1 && self.input == self.resized && self.output == self.input
    }

    /// Values under the kernel.
    pub(super) fn depth(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.c
    }
}

/// The left side of a product, whose rows are gathered a block at a time.
pub(super) enum Rows<'a> {
    Matrix(Matrix<'a>),
    Patches(Patches<'a>),
}

impl Rows<'_> {
    /// How many.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Matrix(rows) => rows.count,
            Self::Patches(Patches { geometry, .. }) => geometry.n * geometry.output[0] * geometry.output[1],
        }
    }

    /// All values and how many a row has, where a leaf can read them as they lie: in groups, as numbers that it
    /// multiplies, and not so far apart that the rows of a tile share a few places of the first cache.
    pub(super) fn in_place<T: Left>(&self, group: usize) -> Option<(&[T], usize)> {
        const CROWDED: usize = 2048;
        let Self::Matrix(Matrix { values, depth, .. }) = self else { return None };
        let values = T::slice(*values)?;
        (depth.is_multiple_of(group) && !(depth * size_of::<T>()).is_multiple_of(CROWDED)).then_some((values, *depth))
    }

    /// Writes values `depth` of rows `rows`, `stride` apart; what is behind the end of a row is zero.
    #[inline(always)]
    pub(super) fn gather<T: Left>(&self, rows: Range<usize>, depth: Range<usize>, out: &mut [T], stride: usize) {
        match self {
            Self::Matrix(matrix) => matrix.gather(rows, depth, out, stride),
            Self::Patches(patches) => patches.gather(rows, depth, out, stride),
        }
    }
}

/// Numbers a leaf multiplies.
pub(super) trait Left: Pod + Send + Sync {
    const ZERO: Self;
    fn copy(from: Source<'_>, range: Range<usize>, out: &mut [Self]);
    /// The source, where it is made of these.
    fn slice(from: Source<'_>) -> Option<&[Self]>;
    /// These, to gather from.
    fn source(values: &[Self]) -> Source<'_>;
    /// Rounds computed values.
    fn store(values: &[f32], out: &mut [Self]);
}

/// Numbers rows are made of.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    F32(&'a [f32]),
    Bf16(&'a [bf16]),
    /// Multiples of a scale, 128 more than they are.
    Bytes(&'a [u8]),
}

impl<'a> From<Values<'a>> for Source<'a> {
    fn from(values: Values<'a>) -> Self {
        match values {
            Values::F32(values) => Self::F32(values),
            Values::Bf16(values) => Self::Bf16(values),
        }
    }
}

impl Left for f32 {
    fn slice(from: Source<'_>) -> Option<&[Self]> {
        if let Source::F32(values) = from { Some(values) } else { None }
    }

    #[inline(always)]
    fn source(values: &[Self]) -> Source<'_> {
        Source::F32(values)
    }

    #[inline(always)]
    fn store(values: &[f32], out: &mut [Self]) {
        out.iter_mut().zip(values).for_each(|(out, v)| *out = Self::narrow(*v));
    }

    const ZERO: Self = 0.0;

    #[inline(always)]
    fn copy(from: Source<'_>, range: Range<usize>, out: &mut [Self]) {
        match from {
            Source::F32(from) => out.copy_from_slice(&from[range]),
            Source::Bf16(from) => out.iter_mut().zip(&from[range]).for_each(|(out, v)| *out = v.widen()),
            Source::Bytes(from) => out.iter_mut().zip(&from[range]).for_each(|(out, v)| *out = f32::from(*v) - 128.0),
        }
    }
}

impl Left for bf16 {
    fn slice(from: Source<'_>) -> Option<&[Self]> {
        if let Source::Bf16(values) = from { Some(values) } else { None }
    }

    #[inline(always)]
    fn source(values: &[Self]) -> Source<'_> {
        Source::Bf16(values)
    }

    #[inline(always)]
    fn store(values: &[f32], out: &mut [Self]) {
        out.iter_mut().zip(values).for_each(|(out, v)| *out = Self::narrow(*v));
    }

    const ZERO: Self = bf16::ZERO;

    #[inline(always)]
    fn copy(from: Source<'_>, range: Range<usize>, out: &mut [Self]) {
        match from {
            Source::F32(from) => out.iter_mut().zip(&from[range]).for_each(|(out, v)| *out = Self::narrow(*v)),
            Source::Bf16(from) => out.copy_from_slice(&from[range]),
            // Whole numbers below 256 are exact.
            Source::Bytes(from) => {
                out.iter_mut().zip(&from[range]).for_each(|(out, v)| *out = Self::narrow(f32::from(*v) - 128.0));
            }
        }
    }
}

impl Left for u8 {
    fn slice(from: Source<'_>) -> Option<&[Self]> {
        if let Source::Bytes(values) = from { Some(values) } else { None }
    }

    fn source(values: &[Self]) -> Source<'_> {
        Source::Bytes(values)
    }

    /// # Panics
    /// Always: see [`copy`](Self::copy).
    fn store(_: &[f32], _: &mut [Self]) {
        unreachable!("values that are computed have no scale")
    }

    const ZERO: Self = 128;

    /// # Panics
    /// Of anything but bytes: quantising needs a scale, which a row does not have here.
    #[inline(always)]
    fn copy(from: Source<'_>, range: Range<usize>, out: &mut [Self]) {
        match from {
            Source::Bytes(from) => out.copy_from_slice(&from[range]),
            _ => unreachable!("rows are quantised before they are gathered as bytes"),
        }
    }
}

/// Rows that lie in memory.
pub(super) struct Matrix<'a> {
    values: Source<'a>,
    depth: usize,
    count: usize,
}

impl<'a> Matrix<'a> {
    /// `depth` values each.
    pub(super) fn new(values: Source<'a>, depth: usize) -> Self {
        let len = match values {
            Source::F32(values) => values.len(),
            Source::Bf16(values) => values.len(),
            Source::Bytes(values) => values.len(),
        };
        Self { values, depth, count: len / depth.max(1) }
    }

    #[inline(always)]
    fn gather<T: Left>(&self, rows: Range<usize>, depth: Range<usize>, out: &mut [T], stride: usize) {
        let there = depth.start.min(self.depth)..depth.end.min(self.depth);
        for (row, out) in rows.zip(out.chunks_mut(stride)) {
            let (copied, rest) = out[..depth.len()].split_at_mut(there.len());
            T::copy(self.values, row * self.depth + there.start..row * self.depth + there.end, copied);
            rest.fill(T::ZERO);
        }
    }
}

/// Rows that are what lies under a kernel at each place of a picture: kernel rows, then columns, then channels.
pub(super) struct Patches<'a> {
    values: Source<'a>,
    geometry: &'a Geometry,
    /// Where in memory each row and column of the resized picture lies.
    from: [Vec<usize>; 2],
    resized: bool,
}

impl<'a> Patches<'a> {
    pub(super) fn new(values: Source<'a>, geometry: &'a Geometry) -> Self {
        let Geometry { input, resized, .. } = geometry;
        let nearest = |side: usize| (0..resized[side]).map(|i| i * input[side] / resized[side]).collect();
        Self { values, geometry, from: [nearest(0), nearest(1)], resized: input != resized }
    }

    /// Values `span` of one row of the kernel, which lies over picture row `y` from resized column `left` on; columns
    /// count from the padding.
    #[inline(always)]
    fn kernel_row<T: Left>(&self, y: usize, left: usize, span: Range<usize>, out: &mut [T]) {
        let Geometry { c, input, kernel, padding, resized, .. } = self.geometry;
        let at = |x: usize| (y * input[1] + x) * c;
        if !self.resized && left >= padding.left && left - padding.left + kernel[1] <= resized[1] {
            let first = at(left - padding.left);
            return T::copy(self.values, first + span.start..first + span.end, out);
        }
        let mut done = 0;
        for kx in span.start / c..span.end.div_ceil(*c) {
            let part = span.start.max(kx * c) - kx * c..span.end.min((kx + 1) * c) - kx * c;
            let out = &mut out[done..done + part.len()];
            done += part.len();
            match (left + kx).checked_sub(padding.left).and_then(|x| self.from[1].get(x)) {
                Some(x) => T::copy(self.values, at(*x) + part.start..at(*x) + part.end, out),
                None => out.fill(T::ZERO),
            }
        }
    }

    #[inline(always)]
    fn gather<T: Left>(&self, rows: Range<usize>, depth: Range<usize>, out: &mut [T], stride: usize) {
        let Geometry { c, input, kernel, padding, output: [h, w], stride: step, .. } = self.geometry;
        let row_len = kernel[1] * c;
        let end = depth.end.min(self.geometry.depth());
        for (row, out) in rows.zip(out.chunks_mut(stride)) {
            let (sample, oy, ox) = (row / (h * w), row / w % h, row % w);
            let mut at = depth.start;
            while at < end {
                let (ky, first) = (at / row_len, at % row_len);
                let span = first..row_len.min(first + end - at);
                let out = &mut out[at - depth.start..][..span.len()];
                at += span.len();
                match (oy * step + ky).checked_sub(padding.top).and_then(|y| self.from[0].get(y)) {
                    Some(y) => self.kernel_row(sample * input[0] + y, ox * step, span, out),
                    None => out.fill(T::ZERO),
                }
            }
            out[end.saturating_sub(depth.start)..depth.len()].fill(T::ZERO);
        }
    }
}
