//! The operations a diffusion network is made of, and the backends that compute them.
//!
//! [`Backend`] is the whole contract: about fifteen operations at the level of a paper ("3×3 convolution, then add the
//! residual"), each with what a fast implementation wants fused. A backend owns layout and precision: networks never
//! see whether a picture is channels-last, what a weight was packed into or how wide its numbers are.

mod backend;
mod cancel;
pub mod candle;
pub mod conformance;
pub mod cpu;
mod error;
pub mod gpu;
mod host;
pub mod panels;
mod precision;
mod shapes;

pub use backend::{Backend, BackendInfo, Conv2dSpec, DeviceMemory, Epilogue, Mask, Padding};
pub use cancel::{CancelFloor, CancelToken};
pub use error::{ComputeError, Result};
pub use fourstep_kernels::Activation;
pub use host::{Blocks, Element, HostTensor, Owner, TensorSource};
pub use precision::Precision;
