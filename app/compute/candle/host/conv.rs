use super::{
    Finish, Values,
    panels::{Rows, Stored, product},
    tensor,
};
use crate::CancelToken;
use crate::candle::{fault::Outcome, shapes::Picture, weights};
use candle_core::Tensor;

/// Convolution of a picture as it would be after nearest-neighbour resizing to `size`: patches of a block of output
/// pixels are gathered into rows, multiplied by the kernel and finished while they are in the cache.
pub(in crate::candle) fn conv2d(
    x: &Tensor,
    shape: Picture,
    size: [usize; 2],
    w: &weights::Conv2d,
    finish: &Finish<'_>,
    cancel: &CancelToken,
) -> Outcome<Tensor> {
    let input = Values::of(x)?;
    let [h, wide] = w.output_size(size)?;
    let k = w.kernel[0] * w.kernel[1] * w.inputs;
    let extent = (shape.n * h * wide, w.outputs, k);
    let pointwise = w.kernel == [1, 1] && w.spec.stride == 1 && w.padding() == [0, 0] && size == [shape.h, shape.w];
    let out = if pointwise {
        product(&Stored { values: input.slice(), k }, extent, w.weight.panels()?, finish, cancel)?
    } else {
        product(&Patches::new(input.slice(), shape, size, w, [h, wide]), extent, w.weight.panels()?, finish, cancel)?
    };
    tensor(out, &[shape.n, h, wide, w.outputs])
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
    fn new(input: &'a [f32], shape: Picture, size: [usize; 2], w: &weights::Conv2d, output: [usize; 2]) -> Self {
        let nearest = |from: usize, to: usize| (0..to).map(|i| i * from / to).collect();
        Self {
            input,
            shape,
            output,
            kernel: w.kernel,
            stride: w.spec.stride,
            pad: w.padding()[0],
            from: [nearest(shape.h, size[0]), nearest(shape.w, size[1])],
            resized: size != [shape.h, shape.w],
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
