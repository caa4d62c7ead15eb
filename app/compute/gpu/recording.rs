use super::{
    Call, Gpu, Tensor,
    device::Done,
    elementwise::flat_groups,
    kernel::Kernel,
    memory::{Count, Memory},
    open::Shared,
    parameters,
    stream::{Cost, Dispatch, encode},
    transfer,
};
use crate::{CancelToken, Result, shapes};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

/// Where operations are written down.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Vec<Dispatch>>);

impl Recorder {
    pub(super) fn push(&self, dispatch: Dispatch) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(dispatch);
    }
}

/// Operations with memory of their own, to be computed again and again, a slice at a time: write their inputs, then
/// [`advance`](Self::advance) until it breaks. [`restart`](Self::restart) leaves what is stale undone.
pub struct Recording {
    gpu: Gpu,
    dispatches: Vec<Dispatch>,
    at: usize,
    /// Of the slice that was handed in last.
    done: Option<Done>,
    /// How much more, or less, than it seemed fits into a budget.
    pace: f64,
}

/// A dispatch of a recording, on paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The kernel.
    pub kernel: &'static str,
    /// What it computes and moves.
    pub cost: Cost,
}

impl Gpu {
    /// Writes down the operations of `work` instead of computing them. What it uploads is uploaded now, and may be written
    /// again before each time they are computed; nothing can be downloaded. The tensors that `work` returns are where the
    /// recording reads its inputs and leaves its results.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn record<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<(Recording, T)> {
        let recorder = Arc::<Recorder>::default();
        let memory = Arc::<Memory>::default();
        let gpu = Self { recorder: Some(recorder.clone()), memory, ..self.clone() };
        let result = work(&gpu)?;
        let dispatches = std::mem::take(&mut *recorder.0.lock().unwrap_or_else(PoisonError::into_inner));
        // It outlives the run that it was recorded in.
        let gpu = Self { cancel: CancelToken::never(), ..gpu };
        Ok((Recording::new(gpu, dispatches), result))
    }

    /// The first three channels of a picture in −1…1 into a texture of its size, `rgba8unorm` with `STORAGE_BINDING`.
    ///
    /// # Errors
    /// `Shape` where `x` is no picture of one sample with three channels, `Device` where the texture is another.
    pub fn show(&self, x: &Tensor, texture: &wgpu::TextureView) -> Result<()> {
        self.own(&[x])?;
        let picture = shapes::shown(x.shape())?;
        let (height, width) = (picture.h as u32, picture.w as u32);
        let bytes = x.bytes();
        self.dispatch(Call {
            kernel: Kernel::Show,
            bindings: &[self.part(x, 0..x.rows()).binding],
            texture: Some(texture),
            parameters: parameters::Show { height, width, quads: x.quads() as u32 }.words(),
            groups: flat_groups(x.rows()),
            cost: Cost { flops: 4 * x.rows() as u64, read_bytes: bytes, written_bytes: 4 * x.rows() as u64 },
        })
    }
}

impl Recording {
    fn new(gpu: Gpu, dispatches: Vec<Dispatch>) -> Self {
        Self { gpu, dispatches, at: 0, done: None, pace: 1.0 }
    }

    /// Writes a tensor that was uploaded while it was recorded, `[n, c, h, w]`, and starts anew.
    ///
    /// # Errors
    /// `Shape` where the values are not the tensor's, `Device` and `DeviceLost`.
    pub fn write_image(&mut self, x: &Tensor, nchw: &[f32]) -> Result<()> {
        let picture = x.shape().picture("write_image")?;
        shapes::expect_len("image", nchw.len(), &[picture.n, picture.c, picture.h, picture.w])?;
        self.restart();
        self.gpu.write(x, &transfer::channels_last(nchw, picture))
    }

    /// Hands in operations that take about so many seconds, at least one; breaks where they were the last. While those
    /// from before are not done it hands in nothing, and will hand in less: so it asks no more of a device that somebody
    /// else draws with than it can do.
    ///
    /// # Errors
    /// `Device` and `DeviceLost`.
    pub fn advance(&mut self, budget_secs: f64) -> Result<ControlFlow<()>> {
        const SLOWER: f64 = 0.5;
        const FASTER: f64 = 1.25;
        const MOST: f64 = 64.0;
        if self.at == self.dispatches.len() {
            return Ok(ControlFlow::Break(()));
        }
        let Shared { device, stream, .. } = &*self.gpu.shared;
        if let Some(done) = &self.done {
            if !device.is_done(done)? {
                self.pace = (self.pace * SLOWER).max(1.0 / MOST);
                return Ok(ControlFlow::Continue(()));
            }
            self.pace = (self.pace * FASTER).min(MOST);
            self.done = None;
        }
        let begin = self.at;
        let mut estimate = 0.0;
        while let Some(dispatch) = self.dispatches.get(self.at) {
            estimate += stream.estimate_secs(dispatch.cost);
            if self.at > begin && estimate > budget_secs * self.pace {
                break;
            }
            self.at += 1;
        }
        let slice = &self.dispatches[begin..self.at];
        // What others have asked for before is done before.
        stream.submit(device)?;
        let commands = device.guard("record", || encode(&device.device, slice))?;
        self.done = Some(device.submit("submit", [commands])?);
        Ok(if self.at == self.dispatches.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Begins from the first operation again.
    pub fn restart(&mut self) {
        self.at = 0;
    }

    /// What all of it takes, as far as one can tell.
    pub fn estimate_secs(&self) -> f64 {
        self.dispatches.iter().map(|dispatch| self.gpu.shared.stream.estimate_secs(dispatch.cost)).sum()
    }

    /// Memory of its tensors.
    pub fn tensors(&self) -> Count {
        self.gpu.memory.count()
    }

    /// Its dispatches of one kernel, to be timed by themselves: what they compute is of no use.
    #[must_use]
    pub fn only(&self, kernel: &str) -> Self {
        let of_kernel = |d: &&Dispatch| d.pipeline.variant.kernel.name() == kernel;
        Self::new(self.gpu.clone(), self.dispatches.iter().filter(of_kernel).cloned().collect())
    }

    /// Its dispatches, on paper.
    pub fn dispatches(&self) -> impl Iterator<Item = Recorded> {
        let recorded = |d: &Dispatch| Recorded { kernel: d.pipeline.variant.kernel.name(), cost: d.cost };
        self.dispatches.iter().map(recorded)
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recording({} of {} dispatches)", self.at, self.dispatches.len())
    }
}
