use super::{Cpu, memory::Memory, profile::Profiler, threads};
use crate::{CancelToken, ComputeError, Precision, Result};
use fourstep_kernels::{Isa, IsaError, Pool, product};
use std::sync::{Arc, OnceLock};

/// How to compute on the processor.
#[derive(Clone, Debug, Default)]
pub struct CpuOptions {
    /// Which instructions to use; `None` is what `FOURSTEP_ISA` names, else the best there are.
    pub isa: Option<Isa>,
    /// How wide the numbers are.
    pub precision: Precision,
    /// How many threads compute; `None` is one for each core.
    pub threads: Option<usize>,
    /// Where every operation's time is written down.
    pub profiler: Option<Profiler>,
}

/// What all handles of one opened processor share.
pub(super) struct Shared {
    pub(super) isa: Isa,
    pub(super) pool: Arc<Pool>,
    /// `CPU avx2`, …
    pub(super) name: String,
    pub(super) precision: Precision,
    /// Of most weights.
    pub(super) weights: product::Precision,
    /// Whether tensors that nothing is added to are bf16.
    pub(super) narrow: bool,
    pub(super) memory: Arc<Memory>,
    pub(super) profiler: Option<Profiler>,
}

impl Cpu {
    /// Opens the processor.
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] where it lacks the instructions asked for, or does not compute in this precision.
    pub fn open(options: CpuOptions) -> Result<Self> {
        let CpuOptions { isa, precision, threads, profiler } = options;
        let isa = isa.map_or_else(chosen, Ok).map_err(|e| ComputeError::Unsupported(e.to_string()))?;
        let pool = threads::pool(threads.unwrap_or_else(threads::cores));
        Self::open_with(isa, pool, precision, profiler)
    }

    /// The same processor in another precision.
    pub(super) fn with_precision(&self, precision: Precision) -> Result<Self> {
        let Shared { isa, pool, profiler, .. } = &*self.shared;
        let opened = Self::open_with(*isa, pool.clone(), precision, profiler.clone())?;
        Ok(Self { cancel: self.cancel.clone(), ..opened })
    }

    fn open_with(isa: Isa, pool: Arc<Pool>, precision: Precision, profiler: Option<Profiler>) -> Result<Self> {
        let precision = match precision {
            Precision::Auto if isa.has_bf16() => Precision::Bf16,
            Precision::Auto => Precision::F32,
            given => given,
        };
        let weights = match precision {
            Precision::Bf16 => product::Precision::Bf16,
            Precision::Int8 => product::Precision::Int8,
            Precision::Auto | Precision::F32 => product::Precision::F32,
            Precision::F16 => {
                let why = "the cpu backend does not compute in f16: choose f32, bf16 or int8";
                return Err(ComputeError::Unsupported(why.into()));
            }
        };
        let shared = Shared {
            isa,
            pool,
            name: format!("CPU {isa}"),
            precision,
            weights,
            // Widening them again would cost more than their size saves.
            narrow: weights != product::Precision::F32 && isa.has_bf16(),
            memory: Arc::default(),
            profiler,
        };
        Ok(Self { shared: Arc::new(shared), cancel: CancelToken::never(), packs_kept: false, level: 0 })
    }
}

/// The instructions of this process, chosen once.
fn chosen() -> Result<Isa, IsaError> {
    static CHOSEN: OnceLock<Result<Isa, IsaError>> = OnceLock::new();
    CHOSEN.get_or_init(Isa::from_environment).clone()
}
