use serde::{Deserialize, Serialize};

/// On what an engine is to compute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// The best device there is.
    #[default]
    Auto,
    /// The processor.
    Processor,
    /// The graphics card with this in its name.
    Adapter(String),
}

/// What computes, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// `candle`, `cpu`, `gpu`.
    pub backend: String,
    /// `CPU`, `CUDA 0`, …
    pub device: String,
    /// `f32`, `bf16`, …
    pub precision: String,
    /// Threads used for computing on a CPU.
    pub threads: usize,
    /// Of a device with memory of its own, where it tells.
    pub memory_bytes: Option<u64>,
}

impl DeviceInfo {
    /// Whether a graphics card computes, whose name is long.
    pub fn on_card(&self) -> bool {
        self.backend == "gpu"
    }
}
