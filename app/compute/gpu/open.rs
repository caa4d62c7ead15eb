use super::{
    AdapterKind, Gpu, adapter,
    bindings::Bindings,
    device::Device,
    memory::{Buffer, Gone, Memory},
    pipelines::Pipelines,
    stream::Stream,
    tiles::Tiles,
};
use crate::{CancelToken, ComputeError, Precision, Result};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes on their way to the device, which hold as much memory of the host until they are there.
const UPLOADED_AT_ONCE: u64 = 32 << 20;

/// Which graphics card to compute on, and how.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Part of the label of an [`Adapter`](super::Adapter), in whatever case; `None` is the best there is that is no
    /// software.
    pub adapter: Option<String>,
    /// How wide the numbers are; `auto` is f16 where the card computes with them.
    pub precision: Precision,
    /// The folder where compiled shaders are kept for the next time; `None` is nowhere.
    pub cache: Option<PathBuf>,
    /// For tests: another card's ways on this one.
    pub instead: Instead,
}

/// What is done otherwise than the card would have it, so that every way can be tested on any card.
#[derive(Clone, Copy, Debug, Default)]
pub struct Instead {
    /// The most bytes of a buffer that an operation sees.
    pub largest_binding_bytes: Option<u64>,
    /// The kind of device that it is taken for.
    pub kind: Option<AdapterKind>,
    /// Not to use subgroups.
    pub without_subgroups: bool,
}

/// What all handles of one opened card share.
pub(super) struct Shared {
    pub(super) device: Device,
    pub(super) pipelines: Pipelines,
    pub(super) bindings: Bindings,
    pub(super) stream: Stream,
    pub(super) tiles: Tiles,
    pub(super) largest_binding: u64,
    /// Where a binding may begin.
    pub(super) alignment: u64,
    pub(super) subgroups: bool,
    /// What is bound where an operation has no such operand.
    pub(super) nothing: Buffer,
    pub(super) weight_bytes: AtomicU64,
    uploaded: AtomicU64,
    /// Somebody else's device: only they hand in work, and what is uploaded goes along with it.
    foreign: bool,
    gone: Arc<Gone>,
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
        Width::of(options.precision, described.f16, &described.label())?;
        Self::with(Device::open(&described, &adapter)?, options, false)
    }

    /// A device that somebody else opened, such as the window's. It takes the place of its lost callback; its
    /// uncaptured errors stay where they go. `options.adapter` is not looked at.
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] where the device was not opened for what this precision needs.
    pub fn on(device: wgpu::Device, queue: wgpu::Queue, options: &GpuOptions) -> Result<Self> {
        let device = Device::on(device, queue);
        if !adapter::suffices(&device.limits) {
            let why = format!("{} was opened with limits that are too low for computing", device.label);
            return Err(ComputeError::Unsupported(why));
        }
        Self::with(device, options, true)
    }

    /// Destroys the device, as pulling out the card would: for tests of what happens then.
    pub fn lose(&self) {
        self.shared.device.lose();
    }

    fn with(device: Device, options: &GpuOptions, foreign: bool) -> Result<Self> {
        let f16 = device.features.contains(wgpu::Features::SHADER_F16);
        let width = Width::of(options.precision, f16, &device.label)?;
        let (instead, gone) = (options.instead, Arc::<Gone>::default());
        let kind = instead.kind.unwrap_or(device.kind);
        let largest = device.limits.max_storage_buffer_binding_size;
        let shared = Shared {
            pipelines: Pipelines::open(&device, options.cache.clone()),
            bindings: Bindings::default(),
            stream: Stream::new(kind),
            tiles: Tiles::of(kind),
            largest_binding: instead.largest_binding_bytes.map_or(largest, |bytes| bytes.min(largest)),
            alignment: u64::from(device.limits.min_storage_buffer_offset_alignment).max(32),
            subgroups: device.features.contains(wgpu::Features::SUBGROUP) && !instead.without_subgroups,
            nothing: gone.buffer(&device, 256, wgpu::BufferUsages::STORAGE, "open")?,
            weight_bytes: AtomicU64::new(0),
            uploaded: AtomicU64::new(0),
            foreign,
            gone,
            device,
        };
        let memory = Arc::<Memory>::default();
        Ok(Self { shared: Arc::new(shared), width, memory, recorder: None, cancel: CancelToken::never() })
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.device.label)
    }
}

impl Shared {
    /// New memory, after what nobody has any more was let go.
    pub(super) fn buffer(&self, bytes: u64, usage: wgpu::BufferUsages, operation: &'static str) -> Result<Buffer> {
        self.forget_gone();
        self.gone.buffer(&self.device, bytes, usage, operation)
    }

    pub(super) fn forget_gone(&self) {
        self.bindings.forget(&self.gone.take());
    }

    pub(super) fn gone(&self) -> &Arc<Gone> {
        &self.gone
    }

    /// Bytes to the device, before whatever is handed in from now on.
    pub(super) fn upload(&self, to: &Buffer, offset: u64, bytes: &[u8], cancel: &CancelToken) -> Result<()> {
        self.device.guard("upload", || self.device.queue.write_buffer(&to.raw, offset, bytes))?;
        let all = self.uploaded.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
        if self.foreign || all < UPLOADED_AT_ONCE {
            return Ok(());
        }
        self.uploaded.store(0, Ordering::Relaxed);
        self.device.wait(&self.device.submit("upload", [])?, cancel)
    }
}

impl Width {
    fn of(precision: Precision, f16: bool, label: &str) -> Result<Self> {
        match precision {
            Precision::Auto if f16 => Ok(Self::F16),
            Precision::Auto | Precision::F32 => Ok(Self::F32),
            Precision::F16 if f16 => Ok(Self::F16),
            Precision::F16 => Err(ComputeError::Unsupported(format!("{label} does not compute in f16: choose f32"))),
            Precision::Bf16 | Precision::Int8 => {
                let why = format!("the gpu backend does not compute in {precision}: choose f16 or f32");
                Err(ComputeError::Unsupported(why))
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }

    pub(super) fn bits(self) -> u32 {
        match self {
            Self::F32 => 32,
            Self::F16 => 16,
        }
    }

    /// Bytes of four values.
    pub(super) fn quad_bytes(self) -> u64 {
        u64::from(self.bits()) / 2
    }
}
