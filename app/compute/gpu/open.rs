use super::{Gpu, adapter, device::Device};
use crate::{CancelToken, ComputeError, Precision, Result};
use std::sync::Arc;

/// Which graphics card to compute on, and how.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Part of the label of an [`Adapter`](super::Adapter), in whatever case; `None` is the best there is that is no software.
    pub adapter: Option<String>,
    /// How wide the numbers are; `auto` is f16 where the card computes with them.
    pub precision: Precision,
}

/// What all handles of one opened card share.
pub(super) struct Shared {
    pub(super) device: Device,
}

/// How wide the numbers of tensors and weights are. Sums are f32 always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Width {
    F32,
    F16,
}

impl Gpu {
    /// Opens a card for nothing but computing.
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] where there is no such card, or it does not compute in this precision;
    /// [`ComputeError::Device`] where its driver fails.
    pub fn open(options: &GpuOptions) -> Result<Self> {
        let (described, adapter) = adapter::choose(options.adapter.as_deref())?;
        let width = Width::of(options.precision, described.f16, &described.label())?;
        Ok(Self::with(Device::open(&described, &adapter)?, width))
    }

    /// A device that somebody else opened, such as the window's. It takes the place of its lost callback; its
    /// uncaptured errors stay where they go.
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] where the device was not opened for what this precision needs.
    pub fn on(device: wgpu::Device, queue: wgpu::Queue, precision: Precision) -> Result<Self> {
        let device = Device::on(device, queue);
        let width = Width::of(precision, device.features.contains(wgpu::Features::SHADER_F16), &device.label)?;
        Ok(Self::with(device, width))
    }

    fn with(device: Device, width: Width) -> Self {
        Self { shared: Arc::new(Shared { device }), width, cancel: CancelToken::never() }
    }
}

impl Width {
    fn of(precision: Precision, f16: bool, label: &str) -> Result<Self> {
        match precision {
            Precision::Auto if f16 => Ok(Self::F16),
            Precision::Auto | Precision::F32 => Ok(Self::F32),
            Precision::F16 if f16 => Ok(Self::F16),
            Precision::F16 => Err(ComputeError::Unsupported(format!("{label} does not compute in f16: choose f32"))),
            Precision::Bf16 | Precision::Int8 => Err(ComputeError::Unsupported(format!(
                "the gpu backend does not compute in {precision}: choose f16 or f32"
            ))),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }
}

impl Gpu {
    /// Destroys the device, as pulling out the card would: for tests of what happens then.
    pub fn lose(&self) {
        self.shared.device.lose();
    }
}
