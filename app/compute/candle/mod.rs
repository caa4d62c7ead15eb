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
mod shapes;
mod weights;

pub use open::{Device, Precision};
pub use weights::{Conv2d, Embedding, GroupNorm, LayerNorm, Linear};

use crate::{CancelToken, Epilogue, Result};
use candle_core::Tensor;
use fault::Outcome;
use shapes::{Picture, PictureLayout, Tokens};
use std::sync::Arc;

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

    fn picture(&self, x: &Tensor, what: &str) -> Result<Picture> {
        shapes::picture(x, self.shared.layout, what)
    }

    /// Convolution of a picture resized to `size`.
    fn convolve(&self, x: &Tensor, size: [usize; 2], w: &Conv2d, epilogue: Epilogue<'_, Tensor>) -> Outcome<Tensor> {
        let shape = self.picture(x, "conv2d input")?;
        shapes::expect("conv2d input channels", shape.c, w.inputs)?;
        let [h, wide] = w.output_size(size)?;
        let output = Picture { n: shape.n, h, w: wide, c: w.outputs };
        let mut samples_sharing = 1;
        if let Some(t) = epilogue.add_channels {
            let found = shapes::tokens(t, "conv2d add_channels")?;
            samples_sharing = if found.n == 1 { shape.n } else { 1 };
            let added = Tokens { n: shape.n / samples_sharing.max(1), l: 1, c: w.outputs };
            shapes::expect("conv2d add_channels", found, added)?;
        }
        if let Some(t) = epilogue.residual {
            shapes::expect("conv2d residual", self.picture(t, "conv2d residual")?, output)?;
        }
        if self.on_host() {
            let per_sample = epilogue.add_channels.map(|t| (t, samples_sharing * h * wide));
            let finish =
                host::Finish::new(w.bias.as_ref(), per_sample, epilogue.residual, epilogue.activation, w.outputs)?;
            return host::conv2d(x, shape, size, w, &finish, &self.cancel);
        }
        if size == [shape.h, shape.w] {
            return device::conv2d(x, w, epilogue);
        }
        device::conv2d(&device::upsample_nearest(x, shape, size)?, w, epilogue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, ComputeError, conformance};
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
