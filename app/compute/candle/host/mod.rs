//! The operations on the CPU in f32: channels-last, our own loops over candle's tensors.

mod attention;
mod conv;
mod functions;
mod norm;
mod panels;
mod product;
mod rearrange;

pub(super) use attention::attention;
pub(super) use conv::conv2d;
pub(super) use norm::{group_norm, layer_norm};
pub(super) use panels::pack_weight;
pub(super) use product::{Finish, geglu, linear};
pub(super) use rearrange::{
    concat_channels, embed, select_token, to_channels_first, to_channels_last, upsample_nearest,
};

use super::fault::Outcome;
use crate::Activation;
use candle_core::{CpuStorage, Device, Storage, StorageRef, Tensor};
use rayon::prelude::*;

/// Values below which splitting a loop over threads costs more than it saves.
const GRAIN: usize = 16384;

/// The values of a tensor, held readable.
pub(super) struct Values<'a> {
    storage: StorageRef<'a>,
    start: usize,
    end: usize,
}

impl<'a> Values<'a> {
    /// Of a contiguous f32 tensor on the CPU, which all tensors of this backend are.
    pub(super) fn of(x: &'a Tensor) -> Outcome<Self> {
        let (storage, layout) = x.storage_and_layout();
        match (&*storage, layout.contiguous_offsets()) {
            (Storage::Cpu(CpuStorage::F32(_)), Some((start, end))) => Ok(Self { storage, start, end }),
            _ => Err(candle_core::Error::Msg("a tensor of another backend".into()).into()),
        }
    }

    pub(super) fn slice(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => &values[self.start..self.end],
            _ => &[],
        }
    }
}

/// A tensor of these values.
pub(super) fn tensor(values: Vec<f32>, dims: &[usize]) -> Outcome<Tensor> {
    Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
}

/// Calls `f(first row, rows)` over `out`, rows of `width` values, on as many threads as the work is worth.
fn for_rows(out: &mut [f32], width: usize, f: impl Fn(usize, &mut [f32]) + Sync) {
    let width = width.max(1);
    let rows = out.len() / width;
    let tasks = (out.len() / GRAIN).clamp(1, 4 * rayon::current_num_threads());
    let rows_per_task = rows.div_ceil(tasks).max(1);
    if rows_per_task >= rows {
        f(0, out);
    } else {
        out.par_chunks_mut(rows_per_task * width).enumerate().for_each(|(i, rows)| f(i * rows_per_task, rows));
    }
}

/// The function of every value.
pub(super) fn activate(x: &Tensor, activation: Activation) -> Outcome<Tensor> {
    let mut out = Values::of(x)?.slice().to_vec();
    for_rows(&mut out, 1, |_, rows| functions::activate(activation, rows));
    tensor(out, x.dims())
}

/// `x + y`.
pub(super) fn add(x: &Tensor, y: &Tensor) -> Outcome<Tensor> {
    let y_values = Values::of(y)?;
    let mut out = Values::of(x)?.slice().to_vec();
    for_rows(&mut out, 1, |first, rows| functions::add(rows, &y_values.slice()[first..]));
    tensor(out, x.dims())
}
