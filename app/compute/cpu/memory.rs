use crate::{ComputeError, Result};
use fourstep_kernels::Buffer;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Runs after which memory that none of them used is given back. More than a few, for while somebody types most runs
/// end in their first operations and say nothing of what a whole one needs.
const RUNS_KEPT: u64 = 16;
/// Runs whose memory is not given back for another size's: a picture is a run of the network and one of the decoder.
const RUNS_IN_USE: u64 = 2;
/// How much larger than asked for a buffer may be: what lies free is better used than doubled, but what is kept for a
/// prompt should not hold what a picture needs.
const LARGER: usize = 32;

/// Memory for tensors: what one leaves is the next one's, so that the system is asked for none after the first run,
/// and clears no pages.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By size, each with the run that used it last, the latest on top.
    free: BTreeMap<usize, Vec<(u64, Buffer)>>,
    run: u64,
    /// Bytes in use and free.
    held: usize,
    peak: usize,
}

/// A buffer that returns to where it came from.
#[derive(Debug)]
pub(super) struct Borrowed {
    pub(super) buffer: Buffer,
    memory: Arc<Memory>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let buffer = std::mem::replace(&mut self.buffer, Buffer::empty());
        let mut state = self.memory.state();
        let run = state.run;
        state.free.entry(buffer.len()).or_default().push((run, buffer));
    }
}

impl Memory {
    /// At least so many bytes, with whatever is in them.
    pub(super) fn borrow(self: &Arc<Self>, bytes: usize) -> Result<Borrowed> {
        let size = size_class(bytes);
        let free = self.state().free.range_mut(size..=size * LARGER).find_map(|(_, buffers)| buffers.pop());
        let buffer = match free {
            Some((_, buffer)) => buffer,
            None => self.state().grow(size)?,
        };
        Ok(Borrowed { buffer, memory: self.clone() })
    }

    /// A run begins.
    pub(super) fn begin_run(&self) {
        let mut state = self.state();
        state.run += 1;
        while let Some((run, size)) = state.oldest().filter(|(run, _)| run + RUNS_KEPT < state.run) {
            state.give_back(run, size);
        }
    }

    /// The most bytes that were held at a time.
    pub(super) fn peak(&self) -> usize {
        self.state().peak
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// New memory. The sizes of a run have changed: as much of what only older ones used is given back.
    fn grow(&mut self, size: usize) -> Result<Buffer> {
        let enough = self.held.saturating_sub(size);
        while self.held > enough {
            let Some((run, size)) = self.oldest().filter(|(run, _)| run + RUNS_IN_USE < self.run) else { break };
            self.give_back(run, size);
        }
        let buffer = Buffer::new(size).map_err(|e| ComputeError::Device {
            operation: "taking memory for a tensor",
            device: "CPU".into(),
            message: e.to_string(),
        })?;
        self.held += size;
        self.peak = self.peak.max(self.held);
        Ok(buffer)
    }

    /// The free buffer that was not used for the longest: its run and its size.
    fn oldest(&self) -> Option<(u64, usize)> {
        self.free.iter().filter_map(|(size, buffers)| Some((buffers.first()?.0, *size))).min()
    }

    /// Gives back all free buffers of this size that no run after this one used.
    fn give_back(&mut self, run: u64, size: usize) {
        let Some(buffers) = self.free.get_mut(&size) else { return };
        let before = buffers.len();
        buffers.retain(|(used, _)| *used > run);
        self.held -= size * (before - buffers.len());
        if buffers.is_empty() {
            self.free.remove(&size);
        }
    }
}

/// The size of the buffer for so many bytes: eight sizes between two powers of two, so that an eighth at most is left
/// unused.
fn size_class(bytes: usize) -> usize {
    const LEAST: usize = 4096;
    let bytes = bytes.max(LEAST);
    bytes.next_multiple_of((bytes.next_power_of_two() / 16).max(LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_like_the_one_before_takes_no_new_memory() {
        let memory = Arc::new(Memory::default());
        let run = || {
            memory.begin_run();
            let a = memory.borrow(10_000).expect("memory");
            let b = memory.borrow(100_000).expect("memory");
            drop(a);
            let c = memory.borrow(9_000).expect("memory");
            drop((b, c));
            memory.peak()
        };
        let first = run();
        assert!((0..50).all(|_| run() == first));
        assert!(first < 2 * 112_000, "{first}");
    }

    #[test]
    fn other_sizes_take_the_place_of_those_before() {
        let memory = Arc::new(Memory::default());
        let run = |bytes: usize| {
            memory.begin_run();
            drop([(); 3].map(|()| memory.borrow(bytes).expect("memory")));
            let state = memory.state();
            state.held
        };
        let small = run(1 << 20);
        assert_eq!(small, 3 << 20);
        assert_eq!(run(2 << 20), 9 << 20, "what the run before used may be wanted again");
        (0..=RUNS_IN_USE).for_each(|_| assert_eq!(run(2 << 20), 9 << 20));
        assert_eq!(run(4 << 20), (6 + 12) << 20, "small ones are gone");
        assert_eq!(run(1 << 20), 18 << 20, "what lies free is used, large as it is");
    }

    #[test]
    fn an_eighth_at_most_is_left_unused() {
        for bytes in (1..5_000_000).step_by(4567) {
            let size = size_class(bytes);
            assert!(size >= bytes && (size - bytes) * 8 <= bytes.max(8 * 4096), "{bytes} in {size}");
            assert_eq!(size_class(size), size);
        }
    }
}
