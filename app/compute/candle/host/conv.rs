use super::{
    Finish, Values,
    panels::{Rows, Stored, product},
    tensor,
};
use crate::{
    CancelToken,
    candle::{fault::Outcome, weights},
    shapes::{Convolution, Kernels, Picture},
};
use candle_core::Tensor;

/// Convolution of a picture as it would be after nearest-neighbour resizing: patches of a block of output pixels are
/// gathered into rows, multiplied by the kernel and finished while they are in the cache.
pub(in crate::candle) fn conv2d(
    x: &Tensor,
    shape: &Convolution,
    w: &weights::Conv2d,
    finish: &Finish<'_>,
    cancel: &CancelToken,
) -> Outcome<Tensor> {
    let input = Values::of(x)?;
    let (Picture { n, h, w: wide, c }, kernels) = (shape.output, &w.kernels);
    let k = kernels.size[0] * kernels.size[1] * kernels.inputs;
    let extent = (n * h * wide, c, k);
    let pointwise = kernels.size == [1, 1]
        && kernels.spec.stride == 1
        && kernels.padding() == [0, 0]
        && shape.resized == [shape.input.h, shape.input.w];
    let out = if pointwise {
        product(&Stored { values: input.slice(), k }, extent, w.weight.panels()?, finish, cancel)?
    } else {
        product(&Patches::new(input.slice(), shape, kernels), extent, w.weight.panels()?, finish, cancel)?
    };
    tensor(out, &[n, h, wide, c])
}

/// Where the values under a kernel lie.
struct Patches<'a> {
    input: &'a [f32],
    shape: Picture,
    output: [usize; 2],
    kernel: [usize; 2],
    stride: usize,
    pad: usize,
    /// Source row and column of each row and column of the (resized) picture.
    from: [Vec<usize>; 2],
    resized: bool,
}

impl<'a> Patches<'a> {
    fn new(input: &'a [f32], &Convolution { input: shape, resized, output, .. }: &Convolution, w: &Kernels) -> Self {
        let nearest = |from: usize, to: usize| (0..to).map(|i| i * from / to).collect();
        Self {
            input,
            shape,
            output: [output.h, output.w],
            kernel: w.size,
            stride: w.spec.stride,
            pad: w.padding()[0],
            from: [nearest(shape.h, resized[0]), nearest(shape.w, resized[1])],
            resized: resized != [shape.h, shape.w],
        }
    }

    fn patch(&self, pixel: usize, patch: &mut [f32]) {
        let [h, w] = self.output;
        let (sample, y, x) = (pixel / (h * w), pixel / w % h, pixel % w);
        let (top, left) = (y * self.stride, x * self.stride);
        let row_len = self.kernel[1] * self.shape.c;
        for (ky, taps) in patch.chunks_mut(row_len).enumerate() {
            match (top + ky).checked_sub(self.pad).and_then(|y| self.from[0].get(y)) {
                Some(&y) => self.taps((sample * self.shape.h + y) * self.shape.w, left, taps),
                None => taps.fill(0.0),
            }
        }
    }

    /// One row of a patch: `kw` neighbours from the picture row that starts at pixel `row`.
    fn taps(&self, row: usize, left: usize, taps: &mut [f32]) {
        let c = self.shape.c;
        let inside = left >= self.pad && left - self.pad + self.kernel[1] <= self.shape.w;
        if inside && !self.resized {
            taps.copy_from_slice(&self.input[(row + left - self.pad) * c..][..taps.len()]);
            return;
        }
        for (kx, tap) in taps.chunks_mut(c).enumerate() {
            match (left + kx).checked_sub(self.pad).and_then(|x| self.from[1].get(x)) {
                Some(&x) => tap.copy_from_slice(&self.input[(row + x) * c..][..c]),
                None => tap.fill(0.0),
            }
        }
    }
}

impl Rows for Patches<'_> {
    fn rows<'a>(&'a self, first: usize, count: usize, scratch: &'a mut Vec<f32>) -> &'a [f32] {
        let k = self.kernel[0] * self.kernel[1] * self.shape.c;
        scratch.resize(count * k, 0.0);
        scratch.chunks_mut(k).enumerate().for_each(|(i, patch)| self.patch(first + i, patch));
        scratch
    }
}
