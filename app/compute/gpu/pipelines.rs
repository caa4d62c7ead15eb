use super::{
    device::Device,
    kernel::{Slot, Variant},
};
use crate::Result;
use std::{
    borrow::Cow,
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// A kernel, compiled.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) variant: Variant,
    pub(super) raw: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// Every kernel of a device that was asked for, compiled once; where the API can, what the driver made of it is kept in a
/// file for the next time the program starts.
#[derive(Default)]
pub(super) struct Pipelines {
    compiled: Mutex<HashMap<Variant, Arc<Pipeline>>>,
    stored: Option<Stored>,
}

struct Stored {
    cache: wgpu::PipelineCache,
    file: PathBuf,
    changed: AtomicBool,
}

impl Pipelines {
    /// With what `folder` keeps of a device like this.
    pub(super) fn open(device: &Device, folder: Option<PathBuf>) -> Self {
        let name = wgpu::util::pipeline_cache_key(&device.device.adapter_info());
        let file = folder.zip(name).map(|(folder, name)| folder.join(name));
        let possible = device.features.contains(wgpu::Features::PIPELINE_CACHE);
        let stored = file.filter(|_| possible).and_then(|file| Stored::open(device, file));
        Self { compiled: Mutex::default(), stored }
    }

    pub(super) fn get(&self, device: &Device, variant: Variant) -> Result<Arc<Pipeline>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = compiled.get(&variant) {
            return Ok(pipeline.clone());
        }
        let cache = self.stored.as_ref().map(|stored| &stored.cache);
        let pipeline = Arc::new(compile(device, variant, cache)?);
        compiled.insert(variant, pipeline.clone());
        if let Some(stored) = &self.stored {
            stored.changed.store(true, Ordering::Relaxed);
        }
        Ok(pipeline)
    }

    /// Writes down what was compiled since the last time.
    pub(super) fn keep(&self) {
        let Some(stored) = self.stored.as_ref().filter(|stored| stored.changed.swap(false, Ordering::Relaxed)) else {
            return;
        };
        if let Err(e) = stored.write() {
            log::warn!("compiled shaders are not kept: {}: {e}", stored.file.display());
        }
    }
}

impl Drop for Pipelines {
    fn drop(&mut self) {
        self.keep();
    }
}

impl Stored {
    fn open(device: &Device, file: PathBuf) -> Option<Self> {
        let data = std::fs::read(&file).ok();
        let descriptor =
            wgpu::PipelineCacheDescriptor { label: Some("Fourstep"), data: data.as_deref(), fallback: true };
        #[expect(unsafe_code, reason = "the file is this program's own; wgpu checks its header and the driver its key")]
        let cache =
            device.guard("open the pipeline cache", || unsafe { device.device.create_pipeline_cache(&descriptor) });
        Some(Self { cache: cache.ok()?, file, changed: AtomicBool::new(false) })
    }

    /// Under another name first, so that nobody reads half a file.
    fn write(&self) -> std::io::Result<()> {
        let Some(data) = self.cache.get_data() else { return Ok(()) };
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let new = self.file.with_extension(format!("{}.new", std::process::id()));
        std::fs::write(&new, data)?;
        std::fs::rename(&new, &self.file)
    }
}

fn compile(device: &Device, variant: Variant, cache: Option<&wgpu::PipelineCache>) -> Result<Pipeline> {
    let label = variant.name();
    device.guard("compile a shader", || {
        let source = wgpu::ShaderSource::Wgsl(Cow::Owned(variant.text()));
        let descriptor = wgpu::ShaderModuleDescriptor { label: Some(&label), source };
        let checks = wgpu::ShaderRuntimeChecks::unchecked();
        #[expect(
            unsafe_code,
            reason = "checks of every index and counters in every loop would be in the innermost loops; shaders are this \
                      program's own, see only what operations with checked shapes bind, and their loops end"
        )]
        let module = unsafe { device.device.create_shader_module_trusted(descriptor, checks) };
        let layout = layout(&device.device, variant.kernel.slots());
        let pipeline_layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            bind_group_layouts: &[Some(&layout)],
            ..wgpu::PipelineLayoutDescriptor::default()
        });
        let raw = device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            // All of workgroup memory is written before it is read.
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache,
        });
        Pipeline { variant, raw, layout }
    })
}

fn layout(device: &wgpu::Device, slots: &[Slot]) -> wgpu::BindGroupLayout {
    let buffer = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    let entry = |(binding, slot): (usize, &Slot)| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: match slot {
            Slot::Read => buffer(wgpu::BufferBindingType::Storage { read_only: true }),
            Slot::Write => buffer(wgpu::BufferBindingType::Storage { read_only: false }),
            Slot::Parameters => buffer(wgpu::BufferBindingType::Uniform),
            Slot::Texture => wgpu::BindingType::StorageTexture {
                access: wgpu::StorageTextureAccess::WriteOnly,
                format: wgpu::TextureFormat::Rgba8Unorm,
                view_dimension: wgpu::TextureViewDimension::D2,
            },
        },
        count: None,
    };
    let entries: Vec<_> = slots.iter().enumerate().map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
}
