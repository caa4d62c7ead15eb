use super::{Candle, shapes::PictureLayout};
use crate::{CancelToken, ComputeError, Result};
use candle_core::{DType, utils};
use std::sync::Arc;

/// Where to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// CUDA, else Metal, where built in and present; else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of this number.
    Cuda(usize),
    /// The Metal device of this number.
    Metal(usize),
}

/// How wide numbers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// [`F32`](Self::F32) on the CPU, [`F16`](Self::F16) elsewhere.
    #[default]
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits, IEEE half.
    F16,
    /// 16 bits, truncated f32. Not on the CPU.
    Bf16,
}

/// What all handles of one opened device share.
pub(super) struct Shared {
    pub(super) device: candle_core::Device,
    pub(super) dtype: DType,
    pub(super) layout: PictureLayout,
    /// `CPU`, `CUDA 0`, …
    pub(super) name: String,
}

impl Candle {
    /// Opens a device.
    ///
    /// # Errors
    /// [`ComputeError::Device`] where the device is not built in or not there, [`ComputeError::Unsupported`] where it
    /// cannot compute in this precision.
    pub fn open(device: Device, precision: Precision) -> Result<Self> {
        let (device, name) = open_device(device)?;
        let dtype = match (precision, device.is_cpu()) {
            (Precision::F32, _) | (Precision::Auto, true) => DType::F32,
            (Precision::F16, _) | (Precision::Auto, false) => DType::F16,
            (Precision::Bf16, false) => DType::BF16,
            (Precision::Bf16, true) => {
                return Err(ComputeError::Unsupported(
                    "bf16 is not available on the CPU with this backend: choose f32".into(),
                ));
            }
        };
        let layout = if device.is_cpu() && dtype == DType::F32 {
            PictureLayout::ChannelsLast
        } else {
            PictureLayout::ChannelsFirst
        };
        Ok(Self::new(Shared { device, dtype, layout, name }))
    }

    /// The CPU in f32 by the operations that serve the other devices, so that they can be tested without one.
    #[cfg(test)]
    pub(crate) fn open_channels_first(dtype: DType) -> Self {
        let device = candle_core::Device::Cpu;
        Self::new(Shared { device, dtype, layout: PictureLayout::ChannelsFirst, name: "CPU".into() })
    }

    fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), cancel: CancelToken::never() }
    }
}

fn open_device(device: Device) -> Result<(candle_core::Device, String)> {
    let failed = |name: &str, e: &candle_core::Error| ComputeError::Device {
        operation: "open",
        device: name.into(),
        message: e.to_string(),
    };
    match device {
        Device::Cpu => Ok((candle_core::Device::Cpu, "CPU".into())),
        Device::Cuda(i) => {
            let name = format!("CUDA {i}");
            candle_core::Device::new_cuda(i).map_err(|e| failed(&name, &e)).map(|d| (d, name))
        }
        Device::Metal(i) => {
            let name = format!("Metal {i}");
            candle_core::Device::new_metal(i).map_err(|e| failed(&name, &e)).map(|d| (d, name))
        }
        Device::Auto => {
            let built_in =
                [(utils::cuda_is_available(), Device::Cuda(0)), (utils::metal_is_available(), Device::Metal(0))];
            for (_, candidate) in built_in.into_iter().filter(|(there, _)| *there) {
                match open_device(candidate) {
                    Ok(opened) => return Ok(opened),
                    Err(e) => log::warn!("{e}; trying the next device"),
                }
            }
            open_device(Device::Cpu)
        }
    }
}
