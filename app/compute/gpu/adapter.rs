use crate::{ComputeError, Result};
use std::{cmp::Reverse, fmt};

/// A device that could compute, as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// `AMD Radeon RX 7600 (RADV NAVI33)`, …
    pub name: String,
    /// What it is.
    pub kind: AdapterKind,
    /// The library it is spoken to through: `Vulkan`, `Metal`, `DX12`, `GL`. One device may be there through several.
    pub api: &'static str,
    /// The driver and its version.
    pub driver: String,
    /// Memory of its own, or what it may take of the machine's. Only Vulkan tells.
    pub memory_bytes: Option<u64>,
    /// Whether it computes in half precision.
    pub f16: bool,
    /// Whether neighbouring invocations can add up among themselves.
    pub subgroups: bool,
    /// Whether it has units that multiply small matrices.
    pub cooperative_matrices: bool,
    /// The most bytes of a buffer that one operation sees; what is larger is computed in parts.
    pub largest_binding_bytes: u64,
}

/// What an adapter is, the most capable first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdapterKind {
    /// A card with memory of its own.
    Discrete,
    /// Part of the processor, with the machine's memory.
    Integrated,
    /// Lent by a hypervisor, or of a kind that its driver does not tell.
    Virtual,
    /// No device at all: a driver that computes on the processor, slower than the `cpu` backend.
    Software,
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
        })
    }
}

impl Adapter {
    /// What it is called where one has to be chosen: `NAME (Vulkan)`.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.api)
    }

    pub(super) fn of(adapter: &wgpu::Adapter) -> Self {
        let (info, features) = (adapter.get_info(), adapter.features());
        Self {
            kind: kind(info.device_type),
            api: api(info.backend),
            driver: format!("{} {}", info.driver, info.driver_info).trim().into(),
            memory_bytes: memory_bytes(adapter),
            f16: features.contains(wgpu::Features::SHADER_F16),
            subgroups: features.contains(wgpu::Features::SUBGROUP),
            cooperative_matrices: features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
            largest_binding_bytes: adapter.limits().max_storage_buffer_binding_size,
            name: info.name,
        }
    }

    /// Best first: what it is, then how directly it is spoken to.
    fn rank(&self) -> impl Ord + use<> {
        let api = ["Vulkan", "Metal", "DX12", "GL"].iter().position(|api| *api == self.api);
        (self.kind, api.unwrap_or(usize::MAX), Reverse(self.memory_bytes))
    }
}

/// Every adapter that can compute, the best first.
pub fn adapters() -> Vec<Adapter> {
    found().into_iter().map(|(described, _)| described).collect()
}

/// The adapter whose label has `name` in it, in whatever case; the best one that is no software without a name.
pub(super) fn choose(name: Option<&str>) -> Result<(Adapter, wgpu::Adapter)> {
    let found = found();
    let labels: Vec<String> = found.iter().map(|(described, _)| described.label()).collect();
    let fits = |described: &Adapter| match name {
        Some(name) => described.label().to_lowercase().contains(&name.to_lowercase()),
        None => described.kind != AdapterKind::Software,
    };
    found.into_iter().find(|(described, _)| fits(described)).ok_or_else(|| {
        let there = if labels.is_empty() { "none".into() } else { labels.join(", ") };
        let wanted = name.map_or("no GPU was found".into(), |name| format!("no GPU is called `{name}`"));
        ComputeError::Unsupported(format!("{wanted}; there is: {there}"))
    })
}

fn found() -> Vec<(Adapter, wgpu::Adapter)> {
    // `WGPU_BACKEND` leaves out libraries whose drivers misbehave.
    let asked = wgpu::InstanceDescriptor::new_without_display_handle_from_env().backends;
    // OpenGL has the same cards once more, and looks for a display: it is for those that nothing else has.
    let found = found_by(asked - wgpu::Backends::GL);
    if found.is_empty() { found_by(asked) } else { found }
}

fn found_by(backends: wgpu::Backends) -> Vec<(Adapter, wgpu::Adapter)> {
    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor { backends, ..descriptor });
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let mut found: Vec<_> = all.into_iter().filter(computes).map(|adapter| (Adapter::of(&adapter), adapter)).collect();
    found.sort_by_key(|(described, _)| described.rank());
    found
}

fn computes(adapter: &wgpu::Adapter) -> bool {
    let capable = adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS);
    capable && suffices(&adapter.limits())
}

/// Whether kernels fit: the buffers of a product with everything in its epilogue, the workgroup memory of attention.
pub(super) fn suffices(limits: &wgpu::Limits) -> bool {
    limits.max_storage_buffers_per_shader_stage >= 6
        && limits.max_compute_workgroup_storage_size >= 32 << 10
        && limits.max_compute_invocations_per_workgroup >= 256
}

pub(super) fn kind(kind: wgpu::DeviceType) -> AdapterKind {
    match kind {
        wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
        wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
        wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => AdapterKind::Virtual,
        wgpu::DeviceType::Cpu => AdapterKind::Software,
    }
}

pub(super) fn api(backend: wgpu::Backend) -> &'static str {
    match backend {
        wgpu::Backend::Vulkan => "Vulkan",
        wgpu::Backend::Metal => "Metal",
        wgpu::Backend::Dx12 => "DX12",
        wgpu::Backend::Gl => "GL",
        wgpu::Backend::BrowserWebGpu => "WebGPU",
        wgpu::Backend::Noop => "none",
    }
}

#[cfg(not(any(target_os = "macos", target_os = "ios")))]
fn memory_bytes(adapter: &wgpu::Adapter) -> Option<u64> {
    #[expect(unsafe_code, reason = "wgpu does not tell; Vulkan is asked about an adapter that outlives the question")]
    let memory = unsafe {
        let adapter = adapter.as_hal::<wgpu::hal::api::Vulkan>()?;
        let instance = adapter.shared_instance().raw_instance();
        instance.get_physical_device_memory_properties(adapter.raw_physical_device())
    };
    /// `VK_MEMORY_HEAP_DEVICE_LOCAL_BIT`.
    const DEVICE_LOCAL: u32 = 1;
    let heaps = memory.memory_heaps.iter().take(memory.memory_heap_count as usize);
    Some(heaps.filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0).map(|heap| heap.size).sum())
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
fn memory_bytes(_: &wgpu::Adapter) -> Option<u64> {
    None
}
