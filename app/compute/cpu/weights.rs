use super::{
    Cpu,
    layers::{Counted, Kind, layout_of_kernels, precision_of_layer},
};
use crate::{
    ComputeError, Conv2dSpec, HostTensor, Result,
    shapes::{self, Kernels, Matrix},
};
use fourstep_kernels::product::{Layout, PackError, Packed, Precision};
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

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

/// Weights and bias as a product reads them.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) packed: Packed,
    _counted: Option<Counted>,
}

/// Scale and shift `[c]` of a norm.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    pub(super) scale: Arc<[f32]>,
    pub(super) shift: Arc<[f32]>,
    pub(super) groups: usize,
    pub(super) eps: f32,
}

/// Scale and shift `[c]` of a norm.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    pub(super) scale: Arc<[f32]>,
    pub(super) shift: Arc<[f32]>,
    pub(super) eps: f32,
}

/// A table of vectors, which stays where it is: of many, few are ever read.
#[derive(Clone, Debug)]
pub struct Embedding {
    pub(super) table: HostTensor,
    pub(super) shape: [usize; 2],
}

impl Cpu {
    pub(super) fn linear_of(
        &self,
        old: Option<Linear>,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
    ) -> Result<Linear> {
        let matrix = Matrix::of(weight, bias)?;
        let old = old.map(|old| old.layer);
        let shape = [matrix.outputs, matrix.inputs, 1];
        Ok(Linear { layer: self.layer(Kind::Linear, old, weight, shape, |_| Layout::Plain, bias)?, matrix })
    }

    pub(super) fn geglu_of(&self, old: Option<Geglu>, weight: &HostTensor, bias: Option<&HostTensor>) -> Result<Geglu> {
        let matrix = Matrix::of_gated(weight, bias)?;
        let old = old.map(|old| old.layer);
        let shape = [matrix.outputs, matrix.inputs, 1];
        Ok(Geglu { layer: self.layer(Kind::Geglu, old, weight, shape, |_| Layout::Gated, bias)?, matrix })
    }

    pub(super) fn conv2d_of(
        &self,
        old: Option<Conv2d>,
        weight: &HostTensor,
        bias: Option<&HostTensor>,
        spec: Conv2dSpec,
    ) -> Result<Conv2d> {
        let kernels = Kernels::of(weight, bias, spec)?;
        let old = old.map(|old| old.layer);
        let shape = [kernels.outputs, kernels.inputs, kernels.size[0] * kernels.size[1]];
        let layout = |precision| layout_of_kernels(precision, &kernels, self.level);
        Ok(Conv2d { layer: self.layer(Kind::Conv2d, old, weight, shape, layout, bias)?, kernels })
    }

    /// Packs weights `[outputs, inputs, kernel places]`, into the memory of `old` where nobody else has that.
    fn layer(
        &self,
        kind: Kind,
        old: Option<Arc<Layer>>,
        weight: &HostTensor,
        shape: [usize; 3],
        layout: impl FnOnce(Precision) -> Layout,
        bias: Option<&HostTensor>,
    ) -> Result<Arc<Layer>> {
        let [outputs, inputs, taps] = shape;
        let precision = precision_of_layer(self.shared.weights, kind, shape, self.packs_kept);
        let layout = layout(precision);
        let fault = Mutex::new(None);
        let read = |rows: Range<usize>, columns: Range<usize>, out: &mut [f32]| {
            if let Err(e) = weight.read(rows, columns, out) {
                fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
            }
        };
        let bias = bias.map(values).transpose()?;
        let old = old.and_then(Arc::into_inner).map(|layer| layer.packed);
        let shape = [outputs, inputs * taps];
        let packed = self
            .compute(|cx| Packed::new(cx, precision, shape, layout, &read, bias.as_deref(), old))
            .map_err(|e| match e {
                PackError::Cancelled(cancelled) => cancelled.into(),
                PackError::Memory(e) => self.failed("packing weights", &e),
            })?;
        if let Some(e) = fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(e);
        }
        // What is packed is not read again, unless a LoRA comes.
        weight.release();
        let counted = self.shared.profiler.as_ref();
        let counted = counted.map(|profiler| profiler.layers().count(kind, packed.precision(), packed.bytes()));
        Ok(Arc::new(Layer { packed, _counted: counted }))
    }

    fn failed(&self, operation: &'static str, message: &impl ToString) -> ComputeError {
        ComputeError::Device { operation, device: self.shared.name.clone(), message: message.to_string() }
    }
}

impl GroupNorm {
    pub(super) fn of(weight: &HostTensor, bias: &HostTensor, groups: usize, eps: f32) -> Result<Self> {
        shapes::norm_weights("group norm", weight, bias, groups)?;
        Ok(Self { scale: values(weight)?.into(), shift: values(bias)?.into(), groups, eps })
    }
}

impl LayerNorm {
    pub(super) fn of(weight: &HostTensor, bias: &HostTensor, eps: f32) -> Result<Self> {
        shapes::norm_weights("layer norm", weight, bias, 1)?;
        Ok(Self { scale: values(weight)?.into(), shift: values(bias)?.into(), eps })
    }
}

impl Embedding {
    pub(super) fn of(table: &HostTensor) -> Result<Self> {
        Ok(Self { shape: shapes::table(table)?, table: table.clone() })
    }
}

/// All values, or that one of them is none.
fn values(t: &HostTensor) -> Result<Vec<f32>> {
    let mut values = vec![0.0; t.len()];
    t.read(0..t.shape()[0], 0..t.width(), &mut values)?;
    Ok(values)
}
