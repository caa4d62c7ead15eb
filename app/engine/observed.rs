use fourstep_compute::{CancelToken, HostTensor, Result, TensorSource};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// A source of weights that tells how far loading is and ends when the run is no longer wanted, so that neither the
/// networks nor the files need to know of either.
pub(crate) struct Observed<'a> {
    source: &'a dyn TensorSource,
    cancel: CancelToken,
    read: AtomicUsize,
    progress: &'a (dyn Fn(usize) + Sync),
}

impl<'a> Observed<'a> {
    /// `progress` is told how many numbers were read from this source so far.
    pub(crate) fn new(source: &'a dyn TensorSource, cancel: CancelToken, progress: &'a (dyn Fn(usize) + Sync)) -> Self {
        Self { source, cancel, read: AtomicUsize::new(0), progress }
    }
}

impl TensorSource for Observed<'_> {
    fn tensor(&self, key: &str) -> Result<HostTensor> {
        self.cancel.check()?;
        let tensor = self.source.tensor(key)?;
        let len = tensor.shape().iter().product::<usize>();
        (self.progress)(self.read.fetch_add(len, Ordering::Relaxed) + len);
        Ok(tensor)
    }

    fn contains(&self, key: &str) -> bool {
        self.source.contains(key)
    }

    fn version(&self, key: &str) -> Option<u64> {
        self.source.version(key)
    }
}

/// Passes on progress a hundred times at most: a U-Net has thousands of tensors.
pub(crate) struct Throttled<'a> {
    tell: &'a (dyn Fn(f32) + Sync),
    percent: AtomicU32,
}

impl<'a> Throttled<'a> {
    pub(crate) fn new(tell: &'a (dyn Fn(f32) + Sync)) -> Self {
        Self { tell, percent: 0.into() }
    }

    pub(crate) fn tell(&self, fraction: f32) {
        let percent = (fraction * 100.0) as u32;
        if self.percent.fetch_max(percent, Ordering::Relaxed) < percent {
            (self.tell)(fraction);
        }
    }
}
