//! What there is to compute on, as the window is told.

use std::sync::Arc;

/// The graphics cards of this machine; looked for on a thread of its own.
pub trait Devices {
    /// The newest list, the best card first: the same `Arc` until something changes, which wakes the window.
    fn adapters(&self) -> Arc<Vec<AdapterInfo>>;

    /// Looks again.
    fn refresh(&self);
}

/// A graphics card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// How it is chosen: `NVIDIA GeForce RTX 3060 (Vulkan)`.
    pub name: String,
    /// What it is.
    pub kind: AdapterKind,
    /// `None` where it does not tell.
    pub memory_bytes: Option<u64>,
}

/// What a graphics card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterKind {
    /// A card with memory of its own.
    Discrete,
    /// Part of the processor.
    Integrated,
    /// Lent by a hypervisor.
    Virtual,
    /// A driver that computes on the processor.
    Software,
}
