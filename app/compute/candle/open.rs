use super::{Candle, PictureLayout};
use crate::{CancelToken, ComputeError, Precision, Result};
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
        Self::open_on(open_device(device)?, precision)
    }

    /// Opens a GPU, where one is built in and present.
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] where it cannot compute in this precision.
    pub fn open_gpu(precision: Precision) -> Result<Option<Self>> {
        match open_device(Device::Auto)? {
            (device, _) if device.is_cpu() => Ok(None),
            gpu => Self::open_on(gpu, precision).map(Some),
        }
    }

    fn open_on((device, name): (candle_core::Device, String), precision: Precision) -> Result<Self> {
        let dtype = match (precision, device.is_cpu()) {
            (Precision::F32, _) | (Precision::Auto, true) => DType::F32,
            (Precision::F16, _) | (Precision::Auto, false) => DType::F16,
            (Precision::Bf16, false) => DType::BF16,
            (Precision::Bf16 | Precision::Int8, true) => {
                let why = format!("candle does not compute in {precision} on the CPU: choose f32 or f16");
                return Err(ComputeError::Unsupported(why));
            }
            (Precision::Int8, false) => {
                let why = "candle does not compute in int8: choose f32, f16 or bf16";
                return Err(ComputeError::Unsupported(why.into()));
            }
        };
        Ok(Self::new(device, name, dtype))
    }

    /// The same device in f32.
    pub(super) fn widened(&self) -> Self {
        let Shared { device, name, .. } = &*self.shared;
        Self { cancel: self.cancel.clone(), ..Self::new(device.clone(), name.clone(), DType::F32) }
    }

    fn new(device: candle_core::Device, name: String, dtype: DType) -> Self {
        let layout = if device.is_cpu() && dtype == DType::F32 {
            PictureLayout::ChannelsLast
        } else {
            PictureLayout::ChannelsFirst
        };
        Self::of(Shared { device, dtype, layout, name })
    }

    /// The CPU in f32 by the operations that serve the other devices, so that they can be tested without one.
    #[cfg(test)]
    pub(crate) fn open_channels_first(dtype: DType) -> Self {
        let device = candle_core::Device::Cpu;
        Self::of(Shared { device, dtype, layout: PictureLayout::ChannelsFirst, name: "CPU".into() })
    }

    fn of(shared: Shared) -> Self {
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
