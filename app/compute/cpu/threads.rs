use fourstep_kernels::Pool;
use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
};
use sysinfo::System;
use thread_priority::{ThreadPriority, set_current_thread_priority};

/// Of 100, which is the most; nice 10 on Linux.
const LOWER: u8 = 22;

/// From now on, other threads go before this one where there are not enough processors: it computes, and whoever looks
/// at the window should not notice. Where the system does not allow that, it stays as it is.
pub fn lower_priority() {
    let lower = LOWER.try_into().map(ThreadPriority::Crossplatform);
    if let Ok(Err(e)) = lower.map(set_current_thread_priority) {
        log::debug!("the priority of a thread that computes was not lowered: {e:?}");
    }
}

/// The threads of this process for so many tasks at a time. There is one pool of each size, and whoever asks for
/// another size wants to measure.
pub(super) fn pool(threads: usize) -> Arc<Pool> {
    static POOLS: Mutex<BTreeMap<usize, Arc<Pool>>> = Mutex::new(BTreeMap::new());
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools.entry(threads).or_insert_with(|| Arc::new(Pool::new(threads, lower_priority))).clone()
}

/// Cores of this machine that the process may use. Two threads on one core would share its arithmetic units and get in
/// each other's way in its caches.
pub(super) fn cores() -> usize {
    let allowed = available_parallelism().map_or(1, NonZero::get);
    System::physical_core_count().map_or(allowed, |cores| cores.clamp(1, allowed))
}
