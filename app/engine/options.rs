use crate::{AvailableBytes, available_bytes};
use fourstep_compute::candle::{Candle, Device, Precision};
use fourstep_protocol::Failure;
use std::{str::FromStr, sync::Arc};

/// How an engine computes.
pub struct EngineOptions {
    /// What computes.
    pub backend: BackendChoice,
    /// How wide the numbers are.
    pub precision: Precision,
    /// Called from the worker after each event, so that a window can wake up and read it.
    pub wake: Box<dyn Fn() + Send>,
    /// Asked before something is loaded, where models lie in the machine's own memory.
    pub available_bytes: AvailableBytes,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            backend: BackendChoice::Auto,
            precision: Precision::Auto,
            wake: Box::new(|| ()),
            available_bytes: Arc::new(available_bytes),
        }
    }
}

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendChoice {
    /// The best that this build and this machine have.
    #[default]
    Auto,
    /// candle on the best device it finds.
    Candle,
    /// candle on the processor.
    CandleCpu,
    /// candle on the first NVIDIA card.
    CandleCuda,
    /// candle on Apple's GPU.
    CandleMetal,
}

impl BackendChoice {
    /// Every choice with its name on the command line.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Auto, "auto"),
        (Self::Candle, "candle"),
        (Self::CandleCpu, "candle-cpu"),
        (Self::CandleCuda, "candle-cuda"),
        (Self::CandleMetal, "candle-metal"),
    ];

    /// Opens the device.
    ///
    /// # Errors
    /// [`Failure`] where this build or this machine has no such device, or it cannot compute in this precision.
    pub fn open(self, precision: Precision) -> Result<Candle, Failure> {
        let device = match self {
            Self::Auto | Self::Candle => Device::Auto,
            Self::CandleCpu => Device::Cpu,
            Self::CandleCuda => Device::Cuda(0),
            Self::CandleMetal => Device::Metal(0),
        };
        Candle::open(device, precision).map_err(|e| {
            Failure::input(
                "The computing device could not be opened",
                e,
                "Use --backend auto --precision auto, or build with the cargo feature of your device (cuda, metal).",
            )
        })
    }
}

impl FromStr for BackendChoice {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|(_, id)| *id == s).map(|(choice, _)| choice).ok_or_else(|| {
            let ids: Vec<_> = Self::ALL.iter().map(|(_, id)| *id).collect();
            format!("`{s}` is not a backend; choose one of {}", ids.join(", "))
        })
    }
}
