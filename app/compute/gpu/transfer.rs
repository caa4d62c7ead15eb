//! Values from the host to the device and back.

use super::{Gpu, device::Done, open::Width, tensor::Tensor};
use crate::{
    ComputeError, Result,
    shapes::{Picture, Shape, Tokens},
};
use half::{f16, slice::HalfFloatSliceExt};
use pulp::bytemuck;

impl Gpu {
    /// A tensor of these values, position by position.
    pub(super) fn upload(&self, shape: impl Into<Shape>, values: &[f32]) -> Result<Tensor> {
        let tensor = self.tensor(shape)?;
        self.write(&tensor, values)?;
        Ok(tensor)
    }

    /// Writes a tensor's values, position by position.
    pub(super) fn write(&self, tensor: &Tensor, values: &[f32]) -> Result<()> {
        self.cancel.check()?;
        let (channels, padded) = (tensor.shape().sizes()[2], tensor.quads() * 4);
        let mut filled = vec![0.0; tensor.rows() * padded];
        for (out, values) in filled.chunks_exact_mut(padded).zip(values.chunks_exact(channels)) {
            out[..channels].copy_from_slice(values);
        }
        let bytes = match tensor.width() {
            Width::F32 => bytemuck::cast_slice(&filled).to_vec(),
            Width::F16 => {
                let mut halves = vec![f16::ZERO; filled.len()];
                halves.convert_from_f32_slice(&filled);
                bytemuck::cast_slice(&halves).to_vec()
            }
        };
        // The memory may be that of a tensor which work that was not yet handed in still reads.
        self.shared.stream.submit(&self.shared.device)?;
        self.shared.upload(tensor.memory().buffer(), 0, &bytes, &self.cancel)
    }

    /// The values of a tensor, position by position.
    pub(super) fn download(&self, x: &Tensor) -> Result<Vec<f32>> {
        self.cancel.check()?;
        if self.recorder.is_some() {
            return Err(ComputeError::Unsupported("nothing can be read while operations are recorded".into()));
        }
        let shared = &self.shared;
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = shared.buffer(x.bytes(), usage, "taking memory for a download")?;
        shared.stream.finish(&shared.device, &self.cancel)?;
        let copy = shared.device.guard("download", || {
            let mut encoder = shared.device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(&x.memory().buffer().raw, 0, &staging.raw, 0, x.bytes());
            encoder.finish()
        })?;
        shared.device.submit("download", [copy])?;
        let mapped = Done::default();
        let told = mapped.clone();
        // Whether it could be mapped is told by the view below.
        shared.device.guard("download", || staging.raw.map_async(wgpu::MapMode::Read, .., move |_| told.set()))?;
        shared.device.wait(&mapped, &self.cancel)?;
        let mapped = staging.raw.get_mapped_range(..).map_err(|e| shared.device.failed("download", e.to_string()))?;
        Ok(values(x, &mapped))
    }
}

/// Values without what only fills quads.
fn values(x: &Tensor, bytes: &[u8]) -> Vec<f32> {
    let (channels, padded) = (x.shape().sizes()[2], x.quads() * 4);
    let mut wide = vec![0.0; x.rows() * padded];
    match x.width() {
        Width::F32 => bytes.as_chunks().0.iter().zip(&mut wide).for_each(|(b, out)| *out = f32::from_le_bytes(*b)),
        Width::F16 => {
            let halves: Vec<f16> = bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b)).collect();
            halves.convert_to_f32_slice(&mut wide);
        }
    }
    if channels == padded {
        wide
    } else {
        wide.chunks_exact(padded).flat_map(|row| &row[..channels]).copied().collect()
    }
}

/// `[n, c, h, w]` → `[n, h, w, c]`.
pub(super) fn channels_last(nchw: &[f32], Picture { h, w, c, .. }: Picture) -> Vec<f32> {
    exchange(nchw, c, h * w)
}

/// `[n, h, w, c]` → `[n, c, h, w]`.
pub(super) fn channels_first(nhwc: &[f32], Picture { h, w, c, .. }: Picture) -> Vec<f32> {
    exchange(nhwc, h * w, c)
}

/// Rows of a table.
pub(super) fn looked_up(table: &crate::HostTensor, ids: &[u32], Tokens { c, .. }: Tokens) -> Result<Vec<f32>> {
    let mut values = vec![0.0; ids.len() * c];
    for (id, out) in ids.iter().zip(values.chunks_mut(c)) {
        table.read(*id as usize..*id as usize + 1, 0..c, out)?;
    }
    Ok(values)
}

/// `[n, rows, columns]` → `[n, columns, rows]`.
fn exchange(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    for (x, out) in x.chunks(rows * columns).zip(out.chunks_mut(rows * columns)) {
        for (column, out) in out.chunks_mut(rows).enumerate() {
            out.iter_mut().zip(x[column..].iter().step_by(columns)).for_each(|(out, x)| *out = *x);
        }
    }
    out
}
