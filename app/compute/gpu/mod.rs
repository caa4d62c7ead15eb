//! The backend of graphics cards, through wgpu: Vulkan, Metal and DX12 alike.
//!
//! Pictures and tokens lie channels-last, channels filled up with zeros to whole quads, so that every load is of four
//! values and one is the other as it stands. Numbers are f16 where the card computes with them, sums are f32 always.
//!
//! An operation becomes one dispatch or a few: cut by rows where an operand is larger than what a kernel may see at once
//! (`parts.rs`) or where it would take too long (`stream.rs`). They are handed in piece by piece and computed in that
//! order; only reading a tensor waits. Memory of tensors is used again at once (`memory.rs`), and always in the same way,
//! so that a step finds everything bound that the step before has bound (`bindings.rs`).

mod adapter;
mod attention;
mod bindings;
mod device;
mod elementwise;
mod kernel;
mod memory;
mod norm;
mod open;
mod operations;
mod pack;
mod parameters;
mod parts;
mod pipelines;
mod product;
mod recording;
mod shader;
mod stream;
mod tensor;
mod tiles;
mod transfer;
mod weights;

pub use adapter::{Adapter, AdapterKind, adapters};
pub use bindings::Hits;
pub use kernel::{Shader, shaders};
pub use memory::Count;
pub use open::{GpuOptions, Instead};
pub use recording::{Recorded, Recording};
pub use stream::Cost;
pub use tensor::Tensor;
pub use weights::{Conv2d, Embedding, Geglu, GroupNorm, LayerNorm, Linear};

use crate::{CancelToken, ComputeError, Result, shapes::Shape};
use bindings::Binding;
use kernel::{Kernel, Variant};
use memory::{Borrowed, Memory};
use open::{Shared, Width};
use std::sync::{Arc, atomic::Ordering};
use stream::Dispatch;

/// A graphics card.
#[derive(Clone)]
pub struct Gpu {
    shared: Arc<Shared>,
    width: Width,
    memory: Arc<Memory>,
    /// Where operations are written down instead of being computed.
    recorder: Option<Arc<recording::Recorder>>,
    cancel: CancelToken,
}

/// What memory of the device is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes of packed weights.
    pub weight_bytes: u64,
    /// Bytes of tensors.
    pub tensors: Count,
}

/// A kernel that is to run.
struct Call<'a> {
    kernel: Kernel,
    bindings: &'a [Binding<'a>],
    texture: Option<&'a wgpu::TextureView>,
    parameters: Vec<u32>,
    groups: [u32; 3],
    cost: Cost,
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

    /// What its memory is used for.
    pub fn memory(&self) -> MemoryUse {
        let weight_bytes = self.shared.weight_bytes.load(Ordering::Relaxed);
        MemoryUse { weight_bytes, tensors: self.memory.count() }
    }

    /// How often a dispatch found its bindings made.
    pub fn hits(&self) -> Hits {
        self.shared.bindings.count()
    }

    /// Waits until everything that was asked of it is done.
    ///
    /// # Errors
    /// `Cancelled`, `Device`, and `DeviceLost` from then on where the card is gone.
    pub fn finish(&self) -> Result<()> {
        self.cancel.check()?;
        let Shared { device, stream, .. } = &*self.shared;
        stream.finish(device, &self.cancel)?;
        device.wait(&device.submit("finish", [])?, &self.cancel)
    }

    /// The same device in f32.
    fn widened(&self) -> Self {
        Self { width: Width::F32, ..self.clone() }
    }

    /// Memory for a tensor.
    fn tensor(&self, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape = shape.into();
        let [n, l, c] = shape.sizes();
        let memory = self.borrow((n * l * c.div_ceil(4)) as u64 * self.width.quad_bytes())?;
        Ok(Tensor::new(memory, shape, self.width))
    }

    fn borrow(&self, bytes: u64) -> Result<Borrowed> {
        self.shared.forget_gone();
        let weight_bytes = self.shared.weight_bytes.load(Ordering::Relaxed);
        self.memory.borrow(&self.shared.device, self.shared.gone(), bytes, weight_bytes)
    }

    /// Takes on a kernel.
    fn dispatch(&self, call: Call<'_>) -> Result<()> {
        let Shared { device, pipelines, bindings, stream, subgroups, .. } = &*self.shared;
        self.cancel.check()?;
        device.check(call.kernel.name())?;
        self.shared.forget_gone();
        let subgroups = *subgroups && call.kernel.adds_up();
        let variant = Variant { kernel: call.kernel, width: self.width, subgroups };
        let pipeline = pipelines.get(device, variant)?;
        let bound = bindings.get(device, &pipeline, call.bindings, call.texture, call.parameters)?;
        let dispatch = Dispatch { pipeline, bound, groups: call.groups, cost: call.cost };
        match &self.recorder {
            Some(recorder) => recorder.push(dispatch),
            None => stream.push(device, &self.cancel, dispatch)?,
        }
        Ok(())
    }

    /// Checks that tensors are of this backend's precision: one opened in another shares the device, not its numbers.
    fn own(&self, tensors: &[&Tensor]) -> Result<()> {
        self.cancel.check()?;
        match tensors.iter().find(|t| t.width() != self.width) {
            Some(t) => {
                let (found, own) = (t.width().name(), self.width.name());
                Err(ComputeError::Unsupported(format!("a tensor in {found} for operations in {own}")))
            }
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gpu({}, {})", self.shared.device.label, self.width.name())
    }
}
