//! The backend of graphics cards, through wgpu: Vulkan, Metal and DX12 alike.

mod adapter;
mod device;
mod open;

pub use adapter::{Adapter, AdapterKind, adapters};
pub use open::GpuOptions;

use crate::{CancelToken, Result};
use std::sync::Arc;

/// A graphics card.
#[derive(Clone)]
pub struct Gpu {
    shared: Arc<open::Shared>,
    width: open::Width,
    cancel: CancelToken,
}

impl Gpu {
    /// What it computes on: `NAME (Vulkan)`.
    pub fn label(&self) -> &str {
        &self.shared.device.label
    }

    /// Whether it is real or a driver that computes on the processor.
    pub fn kind(&self) -> AdapterKind {
        self.shared.device.kind
    }

    /// Waits until everything that was asked of it is done.
    ///
    /// # Errors
    /// `Cancelled`, `Device`, and `DeviceLost` from then on where the card is gone.
    pub fn finish(&self) -> Result<()> {
        self.cancel.check()?;
        let device = &self.shared.device;
        let last = device.guard("finish", || device.queue.submit([]))?;
        device.wait(&last, &self.cancel)
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gpu({}, {})", self.shared.device.label, self.width.name())
    }
}
