//! Whether something fits into memory, before it is loaded.

use crate::fault::{Result, RunError};
use fourstep_compute::{Backend, BackendInfo};
use fourstep_protocol::Failure;
use std::sync::Arc;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Tells how many bytes of memory are free; `None` where that is not known.
pub type AvailableBytes = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// What this machine has free: memory that programs do not use, and what the system would give back at once, such as
/// the cached pages of files. Within a container, what that leaves.
pub fn available_bytes() -> Option<u64> {
    let ram = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(ram).ok()?;
    let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory.saturating_sub(limits.rss));
    Some(system.available_memory().min(container)).filter(|bytes| *bytes > 0)
}

/// The memory that models are loaded into.
#[derive(Clone)]
pub(crate) struct Memory {
    available: AvailableBytes,
    /// Whether that is the machine's own: what does not fit there fits nowhere.
    on_host: bool,
    weight_bits: u64,
    value_bits: u64,
}

impl Memory {
    pub(crate) fn new<B: Backend>(backend: &B, available: AvailableBytes) -> Self {
        let BackendInfo { on_host, weight_bits, value_bits, .. } = backend.info();
        let device = backend.clone();
        let on_device = move || device.device_memory().map(|memory| memory.free_bytes);
        let available = if on_host { available } else { Arc::new(on_device) };
        Self { available, on_host, weight_bits: weight_bits.into(), value_bits: value_bits.into() }
    }

    /// What so many weights take on the device.
    pub(crate) fn bytes_of_weights(&self, numbers: u64) -> u64 {
        numbers.saturating_mul(self.weight_bits).div_ceil(8)
    }

    /// What so many numbers that are computed take on the device.
    pub(crate) fn bytes_of_values(&self, numbers: u64) -> u64 {
        numbers.saturating_mul(self.value_bits).div_ceil(8)
    }

    /// What is free; `None` where nothing can be said: on a card or a system that does not tell.
    pub(crate) fn available(&self) -> Option<u64> {
        (self.available)()
    }

    /// Whether so many bytes are free, with a fifth to spare: for what is useful, but not needed.
    pub(crate) fn has_plenty_for(&self, bytes: u64) -> bool {
        self.available().is_none_or(|available| with_margin(bytes) <= available)
    }

    /// Fails where `needed` bytes are not free. `releasable` is what can be given up for them.
    pub(crate) fn require(&self, what: &str, needed: u64, releasable: u64) -> Result<()> {
        let Some(available) = self.available() else { return Ok(()) };
        let free = available.saturating_add(releasable);
        if needed <= free {
            return Ok(());
        }
        let why = format!("it needs about {}, and {} are free", gigabytes(needed), gigabytes(free));
        let remedy = "Close other programs, or choose a smaller model or a smaller picture.";
        let failure = Failure::machine(format!("{what} does not fit into memory"), why, remedy);
        Err(if self.on_host { RunError::Failed(failure) } else { RunError::Device(failure) })
    }
}

/// A fifth more: what is kept only because it is useful must leave so much, for what runs, other programs and the
/// system turn out to need.
pub(crate) fn with_margin(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 5)
}

/// Rounded to what a person needs: `13.9 GB`, `0.02 GB`.
fn gigabytes(bytes: u64) -> String {
    let gb = bytes as f64 / 1e9;
    let decimals = if gb < 0.1 { 2 } else { 1 };
    format!("{gb:.decimals$} GB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_compute::{
        Precision,
        cpu::{Cpu, CpuOptions},
    };

    fn memory(precision: Precision, available: Option<u64>) -> Memory {
        let cpu = Cpu::open(CpuOptions { precision, ..CpuOptions::default() }).expect("a processor");
        Memory::new(&cpu, Arc::new(move || available))
    }

    #[test]
    fn too_little_is_a_failure_with_both_figures() {
        let memory = memory(Precision::F32, Some(8_200_000_000));
        let needed = memory.bytes_of_weights(3_470_000_000);
        let error = memory.require("SDXL", needed, 0).expect_err("too little");
        let RunError::Failed(failure) = error else { panic!("{error:?}") };
        let text = failure.to_string();
        assert!(text.contains("13.9 GB") && text.contains("8.2 GB") && text.starts_with("SDXL does not fit"), "{text}");
        assert!(memory.require("SDXL", needed, 6_000_000_000).is_ok(), "what can be given up counts");
        assert!(!memory.has_plenty_for(8_000_000_000) && memory.has_plenty_for(6_000_000_000));
    }

    #[test]
    fn narrower_weights_take_less_and_an_unknown_size_is_no_obstacle() {
        let bytes = |precision| memory(precision, None).bytes_of_weights(1000);
        assert_eq!((bytes(Precision::F32), bytes(Precision::Bf16)), (4000, 2000));
        assert!((1000..1500).contains(&bytes(Precision::Int8)));
        let memory = memory(Precision::Bf16, None);
        assert_eq!(memory.bytes_of_values(10), 40);
        assert!(memory.require("SDXL", u64::MAX, 0).is_ok() && memory.has_plenty_for(u64::MAX));
    }

    #[test]
    fn this_machine_says_what_it_has() {
        assert!(available_bytes().is_some_and(|bytes| bytes > 10_000_000));
    }
}
