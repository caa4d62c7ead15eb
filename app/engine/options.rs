use crate::{AvailableBytes, available_bytes, far_end::Serve};
use fourstep_compute::{
    ComputeError, Precision,
    candle::{self, Candle},
    cpu::{Cpu, CpuOptions, Isa, Profiler},
};
use fourstep_protocol::{DeviceChoice, Failure};
use std::{str::FromStr, sync::Arc};

/// How an engine computes.
pub struct EngineOptions {
    /// On what.
    pub device: DeviceOptions,
    /// Called from the worker after each event, so that a window can wake up and read it.
    pub wake: Box<dyn Fn() + Send>,
    /// Asked before something is loaded, where models lie in the machine's own memory.
    pub available_bytes: AvailableBytes,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { device: DeviceOptions::default(), wake: Box::new(|| ()), available_bytes: Arc::new(available_bytes) }
    }
}

/// What computes, and how.
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    /// What computes.
    pub backend: BackendChoice,
    /// How wide the numbers are.
    pub precision: Precision,
    /// Which instructions the cpu backend uses; `None` is the best there are.
    pub isa: Option<Isa>,
    /// Where the cpu backend writes down what it does.
    pub profiler: Option<Profiler>,
}

/// A device that was opened.
#[derive(Debug)]
pub enum OpenDevice {
    /// By candle.
    Candle(Candle),
    /// By the kernels.
    Cpu(Cpu),
}

impl OpenDevice {
    /// Ready to work.
    pub(crate) fn serving(self) -> Box<dyn Serve> {
        match self {
            Self::Candle(backend) => Box::new(backend),
            Self::Cpu(backend) => Box::new(backend),
        }
    }
}

impl DeviceOptions {
    /// Opens the device.
    ///
    /// # Errors
    /// [`Failure`] where this build or this machine has no such device, or it cannot compute like this.
    pub fn open(&self) -> Result<OpenDevice, Failure> {
        self.try_open().map_err(|e| {
            Failure::input(
                "The computing device could not be opened",
                e,
                "Use --backend auto --precision auto, or build with the cargo feature of your device (cuda, metal).",
            )
        })
    }

    fn try_open(&self) -> Result<OpenDevice, ComputeError> {
        let candle = |device| self.only_cpu_has_instructions(Candle::open(device, self.precision)?);
        match self.backend {
            BackendChoice::Auto => match Candle::open_gpu(self.precision)? {
                Some(gpu) => self.only_cpu_has_instructions(gpu),
                None => self.open_cpu(),
            },
            BackendChoice::Cpu => self.open_cpu(),
            BackendChoice::Candle => candle(candle::Device::Auto),
            BackendChoice::CandleCpu => candle(candle::Device::Cpu),
            BackendChoice::CandleCuda => candle(candle::Device::Cuda(0)),
            BackendChoice::CandleMetal => candle(candle::Device::Metal(0)),
        }
    }

    /// The same with another device.
    pub fn choose(&self, choice: &DeviceChoice) -> Self {
        let backend = match choice {
            DeviceChoice::Auto => BackendChoice::Auto,
            DeviceChoice::Processor => BackendChoice::Cpu,
        };
        Self { backend, ..self.clone() }
    }

    /// The processor, whatever was chosen: in the same precision, where it has that.
    ///
    /// # Errors
    /// [`Failure`] where it cannot compute at all.
    pub fn open_processor(&self) -> Result<OpenDevice, Failure> {
        let same = Self { backend: BackendChoice::Cpu, ..self.clone() };
        same.open().or_else(|_| Self { precision: Precision::Auto, isa: None, ..same }.open())
    }

    fn open_cpu(&self) -> Result<OpenDevice, ComputeError> {
        let Self { precision, isa, profiler, .. } = self.clone();
        Cpu::open(CpuOptions { isa, precision, threads: None, profiler }).map(OpenDevice::Cpu)
    }

    /// What was asked for is not silently left out.
    fn only_cpu_has_instructions(&self, opened: Candle) -> Result<OpenDevice, ComputeError> {
        match self.isa {
            Some(isa) => Err(ComputeError::Unsupported(format!("only the cpu backend can be told to use {isa}"))),
            None => Ok(OpenDevice::Candle(opened)),
        }
    }
}

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendChoice {
    /// A GPU that this build and this machine have, else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
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
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Auto, "auto"),
        (Self::Cpu, "cpu"),
        (Self::Candle, "candle"),
        (Self::CandleCpu, "candle-cpu"),
        (Self::CandleCuda, "candle-cuda"),
        (Self::CandleMetal, "candle-metal"),
    ];
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
