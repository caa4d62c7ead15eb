use super::device::Device;
use crate::Result;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Runs after which memory that none of them used is given back. More than a few, for while somebody types most runs
/// end in their first operations and say nothing of what a whole one needs.
const RUNS_KEPT: u64 = 16;
/// Runs whose memory is not given back for another size's: a picture is a run of the network and one of the decoder.
const RUNS_IN_USE: u64 = 2;
/// How much larger than asked for a buffer may be: what lies free is better used than doubled, but what is kept for a
/// prompt should not hold what a picture needs.
const LARGER: u64 = 4;
/// What may be held beyond what tensors and weights need, in percent of that.
const SPARE_PERCENT: u64 = 25;

const USAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST).union(wgpu::BufferUsages::COPY_SRC);

/// Memory of the device with a name that no other one gets, so that what was bound to it can be found again and forgotten.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) raw: wgpu::Buffer,
    pub(super) id: u64,
    gone: Arc<Gone>,
}

/// Names of buffers that are no more.
#[derive(Debug, Default)]
pub(super) struct Gone {
    next: AtomicU64,
    ids: Mutex<Vec<u64>>,
}

impl Gone {
    /// New memory.
    pub(super) fn buffer(
        self: &Arc<Self>,
        device: &Device,
        size: u64,
        usage: wgpu::BufferUsages,
        operation: &'static str,
    ) -> Result<Buffer> {
        let descriptor = wgpu::BufferDescriptor { label: Some(operation), size, usage, mapped_at_creation: false };
        let raw = device.guard(operation, || device.device.create_buffer(&descriptor))?;
        Ok(Buffer { raw, id: self.next.fetch_add(1, Ordering::Relaxed), gone: self.clone() })
    }

    /// Those that went since somebody asked.
    pub(super) fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.gone.ids.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}

/// Memory for tensors: what one leaves is the next one's. The order in which work is handed in is that in which it is
/// done, so it may be written again before it was read.
///
/// Which buffer is taken depends on nothing but which are free: a step whose operations come in the same order as the
/// step's before gets the same buffers for them, and finds everything bound already.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By size, then by name, each with the run that used it last.
    free: BTreeMap<(u64, u64), (u64, Buffer)>,
    run: u64,
    count: Count,
}

/// Bytes of tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Of tensors that somebody holds.
    pub live_bytes: u64,
    /// The most of them at a time.
    pub peak_live_bytes: u64,
    /// Of buffers, in use and free.
    pub held_bytes: u64,
    /// The most of them at a time.
    pub peak_held_bytes: u64,
}

/// A buffer that returns to where it came from.
#[derive(Debug)]
pub(super) struct Borrowed {
    buffer: Option<Buffer>,
    asked: u64,
    memory: Arc<Memory>,
}

impl Borrowed {
    pub(super) fn buffer(&self) -> &Buffer {
        // It leaves only when this is dropped.
        self.buffer.as_ref().unwrap_or_else(|| unreachable!("a tensor has a buffer"))
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let mut state = self.memory.state();
        let run = state.run;
        state.count.live_bytes -= self.asked;
        if let Some(buffer) = self.buffer.take() {
            state.free.insert((buffer.raw.size(), buffer.id), (run, buffer));
        }
    }
}

impl Memory {
    /// At least so many bytes, with whatever is in them.
    pub(super) fn borrow(
        self: &Arc<Self>,
        device: &Device,
        gone: &Arc<Gone>,
        bytes: u64,
        weight_bytes: u64,
    ) -> Result<Borrowed> {
        let size = size_class(bytes);
        let mut state = self.state();
        state.count.live_bytes += bytes;
        state.count.peak_live_bytes = state.count.peak_live_bytes.max(state.count.live_bytes);
        let free = state.free.range((size, 0)..=(size * LARGER, u64::MAX)).next().map(|(key, _)| *key);
        let buffer = match free.and_then(|key| state.free.remove(&key)) {
            Some((_, buffer)) => buffer,
            None => {
                state.make_room(size, weight_bytes);
                let new = gone.buffer(device, size, USAGE, "taking memory for a tensor");
                let new = new.inspect_err(|_| state.count.live_bytes -= bytes)?;
                state.count.held_bytes += size;
                state.count.peak_held_bytes = state.count.peak_held_bytes.max(state.count.held_bytes);
                new
            }
        };
        drop(state);
        Ok(Borrowed { buffer: Some(buffer), asked: bytes, memory: self.clone() })
    }

    /// A run begins.
    pub(super) fn begin_run(&self) {
        let mut state = self.state();
        state.run += 1;
        while let Some((_, key)) = state.oldest().filter(|(run, _)| run + RUNS_KEPT < state.run) {
            state.give_back(key);
        }
    }

    pub(super) fn count(&self) -> Count {
        self.state().count
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives back what stands in the way of so many new bytes. Where the sizes of a run have changed, as much of what only
    /// older ones used; then, of what is smaller, as much as is beyond the spare.
    fn make_room(&mut self, size: u64, weight_bytes: u64) {
        let enough = self.count.held_bytes.saturating_sub(size);
        while self.count.held_bytes > enough {
            let Some((_, key)) = self.oldest().filter(|(run, _)| run + RUNS_IN_USE < self.run) else { break };
            self.give_back(key);
        }
        let needed = self.count.peak_live_bytes;
        let most = needed + (needed + weight_bytes) * SPARE_PERCENT / 100;
        while self.count.held_bytes + size > most {
            let Some(key) = self.free.range(..(size, 0)).next_back().map(|(key, _)| *key) else { break };
            self.give_back(key);
        }
    }

    /// The free buffer that was not used for the longest.
    fn oldest(&self) -> Option<(u64, (u64, u64))> {
        self.free.iter().map(|(key, (run, _))| (*run, *key)).min()
    }

    fn give_back(&mut self, key: (u64, u64)) {
        if self.free.remove(&key).is_some() {
            self.count.held_bytes -= key.0;
        }
    }
}

/// The size of the buffer for so many bytes: eight sizes between two powers of two, so that an eighth at most is left
/// unused.
fn size_class(bytes: u64) -> u64 {
    const LEAST: u64 = 4096;
    let bytes = bytes.max(LEAST);
    bytes.next_multiple_of((bytes.next_power_of_two() / 16).max(LEAST))
}
