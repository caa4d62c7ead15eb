use fourstep_compute::{CancelToken, HostTensor, Result, TensorSource};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The reading of all that a run must load first: how far it is, and whether anybody still waits for it.
pub(crate) struct Loading<'a> {
    cancel: CancelToken,
    tell: &'a (dyn Fn(f32) + Sync),
    /// Numbers to be read.
    total: u64,
    read: AtomicU64,
    percent: AtomicU32,
}

impl<'a> Loading<'a> {
    /// `tell` hears how much is done, 0 … 1, a hundred times at most: a U-Net has thousands of tensors.
    pub(crate) fn new(cancel: CancelToken, total: u64, tell: &'a (dyn Fn(f32) + Sync)) -> Self {
        tell(0.0);
        Self { cancel, tell, total: total.max(1), read: 0.into(), percent: 0.into() }
    }

    /// Says that all is done, also where less had to be read than there is.
    pub(crate) fn finish(&self) {
        self.reached(100);
    }

    fn count(&self, numbers: u64) {
        let read = self.read.fetch_add(numbers, Ordering::Relaxed) + numbers;
        self.reached((100 * read / self.total).min(100) as u32);
    }

    fn reached(&self, percent: u32) {
        if self.percent.fetch_max(percent, Ordering::Relaxed) < percent {
            (self.tell)(percent as f32 / 100.0);
        }
    }
}

/// A source that counts what is read from it and ends when the run is no longer wanted, so that neither the networks
/// nor the files need to know of either.
pub(crate) struct Watched<'a> {
    source: &'a dyn TensorSource,
    loading: &'a Loading<'a>,
    read: AtomicU64,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(source: &'a dyn TensorSource, loading: &'a Loading<'a>) -> Self {
        Self { source, loading, read: 0.into() }
    }

    /// Numbers read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

impl TensorSource for Watched<'_> {
    fn tensor(&self, key: &str) -> Result<HostTensor> {
        self.loading.cancel.check()?;
        let tensor = self.source.tensor(key)?;
        self.loading.cancel.check()?;
        let numbers = tensor.shape().iter().product::<usize>() as u64;
        self.read.fetch_add(numbers, Ordering::Relaxed);
        self.loading.count(numbers);
        Ok(tensor)
    }

    fn contains(&self, key: &str) -> bool {
        self.source.contains(key)
    }

    fn version(&self, key: &str) -> Option<u64> {
        self.source.version(key)
    }
}
