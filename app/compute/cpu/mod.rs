//! The backend of the processor over `fourstep-kernels`: every instruction set, chosen when the program starts.
//!
//! Both pictures and tokens lie channels-last, so one is the other as it stands. Weights are packed at load, in the
//! precision of each [layer](layers). Where the processor multiplies bf16, tensors are bf16 too, but for those that
//! something is added to (the trunk of a network, whose errors would add up, until its pictures are as large as those
//! that people see), those of few channels or one row, and those that come from outside.

mod layers;
mod memory;
mod open;
mod operations;
mod profile;
mod tensor;
mod threads;
mod weights;

pub use fourstep_kernels::{Isa, IsaError};
pub use open::CpuOptions;
pub use profile::{LayerCount, Operation, Profiler, Section};
pub use tensor::Tensor;
pub use threads::lower_priority;
pub use weights::{Conv2d, Embedding, Geglu, GroupNorm, LayerNorm, Linear};

use crate::{
    CancelToken, Epilogue, Result,
    shapes::{self, Added, Picture, Shape},
};
use fourstep_kernels::{
    Context,
    product::{self, Finish, Geometry, PerSample},
};
use layers::FEW_CHANNELS;
use profile::Size;
use std::{sync::Arc, time::Instant};
use tensor::{Blank, Width};

/// The processor.
#[derive(Clone)]
pub struct Cpu {
    shared: Arc<open::Shared>,
    cancel: CancelToken,
    /// Whether what it packs is for results that are kept.
    packs_kept: bool,
    /// How often sides of pictures were halved in front of what it packs.
    level: usize,
}

impl std::fmt::Debug for Cpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cpu({}, {})", self.shared.name, self.shared.precision)
    }
}

impl Cpu {
    /// The most bytes its tensors took at a time.
    pub fn peak_tensor_bytes(&self) -> usize {
        self.shared.memory.peak()
    }

    /// Runs kernels.
    fn compute<T>(&self, kernels: impl FnOnce(Context<'_>) -> T) -> T {
        let cancelled = || self.cancel.is_cancelled();
        kernels(Context { isa: self.shared.isa, pool: &self.shared.pool, cancelled: &cancelled })
    }

    /// What becomes a tensor, and the time it takes.
    fn tensor(
        &self,
        operation: &'static str,
        size: Size,
        (shape, width): (impl Into<Shape>, Width),
        write: impl FnOnce(Context<'_>, &mut Blank) -> Result<()>,
    ) -> Result<Tensor> {
        self.cancel.check()?;
        let mut blank = Blank::new(&self.shared.memory, shape, width)?;
        self.measure(operation, size, || self.compute(|cx| write(cx, &mut blank)))?;
        Ok(blank.written())
    }

    fn measure<T>(&self, operation: &'static str, size: Size, work: impl FnOnce() -> T) -> T {
        let Some(profiler) = &self.shared.profiler else { return work() };
        let start = Instant::now();
        let done = work();
        profiler.record(operation, size, start.elapsed(), self.shared.memory.peak());
        done
    }

    /// How wide a tensor of this shape is that nothing was added to.
    fn width(&self, shape: impl Into<Shape>) -> Width {
        let [_, positions, c] = shape.into().sizes();
        if self.shared.narrow && positions > 1 && c >= FEW_CHANNELS { Width::Bf16 } else { Width::F32 }
    }

    /// How wide a product's result is.
    fn finished_width(&self, shape: impl Into<Shape>, epilogue: &Epilogue<'_, Tensor>) -> Width {
        let shape = shape.into();
        if epilogue.residual.is_some() && is_trunk(shape) { Width::F32 } else { self.width(shape) }
    }

    /// Convolution of a picture resized to `size`, where one is given.
    fn convolve(
        &self,
        operation: &'static str,
        x: &Tensor,
        size: Option<[usize; 2]>,
        w: &Conv2d,
        epilogue: Epilogue<'_, Tensor>,
    ) -> Result<Tensor> {
        self.cancel.check()?;
        let shape = shapes::conv2d(x.shape(), size, &w.kernels, Added::of(&epilogue, |t| Ok(t.shape()))?)?;
        let (Picture { n, h, w: wide, c }, kernels) = (shape.output, &w.kernels);
        let geometry = Geometry {
            n,
            c: shape.input.c,
            input: [shape.input.h, shape.input.w],
            resized: shape.resized,
            kernel: kernels.size,
            stride: kernels.spec.stride,
            padding: product::Padding { top: kernels.padding()[0], left: kernels.padding()[0] },
            output: [h, wide],
        };
        let per_sample = epilogue.add_channels;
        let per_sample = per_sample.map(|t| PerSample { values: t.values(), rows: shape.samples_sharing * h * wide });
        let finish =
            Finish { per_sample, residual: epilogue.residual.map(Tensor::values), activation: epilogue.activation };
        let (output, inputs, kernel) = ([n, h, wide], shape.input.c, kernels.size);
        let size = Size::Convolution { output, inputs, outputs: c, kernel, stride: kernels.spec.stride };
        let width = self.finished_width(shape.output, &epilogue);
        self.tensor(operation, size, (shape.output, width), |cx, out| {
            Ok(product::conv2d(cx, x.values(), &geometry, &w.layer.packed, &finish, out.values_mut())?)
        })
    }
}

/// Whether errors of a sum of this shape go on adding up. Those of a picture as large as those that people see do not:
/// its decoder is nearly done, and its trunk is more than the caches hold.
fn is_trunk(shape: Shape) -> bool {
    /// More than a network sees that is run again and again; such a one has more channels, too, at its first level.
    const DECODED: usize = 128 * 128;
    const CHANNELS: usize = 256;
    let [_, positions, c] = shape.sizes();
    positions <= DECODED || c > CHANNELS
}

#[cfg(test)]
mod tests;
