//! Convolution with few outputs: each pixel is multiplied by every place of the kernels once, so that a panel of weights
//! is full, and the products are added up where the kernels lie.

use super::{
    Finish, Geometry, Packed, PerSample,
    driver::{aligned, with_scratch},
    finish::add_values,
    linear,
};
use crate::{
    Cancelled, Context, Values, ValuesMut, dispatch, math,
    values::{Number, convert},
};
use pulp::{Simd, WithSimd};
use std::cell::Cell;

thread_local! {
    /// Products of the operation before, for the next one.
    static MEMORY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) fn conv2d(
    cx: Context<'_>,
    x: Values<'_>,
    geometry: &Geometry,
    w: &Packed,
    finish: &Finish<'_>,
    out: ValuesMut<'_>,
) -> Result<(), Cancelled> {
    let mut memory = MEMORY.take();
    let products = aligned::<f32>(&mut memory, x.len() / w.depth().max(1) * w.outputs());
    let done = linear(cx, x, w, &Finish::default(), ValuesMut::F32(products));
    let sum = Sum { geometry, products, bias: &w.bias_of_sums, finish };
    let result = done.and_then(|()| match out {
        ValuesMut::F32(out) => sum.rows(cx, out),
        ValuesMut::Bf16(out) => sum.rows(cx, out),
    });
    MEMORY.set(memory);
    result
}

struct Sum<'a> {
    geometry: &'a Geometry,
    /// `[n, h, w, places, outputs]`
    products: &'a [f32],
    bias: &'a [f32],
    finish: &'a Finish<'a>,
}

impl Sum<'_> {
    fn rows<T: Number>(&self, cx: Context<'_>, out: &mut [T]) -> Result<(), Cancelled> {
        let len = self.geometry.output[1] * self.bias.len();
        cx.run_parts(out, len, |row, out| {
            with_scratch::<f32>(0, out.len(), |_, sums| {
                self.row(row, sums);
                dispatch(cx.isa, Last { of: self, row, sums: &mut *sums });
                convert(cx.isa, sums, out);
            });
        })
    }

    /// Adds up the products of one row of the output.
    fn row(&self, row: usize, sums: &mut [f32]) {
        let (Geometry { input: [h, w], resized, kernel, stride, padding, output, .. }, n) =
            (self.geometry, self.bias.len());
        let (sample, top) = (row / output[0], row % output[0] * stride);
        sums.chunks_exact_mut(n).for_each(|sums| sums.copy_from_slice(self.bias));
        for ky in 0..kernel[0] {
            let Some(y) = (top + ky).checked_sub(padding.top).filter(|y| *y < resized[0]) else { continue };
            let first = (sample * h + y * h / resized[0]) * w;
            for kx in 0..kernel[1] {
                let place = (ky * kernel[1] + kx) * n;
                for (x, sums) in sums.chunks_exact_mut(n).enumerate() {
                    let Some(x) = (x * stride + kx).checked_sub(padding.left).filter(|x| *x < resized[1]) else {
                        continue;
                    };
                    // Nearly always the picture is as large as it is read: no division then.
                    let x = if *w == resized[1] { x } else { x * w / resized[1] };
                    let products = &self.products[(first + x) * kernel[0] * kernel[1] * n + place..][..n];
                    sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
                }
            }
        }
    }
}

/// What is left to do to a row of sums.
struct Last<'a> {
    of: &'a Sum<'a>,
    row: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Last<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: Sum { geometry, bias, finish, .. }, row, sums } = self;
        let (width, n) = (geometry.output[1], bias.len());
        if let Some(PerSample { values, rows }) = finish.per_sample {
            let at = row * width / rows * n;
            sums.chunks_exact_mut(n).for_each(|sums| add_values(sums, values, at));
        }
        if let Some(residual) = finish.residual {
            add_values(sums, residual, row * width * n);
        }
        if let Some(activation) = finish.activation {
            math::activate(simd, activation, sums);
        }
    }
}
