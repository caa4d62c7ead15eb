use super::layers::Layers;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Writes down how long operations take and in which precision layers are, for whoever asked for it when a processor
/// was opened. Cloning shares.
#[derive(Clone, Debug, Default)]
pub struct Profiler(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    layers: Arc<Layers>,
    times: Mutex<Times>,
    peak_tensor_bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Times {
    sections: Vec<Section>,
    running: BTreeMap<(&'static str, Size), (u64, Duration)>,
}

/// What was computed between two marks.
pub type Section = Vec<Operation>;

/// All calls of an operation at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Its name in [`Backend`](crate::Backend).
    pub name: &'static str,
    /// Its size, as a person reads it.
    pub size: String,
    /// How often it was called.
    pub calls: u64,
    /// How long all calls took.
    pub secs: f64,
    /// Multiplications and additions of all calls; 0 where moving numbers is all there is to it.
    pub flops: f64,
}

/// Layers whose weights are in one precision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerCount {
    /// `linear`, `geglu` or `conv2d`.
    pub kind: &'static str,
    /// `f32`, `bf16` or `int8`.
    pub precision: &'static str,
    /// How many.
    pub layers: usize,
    /// What they take together.
    pub bytes: usize,
}

/// What an operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Size {
    Product { rows: usize, inputs: usize, outputs: usize },
    Convolution { output: [usize; 3], inputs: usize, outputs: usize, kernel: [usize; 2], stride: usize },
    Attention { samples: usize, heads: usize, d: usize, queries: usize, keys: usize },
    Values { positions: usize, channels: usize },
}

impl Profiler {
    /// Ends a section and begins the next one.
    pub fn mark(&self) {
        let mut times = self.times();
        let operations = std::mem::take(&mut times.running).into_iter();
        let section = operations.map(|((name, size), (calls, time))| Operation {
            name,
            size: size.to_string(),
            calls,
            secs: time.as_secs_f64(),
            flops: calls as f64 * size.flops(),
        });
        let section = section.collect();
        times.sections.push(section);
    }

    /// The sections that ended since they were last asked for.
    pub fn sections(&self) -> Vec<Section> {
        std::mem::take(&mut self.times().sections)
    }

    /// The layers that are there.
    pub fn layer_counts(&self) -> Vec<LayerCount> {
        let counts = self.0.layers.counts().into_iter();
        let counts = counts.map(|((kind, precision), count)| LayerCount {
            kind: kind.name(),
            precision,
            layers: count.layers,
            bytes: count.bytes,
        });
        counts.collect()
    }

    /// The most bytes that tensors took at a time.
    pub fn peak_tensor_bytes(&self) -> usize {
        self.0.peak_tensor_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn layers(&self) -> &Arc<Layers> {
        &self.0.layers
    }

    /// An operation was done; by then tensors had taken so many bytes at most.
    pub(super) fn record(&self, operation: &'static str, size: Size, time: Duration, peak_tensor_bytes: usize) {
        self.0.peak_tensor_bytes.fetch_max(peak_tensor_bytes, Ordering::Relaxed);
        let mut times = self.times();
        let (calls, total) = times.running.entry((operation, size)).or_default();
        *calls += 1;
        *total += time;
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Size {
    fn flops(self) -> f64 {
        let multiplications = match self {
            Self::Product { rows, inputs, outputs } => rows * inputs * outputs,
            Self::Convolution { output: [n, h, w], inputs, outputs, kernel, .. } => {
                n * h * w * inputs * outputs * kernel[0] * kernel[1]
            }
            Self::Attention { samples, heads, d, queries, keys } => 2 * samples * heads * d * queries * keys,
            Self::Values { .. } => 0,
        };
        2.0 * multiplications as f64
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product { rows, inputs, outputs } => write!(f, "{rows} rows {inputs}→{outputs}"),
            Self::Convolution { output: [n, h, w], inputs, outputs, kernel: [kh, kw], stride } => {
                write!(f, "{inputs}→{outputs} {kh}×{kw}")?;
                if *stride > 1 {
                    write!(f, "/{stride}")?;
                }
                if *n > 1 {
                    write!(f, " {n}×")?;
                }
                write!(f, " to {w}×{h}")
            }
            Self::Attention { samples, heads, d, queries, keys } => {
                let heads = samples * heads;
                write!(f, "{queries} to {keys}, {heads} heads of {d}")
            }
            Self::Values { positions, channels } => write!(f, "{positions} × {channels}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_hold_what_was_between_two_marks() {
        let profiler = Profiler::default();
        let size = Size::Product { rows: 2, inputs: 3, outputs: 4 };
        profiler.record("linear", size, Duration::from_millis(1), 100);
        profiler.record("linear", size, Duration::from_millis(2), 300);
        profiler.mark();
        profiler.record("add", Size::Values { positions: 5, channels: 6 }, Duration::from_millis(4), 200);
        profiler.mark();
        let [first, second] = &profiler.sections()[..] else { panic!("two sections") };
        let [linear] = &first[..] else { panic!("{first:?}") };
        assert_eq!((linear.name, &*linear.size, linear.calls, linear.flops), ("linear", "2 rows 3→4", 2, 96.0));
        assert!((linear.secs - 0.003).abs() < 1e-9 && second[0].name == "add");
        assert!(profiler.sections().is_empty() && profiler.peak_tensor_bytes() == 300);
    }
}
