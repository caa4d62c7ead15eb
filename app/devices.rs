//! The graphics cards of this machine, for the window.

use fourstep_compute::gpu::{self, Adapter};
use fourstep_ui::{AdapterInfo, AdapterKind, Devices, Waker};
use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Fills the window's port: each look is a short thread, since drivers take their time.
pub(crate) struct DevicesPort {
    newest: Arc<Mutex<Arc<Vec<AdapterInfo>>>>,
    waker: Waker,
}

impl DevicesPort {
    /// Begins to look at once.
    pub(crate) fn new(waker: Waker) -> Self {
        let port = Self { newest: Arc::default(), waker };
        port.refresh();
        port
    }
}

impl Devices for DevicesPort {
    fn adapters(&self) -> Arc<Vec<AdapterInfo>> {
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn refresh(&self) {
        let (newest, waker) = (Arc::clone(&self.newest), self.waker.clone());
        let look = move || {
            let found: Vec<AdapterInfo> = gpu::adapters().iter().map(info).collect();
            let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
            if **newest != found {
                *newest = Arc::new(found);
                waker();
            }
        };
        if let Err(e) = thread::Builder::new().name("devices".into()).spawn(look) {
            log::warn!("graphics cards are not looked for: {e}");
        }
    }
}

fn info(adapter: &Adapter) -> AdapterInfo {
    let kind = match adapter.kind {
        gpu::AdapterKind::Discrete => AdapterKind::Discrete,
        gpu::AdapterKind::Integrated => AdapterKind::Integrated,
        gpu::AdapterKind::Virtual => AdapterKind::Virtual,
        gpu::AdapterKind::Software => AdapterKind::Software,
    };
    AdapterInfo { name: adapter.label(), kind, memory_bytes: adapter.memory_bytes }
}
