use crate::{AvailableBytes, available_bytes, far_end::Serve};
use fourstep_compute::{
    Backend, ComputeError, Precision,
    candle::{self, Candle},
    conformance::{self, Tolerance},
    cpu::{Cpu, CpuOptions, Isa, Profiler},
    gpu::{Gpu, GpuOptions},
};
use fourstep_protocol::{DeviceChoice, Failure};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

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
    /// Part of the name of the graphics card that computes; `None` is the best there is.
    pub adapter: Option<String>,
    /// How wide the numbers are.
    pub precision: Precision,
    /// Which instructions the cpu backend uses; `None` is the best there are.
    pub isa: Option<Isa>,
    /// The folder where the gpu backend keeps compiled shaders; `None` is nowhere.
    pub shader_cache: Option<PathBuf>,
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
    /// By wgpu.
    Gpu(Gpu),
}

impl OpenDevice {
    /// Ready to work.
    pub(crate) fn serving(self) -> Box<dyn Serve> {
        match self {
            Self::Candle(backend) => Box::new(backend),
            Self::Cpu(backend) => Box::new(backend),
            Self::Gpu(backend) => Box::new(backend),
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
                "Use --backend auto --precision auto; fourstep adapters lists graphics cards, and the cargo features cuda \
                 and metal build in candle's devices.",
            )
        })
    }

    /// The same with another device.
    pub fn choose(&self, choice: &DeviceChoice) -> Self {
        let (backend, adapter) = match choice {
            DeviceChoice::Auto => (BackendChoice::Auto, None),
            DeviceChoice::Processor => return self.on_processor(),
            DeviceChoice::Adapter(name) => (BackendChoice::Gpu, Some(name.clone())),
        };
        Self { backend, adapter, ..self.clone() }
    }

    /// The same on the processor, which does not compute in every precision that cards do.
    pub fn on_processor(&self) -> Self {
        let precision = if self.precision == Precision::F16 { Precision::Auto } else { self.precision };
        Self { backend: BackendChoice::Cpu, adapter: None, precision, ..self.clone() }
    }

    fn try_open(&self) -> Result<OpenDevice, ComputeError> {
        self.check()?;
        let candle = |device| Candle::open(device, self.precision).map(OpenDevice::Candle);
        match self.backend {
            BackendChoice::Auto if self.adapter.is_some() => self.open_gpu(),
            BackendChoice::Auto => self.open_best(),
            BackendChoice::Cpu => self.open_cpu(),
            BackendChoice::Gpu => self.open_gpu(),
            BackendChoice::Candle => candle(candle::Device::Auto),
            BackendChoice::CandleCpu => candle(candle::Device::Cpu),
            BackendChoice::CandleCuda => candle(candle::Device::Cuda(0)),
            BackendChoice::CandleMetal => candle(candle::Device::Metal(0)),
        }
    }

    /// What was asked for is not silently left out.
    fn check(&self) -> Result<(), ComputeError> {
        use BackendChoice::{Auto, Cpu, Gpu};
        if let (Some(isa), false) = (self.isa, matches!(self.backend, Auto | Cpu)) {
            return Err(ComputeError::Unsupported(format!("only the cpu backend can be told to use {isa}")));
        }
        if let (Some(adapter), false) = (&self.adapter, matches!(self.backend, Auto | Gpu)) {
            return Err(ComputeError::Unsupported(format!("only the gpu backend can be told to use `{adapter}`")));
        }
        Ok(())
    }

    /// A graphics card, where there is one that is no software and computes like this; else the processor.
    fn open_best(&self) -> Result<OpenDevice, ComputeError> {
        if self.isa.is_some() {
            return self.open_cpu();
        }
        if let Some(gpu) = Candle::open_gpu(self.precision)? {
            return Ok(OpenDevice::Candle(gpu));
        }
        self.open_gpu().or_else(|why| {
            log::debug!("{why}");
            self.open_cpu()
        })
    }

    fn open_gpu(&self) -> Result<OpenDevice, ComputeError> {
        let Self { adapter, precision, shader_cache: cache, .. } = self.clone();
        let gpu = Gpu::open(&GpuOptions { adapter, precision, cache, ..GpuOptions::default() })?;
        trust(&gpu)?;
        Ok(OpenDevice::Gpu(gpu))
    }

    fn open_cpu(&self) -> Result<OpenDevice, ComputeError> {
        let Self { precision, isa, profiler, .. } = self.clone();
        Cpu::open(CpuOptions { isa, precision, threads: None, profiler }).map(OpenDevice::Cpu)
    }
}

/// Looks whether a card's driver computes what it is asked for: there are more cards than anybody has tried, and wrong
/// pictures are worse than slow ones. Once for a card in a process.
fn trust(gpu: &Gpu) -> Result<(), ComputeError> {
    static TRUSTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut trusted = TRUSTED.lock().unwrap_or_else(PoisonError::into_inner);
    let name = format!("{gpu:?}");
    if trusted.contains(&name) {
        return Ok(());
    }
    let tolerance = if gpu.info().precision == "f32" { Tolerance::F32 } else { Tolerance::F16 };
    conformance::glance(gpu, tolerance).map_err(|failure| {
        let why = format!("{} computes wrongly ({failure}): update its driver, or use the processor", gpu.label());
        ComputeError::Unsupported(why)
    })?;
    trusted.insert(name);
    Ok(())
}

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendChoice {
    /// The best graphics card there is, else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A graphics card, through wgpu.
    Gpu,
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
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Auto, "auto"),
        (Self::Cpu, "cpu"),
        (Self::Gpu, "gpu"),
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
