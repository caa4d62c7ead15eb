use crate::{
    EngineOptions,
    far_end::{FarEnd, Serve},
    mailbox::{Outbox, mailbox},
    worker::Events,
};
use crossbeam_channel::{Receiver, bounded};
use fourstep_catalog::Catalog;
use fourstep_compute::CancelFloor;
use fourstep_protocol::{Client, ClientClosed, Command, Event, Failure};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread::JoinHandle,
    time::Duration,
};

/// Events that can wait to be read; a run makes about ten.
const EVENTS_WAITING: usize = 256;

/// The near end of an inference thread in this process. Dropping it ends the thread.
pub struct Engine {
    /// `None` only while dropping.
    outbox: Option<Outbox>,
    events: Receiver<Event>,
    floor: CancelFloor,
    newest_run: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Opens the device and starts the thread. Models are loaded when a run first needs them.
    ///
    /// # Errors
    /// [`Failure`] where the device cannot be opened or the system gives no thread.
    pub fn spawn(catalog: Catalog, options: EngineOptions) -> Result<Self, Failure> {
        let device = options.device.open()?.serving();
        Self::start(Some(device), catalog, options)
    }

    /// As [`spawn`](Self::spawn), but it is the thread that opens the device. Where that cannot be, the processor computes,
    /// and [`Event::DeviceFailed`] says why.
    ///
    /// # Errors
    /// [`Failure`] where the system gives no thread.
    pub fn spawn_and_open(catalog: Catalog, options: EngineOptions) -> Result<Self, Failure> {
        Self::start(None, catalog, options)
    }

    /// Starts the thread on this device, or on the one of the options.
    pub(crate) fn start(
        device: Option<Box<dyn Serve>>,
        catalog: Catalog,
        options: EngineOptions,
    ) -> Result<Self, Failure> {
        let EngineOptions { device: devices, wake, available_bytes } = options;
        let (outbox, inbox) = mailbox();
        let (sender, events) = bounded(EVENTS_WAITING);
        let floor = CancelFloor::default();
        let events_out = Events::new(sender, wake);
        let far_end = FarEnd { catalog, available_bytes, devices, inbox, events: events_out, floor: floor.clone() };
        let thread = std::thread::Builder::new().name("inference".into()).spawn(move || far_end.work(device));
        let thread = thread.map_err(|e| {
            Failure::machine("The inference thread could not be started", e, "Close other programs and start again.")
        })?;
        Ok(Self { outbox: Some(outbox), events, floor, newest_run: AtomicU64::new(0), thread: Some(thread) })
    }

    /// Waits for the next event; `None` where none comes in time or the thread has ended.
    pub fn next_event(&self, timeout: Duration) -> Option<Event> {
        self.events.recv_timeout(timeout).ok()
    }
}

impl Client for Engine {
    fn send(&self, command: Command) -> Result<(), ClientClosed> {
        let running = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
        let Some(outbox) = self.outbox.as_ref().filter(|_| running) else { return Err(ClientClosed) };
        // The floor rises before the command is queued: what is running ends while the queue is still on its way.
        match &command {
            Command::Generate { run, .. } => {
                self.newest_run.fetch_max(run.0, Ordering::Relaxed);
                self.floor.raise(run.0);
            }
            Command::Stop => self.floor.raise(self.newest_run.load(Ordering::Relaxed) + 1),
            Command::Inspect(_) | Command::Compute(_) => {}
        }
        outbox.send(command);
        Ok(())
    }

    fn try_event(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.floor.raise(u64::MAX);
        self.outbox = None;
        // A worker that waits for room in the event channel must not be waited for.
        self.events = crossbeam_channel::never();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
