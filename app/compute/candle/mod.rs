//! The backend over candle: CUDA and Metal, and the reference on the CPU.
//!
//! On CUDA and Metal pictures are channels-first and operations are candle's. On the CPU in f32 pictures are
//! channels-last and operations are loops of our own over candle's tensors: candle's convolution reorders weights and
//! copies pictures at every call.

mod device;
mod fault;
mod host;
mod open;
mod operations;
mod weights;

pub use open::Device;
pub use weights::{Conv2d, Embedding, GroupNorm, LayerNorm, Linear};

use crate::{
    CancelToken, ComputeError, Epilogue, Result,
    shapes::{self, Added, Picture, Shape, Tokens},
};
use candle_core::Tensor;
use fault::Outcome;
use std::sync::Arc;

/// How pictures lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PictureLayout {
    /// `[n, h, w, c]`: a convolution is a gather and a product, a picture is tokens as it stands.
    ChannelsLast,
    /// `[n, c, h, w]`: what candle's own operations want.
    ChannelsFirst,
}

/// The backend over candle. Its tensors are candle's: `[n, l, c]` for tokens; pictures lie as the device likes them.
#[derive(Clone)]
pub struct Candle {
    shared: Arc<open::Shared>,
    cancel: CancelToken,
}

impl std::fmt::Debug for Candle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Candle({}, {:?})", self.shared.name, self.shared.dtype)
    }
}

impl Candle {
    /// One operation: checks the token, and puts the operation's name and the device to what fails.
    fn operation<T>(&self, name: &'static str, f: impl FnOnce() -> Outcome<T>) -> Result<T> {
        self.cancel.check()?;
        f().map_err(|fault| fault.named(name, &self.shared.name))
    }

    /// Whether operations are those of [`host`].
    fn on_host(&self) -> bool {
        self.shared.layout == PictureLayout::ChannelsLast
    }

    fn shape(&self, x: &Tensor) -> Result<Shape> {
        match (x.dims(), self.shared.layout) {
            (&[n, l, c], _) => Ok(Tokens { n, l, c }.into()),
            (&[n, h, w, c], PictureLayout::ChannelsLast) | (&[n, c, h, w], PictureLayout::ChannelsFirst) => {
                Ok(Picture { n, h, w, c }.into())
            }
            (dims, _) => Err(ComputeError::Unsupported(format!("a tensor {dims:?} of no operation"))),
        }
    }

    /// Convolution of a picture resized to `size`, where one is given.
    fn convolve(
        &self,
        x: &Tensor,
        size: Option<[usize; 2]>,
        w: &Conv2d,
        epilogue: Epilogue<'_, Tensor>,
    ) -> Outcome<Tensor> {
        let added = Added::of(&epilogue, |t| self.shape(t))?;
        let shape = shapes::conv2d(self.shape(x)?, size, &w.kernels, added)?;
        let Picture { h, w: wide, c, .. } = shape.output;
        if self.on_host() {
            let per_sample = epilogue.add_channels.map(|t| (t, shape.samples_sharing * h * wide));
            let finish = host::Finish::new(w.bias.as_ref(), per_sample, epilogue.residual, epilogue.activation, c)?;
            return host::conv2d(x, &shape, w, &finish, &self.cancel);
        }
        if shape.resized == [shape.input.h, shape.input.w] {
            return device::conv2d(x, w, epilogue);
        }
        device::conv2d(&device::upsample_nearest(x, shape.input, shape.resized)?, w, epilogue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, Precision, conformance};
    use candle_core::DType;

    fn check(backend: &Candle, tolerance: conformance::Tolerance) {
        match conformance::run(backend, tolerance) {
            Ok(report) => println!("{backend:?}\n{report}"),
            Err(failure) => panic!("{backend:?}: {failure}"),
        }
    }

    #[test]
    fn the_cpu_conforms() {
        check(&Candle::open(Device::Cpu, Precision::F32).expect("the CPU opens"), conformance::Tolerance::F32);
    }

    #[test]
    fn the_operations_of_the_other_devices_conform() {
        check(&Candle::open_channels_first(DType::F32), conformance::Tolerance::F32);
    }

    #[test]
    fn half_precision_conforms() {
        check(&Candle::open(Device::Cpu, Precision::F16).expect("the CPU opens"), conformance::Tolerance::F16);
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let bf16 = Candle::open(Device::Cpu, Precision::Bf16).expect_err("no bf16 on the CPU");
        assert!(matches!(&bf16, ComputeError::Unsupported(why) if why.contains("bf16")), "{bf16}");
        if !candle_core::utils::cuda_is_available() {
            let cuda = Candle::open(Device::Cuda(0), Precision::Auto).expect_err("not built in");
            assert!(matches!(&cuda, ComputeError::Device { device, .. } if device == "CUDA 0"), "{cuda}");
        }
    }

    #[test]
    fn automatic_precision_is_that_of_the_device() {
        let backend = Candle::open(Device::Auto, Precision::Auto).expect("there is always a CPU");
        let info = backend.info();
        assert_eq!(info.precision, if info.device == "CPU" { "f32" } else { "f16" });
    }
}
