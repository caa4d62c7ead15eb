use super::{Gpu, memory::Buffer, open::Shared, open::Width};
use crate::{
    Conv2dSpec, HostTensor, Result,
    shapes::{self, Kernels, Matrix},
};
use std::sync::{Arc, atomic::Ordering};

/// A packed matrix.
#[derive(Clone, Debug)]
pub struct Linear {
    pub(super) layer: Arc<Layer>,
    pub(super) matrix: Matrix,
}

/// A packed matrix whose second half gates the first.
#[derive(Clone, Debug)]
pub struct Geglu {
    pub(super) layer: Arc<Layer>,
    pub(super) matrix: Matrix,
}

/// Packed kernels.
#[derive(Clone, Debug)]
pub struct Conv2d {
    pub(super) layer: Arc<Layer>,
    pub(super) kernels: Kernels,
}

/// Scale and shift of a norm, quads of both in turn, in f32.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    pub(super) factors: Arc<Weights>,
    pub(super) channels: usize,
    pub(super) groups: usize,
    pub(super) eps: f32,
}

/// Scale and shift of a norm, quads of both in turn, in f32.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    pub(super) factors: Arc<Weights>,
    pub(super) channels: usize,
    pub(super) eps: f32,
}

/// A table of vectors, which stays where it is: of many, few are ever read.
#[derive(Clone, Debug)]
pub struct Embedding {
    pub(super) table: HostTensor,
    pub(super) shape: [usize; 2],
}

/// Weights and bias as a product reads them.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) weights: Weights,
    pub(super) bias: Weights,
    pub(super) layout: Layout,
    width: Width,
}

/// How a weight `[out, in, taps]` lies in panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    pub(super) taps: usize,
    /// Whether the second half of the outputs gates the first.
    pub(super) gated: bool,
}

/// Memory that does not change while operations go on, counted as long as it is there.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) buffer: Buffer,
    shared: Arc<Shared>,
}

impl Weights {
    pub(super) fn new(shared: &Arc<Shared>, bytes: u64) -> Result<Self> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let buffer = shared.buffer(bytes, usage, "taking memory for weights")?;
        shared.weight_bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(Self { buffer, shared: shared.clone() })
    }

    /// f32 values.
    pub(super) fn of(gpu: &Gpu, values: &[f32]) -> Result<Self> {
        let weights = Self::new(&gpu.shared, size_of_val(values) as u64)?;
        gpu.shared.upload(&weights.buffer, 0, &bytes_of(values), &gpu.cancel)?;
        Ok(weights)
    }
}

impl Drop for Weights {
    fn drop(&mut self) {
        self.shared.weight_bytes.fetch_sub(self.buffer.raw.size(), Ordering::Relaxed);
    }
}

impl Gpu {
    pub(super) fn linear_of(
        &self,
        old: Option<Linear>,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
    ) -> Result<Linear> {
        let matrix = Matrix::of(weight, bias)?;
        let layout = Layout { outputs: matrix.outputs, inputs: matrix.inputs, taps: 1, gated: false };
        Ok(Linear { layer: self.layer(old.map(|old| old.layer), weight, bias, layout)?, matrix })
    }

    pub(super) fn geglu_of(&self, old: Option<Geglu>, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Geglu> {
        let matrix = Matrix::of_gated(weight, bias)?;
        let layout = Layout { outputs: matrix.outputs, inputs: matrix.inputs, taps: 1, gated: true };
        Ok(Geglu { layer: self.layer(old.map(|old| old.layer), weight, bias, layout)?, matrix })
    }

    pub(super) fn conv2d_of(
        &self,
        old: Option<Conv2d>,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
        spec: Conv2dSpec,
    ) -> Result<Conv2d> {
        let kernels = Kernels::of(weight, bias, spec)?;
        let taps = kernels.size.iter().product();
        let layout = Layout { outputs: kernels.outputs, inputs: kernels.inputs, taps, gated: false };
        Ok(Conv2d { layer: self.layer(old.map(|old| old.layer), weight, bias, layout)?, kernels })
    }

    pub(super) fn group_norm_of(
        &self,
        weight: &HostTensor,
        bias: &HostTensor,
        groups: usize,
        eps: f32,
    ) -> Result<GroupNorm> {
        let channels = shapes::norm_weights("group norm", weight, bias, groups)?;
        Ok(GroupNorm { factors: self.factors(weight, bias)?, channels, groups, eps })
    }

    pub(super) fn layer_norm_of(&self, weight: &HostTensor, bias: &HostTensor, eps: f32) -> Result<LayerNorm> {
        let channels = shapes::norm_weights("layer norm", weight, bias, 1)?;
        Ok(LayerNorm { factors: self.factors(weight, bias)?, channels, eps })
    }

    fn factors(&self, scale: &HostTensor, shift: &HostTensor) -> Result<Arc<Weights>> {
        let mut factors = vec![0.0; scale.len().next_multiple_of(4) * 2];
        for (i, (scale, shift)) in scale.values().iter().zip(shift.values().iter()).enumerate() {
            let at = i / 4 * 8 + i % 4;
            (factors[at], factors[at + 4]) = (*scale, *shift);
        }
        Ok(Arc::new(Weights::of(self, &factors)?))
    }

    /// Packs a layer, into the memory of `old` where that is of the same shape and nobody else has it.
    fn layer(
        &self,
        old: Option<Arc<Layer>>,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
        layout: Layout,
    ) -> Result<Arc<Layer>> {
        let same = |old: &Layer| old.layout == layout && old.width == self.width;
        let layer = match old.and_then(Arc::into_inner).filter(same) {
            Some(old) => {
                // What reads it was recorded before, and is done before what is written from now on.
                self.shared.stream.submit(&self.shared.device)?;
                old
            }
            None => {
                let weights = Weights::new(&self.shared, layout.bytes(self.width))?;
                let bias = Weights::new(&self.shared, (layout.columns() * size_of::<f32>()) as u64)?;
                Layer { weights, bias, layout, width: self.width }
            }
        };
        self.pack(&layer.weights.buffer, weight, layout)?;
        let mut columns = vec![0.0; layout.columns()];
        for (source, value) in bias.map(HostTensor::to_f32).unwrap_or_default().into_iter().enumerate() {
            columns[layout.column(source)] = value;
        }
        self.shared.upload(&layer.bias.buffer, 0, &bytes_of(&columns), &self.cancel)?;
        weight.release();
        Ok(Arc::new(layer))
    }
}

/// As they lie in memory, which is how the device reads them.
pub(super) fn bytes_of(values: &[f32]) -> Vec<u8> {
    pulp::bytemuck::cast_slice(values).to_vec()
}
