//! A processor that calls itself a card and fails on order.

use fourstep_compute::{
    Activation, Backend, BackendInfo, CancelToken, ComputeError, Conv2dSpec, DeviceMemory, Epilogue, HostTensor, Mask,
    Precision, Result,
    cpu::{Cpu, CpuOptions},
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// What becomes of the card.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// Operations fail from one on.
    Lost,
    /// The driver panics, from one operation on.
    Panics,
    /// It has so many bytes of memory.
    Small(u64),
}

/// The card.
#[derive(Clone)]
pub(super) struct Card {
    cpu: Cpu,
    fate: Fate,
    /// Operations until it fails; shared by all handles.
    left: Arc<AtomicI64>,
}

impl Card {
    /// A card that fails after so many operations.
    pub(super) fn new(fate: Fate, operations: i64) -> Self {
        let cpu = Cpu::open(CpuOptions { precision: Precision::F32, ..CpuOptions::default() }).expect("a processor");
        Self { cpu, fate, left: Arc::new(operations.into()) }
    }

    /// Operations until it fails.
    pub(super) fn left(&self) -> i64 {
        self.left.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<()> {
        match self.fate {
            _ if self.left.fetch_sub(1, Ordering::SeqCst) > 0 => Ok(()),
            Fate::Panics => panic!("the driver broke"),
            Fate::Lost | Fate::Small(_) => {
                let (device, message) = ("card".to_owned(), "the device is lost".to_owned());
                Err(ComputeError::Device { operation: "conv2d", device, message })
            }
        }
    }
}

/// Operations of the processor that count.
macro_rules! counted {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$result> {
            self.check()?;
            self.cpu.$name($($argument),*)
        })*
    };
}

type T = <Cpu as Backend>::Tensor;

impl Backend for Card {
    type Tensor = T;
    type Linear = <Cpu as Backend>::Linear;
    type Geglu = <Cpu as Backend>::Geglu;
    type Conv2d = <Cpu as Backend>::Conv2d;
    type GroupNorm = <Cpu as Backend>::GroupNorm;
    type LayerNorm = <Cpu as Backend>::LayerNorm;
    type Embedding = <Cpu as Backend>::Embedding;

    fn info(&self) -> BackendInfo {
        BackendInfo { backend: "card", device: "card".into(), threads: 0, on_host: false, ..self.cpu.info() }
    }

    fn device_memory(&self) -> Option<DeviceMemory> {
        let Fate::Small(bytes) = self.fate else { return None };
        Some(DeviceMemory { total_bytes: bytes, free_bytes: bytes })
    }

    fn with_cancel(&self, token: CancelToken) -> Self {
        Self { cpu: self.cpu.with_cancel(token), ..self.clone() }
    }

    fn in_f32(&self) -> Result<Self> {
        Ok(self.clone())
    }

    counted! {
        pack_linear(weight: &HostTensor, bias: Option<&HostTensor>) -> Self::Linear;
        pack_conv2d(weight: &HostTensor, bias: Option<&HostTensor>, spec: Conv2dSpec) -> Self::Conv2d;
        pack_geglu(weight: &HostTensor, bias: Option<&HostTensor>) -> Self::Geglu;
        pack_group_norm(weight: &HostTensor, bias: &HostTensor, groups: usize, eps: f32) -> Self::GroupNorm;
        pack_layer_norm(weight: &HostTensor, bias: &HostTensor, eps: f32) -> Self::LayerNorm;
        pack_embedding(table: &HostTensor) -> Self::Embedding;
        upload_image(nchw: &[f32], shape: [usize; 4]) -> T;
        download_image(x: &T) -> (Vec<f32>, [usize; 4]);
        upload_tokens(values: &[f32], shape: [usize; 3]) -> T;
        download_tokens(x: &T) -> (Vec<f32>, [usize; 3]);
        embed(table: &Self::Embedding, ids: &[u32], shape: [usize; 2]) -> T;
        linear(x: &T, w: &Self::Linear, epilogue: Epilogue<'_, T>) -> T;
        geglu(x: &T, w: &Self::Geglu) -> T;
        conv2d(x: &T, w: &Self::Conv2d, epilogue: Epilogue<'_, T>) -> T;
        upsample_nearest(x: &T, size: [usize; 2]) -> T;
        group_norm(x: &T, w: &Self::GroupNorm, activation: Option<Activation>) -> T;
        layer_norm(x: &T, w: &Self::LayerNorm) -> T;
        attention(q: &T, k: &T, v: &T, heads: usize, mask: Mask) -> T;
        activate(x: &T, activation: Activation) -> T;
        add(x: &T, y: &T) -> T;
        concat_channels(x: &T, y: &T) -> T;
        image_to_tokens(x: &T) -> T;
        tokens_to_image(x: &T, size: [usize; 2]) -> T;
        select_token(x: &T, indices: &[usize]) -> T;
        image_size(x: &T) -> [usize; 2];
    }
}
