use super::{device::Device, memory::Buffer, pipelines::Pipeline};
use crate::Result;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// More are of sizes that nobody paints any more.
const MOST: usize = 1 << 15;

/// What a kernel sees of a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binding<'a> {
    pub(super) buffer: &'a Buffer,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl<'a> Binding<'a> {
    pub(super) fn whole(buffer: &'a Buffer) -> Self {
        Self { buffer, offset: 0, size: buffer.raw.size() }
    }

    fn resource(&self) -> wgpu::BindingResource<'a> {
        let size = wgpu::BufferSize::new(self.size);
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &self.buffer.raw, offset: self.offset, size })
    }
}

/// Kernels with what they were given before: the operations of a step come in the order of the step's before, on the same
/// buffers, and find here what was made for them.
#[derive(Default)]
pub(super) struct Bindings(Mutex<State>);

#[derive(Default)]
struct State {
    bound: HashMap<Key, wgpu::BindGroup>,
    count: Hits,
}

/// How often what was asked for was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Dispatches whose bindings were there.
    pub found: u64,
    /// Those whose bindings had to be made.
    pub made: u64,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    layout: wgpu::BindGroupLayout,
    buffers: Vec<[u64; 3]>,
    parameters: Vec<u32>,
}

impl Bindings {
    /// The bind group of these buffers (then a texture) and parameters.
    pub(super) fn get(
        &self,
        device: &Device,
        pipeline: &Pipeline,
        bindings: &[Binding<'_>],
        texture: Option<&wgpu::TextureView>,
        parameters: Vec<u32>,
    ) -> Result<wgpu::BindGroup> {
        let layout = pipeline.layout.clone();
        if let Some(texture) = texture {
            // Somebody else's, and not to be held.
            return device.guard("bind", || bind(&device.device, &layout, bindings, Some(texture), &parameters));
        }
        let buffers = bindings.iter().map(|b| [b.buffer.id, b.offset, b.size]).collect();
        let key = Key { layout, buffers, parameters };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bound) = state.bound.get(&key).cloned() {
            state.count.found += 1;
            return Ok(bound);
        }
        let bound = device.guard("bind", || bind(&device.device, &key.layout, bindings, None, &key.parameters))?;
        state.count.made += 1;
        if state.bound.len() >= MOST {
            state.bound.clear();
        }
        state.bound.insert(key, bound.clone());
        Ok(bound)
    }

    /// Lets go of everything that these buffers are part of: they keep their memory as long as they are bound.
    pub(super) fn forget(&self, gone: &[u64]) {
        if gone.is_empty() {
            return;
        }
        let gone: std::collections::HashSet<u64> = gone.iter().copied().collect();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.bound.retain(|key, _| !key.buffers.iter().any(|[id, ..]| gone.contains(id)));
    }

    pub(super) fn count(&self) -> Hits {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }
}

fn bind(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    bindings: &[Binding<'_>],
    texture: Option<&wgpu::TextureView>,
    parameters: &[u32],
) -> wgpu::BindGroup {
    let bytes: Vec<u8> = parameters.iter().flat_map(|word| word.to_le_bytes()).collect();
    let parameters = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("parameters"),
        size: bytes.len() as u64,
        usage: wgpu::BufferUsages::UNIFORM,
        mapped_at_creation: true,
    });
    // Of a device that was just lost there is nothing to write to, which whoever asked is told.
    if let Ok(mut mapped) = parameters.get_mapped_range_mut(..) {
        mapped.copy_from_slice(&bytes);
    }
    parameters.unmap();
    let texture = texture.map(wgpu::BindingResource::TextureView);
    let resources = bindings.iter().map(Binding::resource).chain(texture).chain([parameters.as_entire_binding()]);
    let entries: Vec<_> = resources
        .enumerate()
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding: binding as u32, resource })
        .collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
}
