use super::adapter::{self, Adapter, AdapterKind};
use crate::{CancelToken, ComputeError, Result};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often a wait looks whether it is over, or not wanted any more: much less than a piece of work takes.
const GLANCE: Duration = Duration::from_micros(200);
/// A device that answers nothing for so long hangs; pieces of work take milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a device that was destroyed may take until it says so.
const EXPLANATION: Duration = Duration::from_millis(300);

/// A device and its queue, and what went wrong on them.
pub(super) struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// `NAME (Vulkan)`.
    pub(super) label: String,
    pub(super) kind: AdapterKind,
    /// As its driver told when it was opened here.
    pub(super) memory_bytes: Option<u64>,
    pub(super) features: wgpu::Features,
    pub(super) limits: wgpu::Limits,
    faults: Arc<Faults>,
}

/// Whether what was handed in, and all that was before it, is done.
#[derive(Clone, Debug, Default)]
pub(super) struct Done(Arc<AtomicBool>);

impl Done {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What a driver tells at a time of its own.
#[derive(Default)]
struct Faults {
    lost: OnceLock<String>,
    error: Mutex<Option<String>>,
}

impl Device {
    /// Opens an adapter with everything it offers that operations can use.
    pub(super) fn open(described: &Adapter, adapter: &wgpu::Adapter) -> Result<Self> {
        let wanted = wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | wgpu::Features::PIPELINE_CACHE;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("Fourstep"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        };
        let opened = pollster::block_on(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|e| ComputeError::Device {
            operation: "open",
            device: described.label(),
            message: e.to_string(),
        })?;
        let opened = Self { memory_bytes: described.memory_bytes, ..Self::on(device, queue) };
        let faults = opened.faults.clone();
        opened.device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| faults.report(e.to_string())));
        Ok(opened)
    }

    /// A device that somebody else opened, and whose uncaptured errors are theirs.
    pub(super) fn on(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let (info, faults) = (device.adapter_info(), Arc::<Faults>::default());
        let losing = faults.clone();
        device.set_device_lost_callback(move |_, message| losing.lose(message));
        Self {
            label: format!("{} ({})", info.name, adapter::api(info.backend)),
            kind: adapter::kind(info.device_type),
            memory_bytes: None,
            features: device.features(),
            limits: device.limits(),
            device,
            queue,
            faults,
        }
    }

    /// Ends with what went wrong since somebody asked.
    pub(super) fn check(&self, operation: &'static str) -> Result<()> {
        if let Some(message) = self.faults.lost.get() {
            return Err(ComputeError::DeviceLost { device: self.label.clone(), message: message.clone() });
        }
        let error = self.faults.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.map_or(Ok(()), |message| Err(self.failed(operation, message)))
    }

    /// Asks something of the device, and ends with the error where it refuses.
    pub(super) fn guard<T>(&self, operation: &'static str, work: impl FnOnce() -> T) -> Result<T> {
        self.check(operation)?;
        let filters = [wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal];
        let scopes = filters.map(|filter| self.device.push_error_scope(filter));
        // Of a device that is lost at this moment, wgpu now and then expects what is no more.
        let done = catch_unwind(AssertUnwindSafe(work));
        // Each scope ends before the one it was opened in; all are asked, for one that is dropped forgets its error.
        let [validation, memory, internal] = scopes;
        let errors = [internal, memory, validation].map(|scope| pollster::block_on(scope.pop()));
        match (errors.into_iter().flatten().next(), done) {
            (None, Ok(done)) => self.check(operation).map(|()| done),
            (Some(e @ wgpu::Error::OutOfMemory { .. }), _) => Err(self.failed(operation, e.to_string())),
            (Some(e), _) => Err(self.explained(operation, e.to_string())),
            (None, Err(_)) => Err(self.explained(operation, "its driver stopped working".into())),
        }
    }

    /// An error that should not be, or that the device is gone, which is told only when what it still did is done.
    fn explained(&self, operation: &'static str, message: String) -> ComputeError {
        let began = Instant::now();
        while began.elapsed() < EXPLANATION {
            self.poll();
            if let Err(e) = self.check(operation) {
                return e;
            }
            std::thread::sleep(GLANCE);
        }
        self.failed(operation, message)
    }

    /// Hands in commands.
    pub(super) fn submit(
        &self,
        operation: &'static str,
        commands: impl IntoIterator<Item = wgpu::CommandBuffer>,
    ) -> Result<Done> {
        let done = Done::default();
        let told = done.clone();
        self.guard(operation, || {
            self.queue.submit(commands);
            self.queue.on_submitted_work_done(move || told.set());
        })?;
        Ok(done)
    }

    /// Whether what was handed in is done.
    pub(super) fn is_done(&self, done: &Done) -> Result<bool> {
        self.poll();
        self.check("wait")?;
        Ok(done.0.load(Ordering::Acquire))
    }

    /// Waits until what was handed in is done, for as long as it is wanted.
    pub(super) fn wait(&self, done: &Done, cancel: &CancelToken) -> Result<()> {
        let began = Instant::now();
        loop {
            if self.is_done(done)? {
                return Ok(());
            }
            cancel.check()?;
            if began.elapsed() > PATIENCE {
                self.faults.lose("it does not answer any more".into());
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Destroys the device, as pulling it out would: for tests.
    pub(super) fn lose(&self) {
        self.device.destroy();
        self.poll();
    }

    /// Lets wgpu look what is done. It is not asked to wait: two threads that do so at a time, such as the window's and
    /// one that computes, trip over each other in wgpu 30.
    fn poll(&self) {
        // What has no place in a `PollError`, such as that the device is gone, is told by a panic.
        let polled = catch_unwind(AssertUnwindSafe(|| self.device.poll(wgpu::PollType::Poll)));
        if polled.is_err() {
            self.faults.lose("its driver stopped working".into());
        }
    }

    pub(super) fn failed(&self, operation: &'static str, message: String) -> ComputeError {
        ComputeError::Device { operation, device: self.label.clone(), message }
    }
}

impl Faults {
    fn lose(&self, message: String) {
        let message = if message.is_empty() { "its driver does not say why".into() } else { message };
        // The first loss tells more than what follows from it.
        let _ = self.lost.set(message);
    }

    fn report(&self, message: String) {
        log::error!("the GPU reports: {message}");
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
    }
}
