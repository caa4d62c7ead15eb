mod worker;

use crate::{Decode, LinearDecoder, Plan, Show};
use fourstep_compute::CancelFloor;
use fourstep_protocol::{Latents, ModelRef, Picture, RunId};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};
use worker::Worker;

/// Makes previews on a thread of its own. The newest offer wins: nothing queues, nothing blocks.
pub struct Previewer {
    shared: Arc<Shared>,
    floor: CancelFloor,
}

/// A step to show.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// Whose decoder to use.
    pub model: ModelRef,
    /// What the network takes the picture to be.
    pub denoised: Arc<Latents>,
    /// How long this step took.
    pub step_secs: f64,
    /// Whether the window's graphics card decodes it, where it can: it is only to be drawn.
    pub on_window: bool,
}

/// A step to look at.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// What it looks like, smaller than asked for unless `plan` is [`Plan::Full`].
    pub image: Image,
    /// How it was made.
    pub plan: Plan,
}

/// A preview where it lies.
#[derive(Clone, Debug)]
pub enum Image {
    /// In memory.
    Picture(Arc<Picture>),
    /// On the window's graphics card.
    Texture(wgpu::Texture),
}

/// Opens a decoder on the window's graphics card; `None` where there is none for the model.
pub type OpenShow = Box<dyn FnOnce() -> Option<Box<dyn Show>> + Send>;

/// What decodes a model's latents for previews.
pub struct Decoders {
    /// Opens the model's tiny decoder on the window's graphics card, when a preview is first wanted there.
    pub on_window: Option<OpenShow>,
    /// The model's tiny decoder; `None` where it has none.
    pub tiny: Result<Option<Box<dyn Decode>>, String>,
    /// What serves without it, and where it fails.
    pub linear: LinearDecoder,
}

impl Previewer {
    /// Starts the thread. `load` opens the decoders of a model, once for each change of model; `wake` is called when
    /// there is a new preview or error.
    ///
    /// # Errors
    /// Where the system has no thread to give.
    pub fn spawn(
        load: impl FnMut(&ModelRef) -> Decoders + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let floor = CancelFloor::default();
        let mut worker = Worker::new(shared.clone(), floor.clone(), Box::new(load));
        std::thread::Builder::new().name("preview".into()).spawn(move || worker.work(&wake))?;
        Ok(Self { shared, floor })
    }

    /// Opens the model's decoder ahead of the first offer, so that the first preview does not wait for it.
    pub fn prepare(&self, model: ModelRef) {
        self.post(Order::Prepare(model));
    }

    /// Offers a step. It replaces an offer that still waits, and ends decoding for older runs.
    pub fn offer(&self, job: Job) {
        self.floor.raise(job.run.0);
        self.post(Order::Show(job));
    }

    /// Asks for these too, when no offer waits: at full size, one after the other, none left out. What was asked for before
    /// is forgotten; an offer for a newer run ends the one being decoded.
    pub fn develop(&self, jobs: Vec<Job>) {
        lock(&self.shared.inbox).later = jobs.into();
        self.shared.posted.notify_one();
    }

    /// Says that the picture of this run is there: what is still being decoded for it is of no use any more.
    pub fn finish(&self, run: RunId) {
        self.floor.raise(run.0.saturating_add(1));
    }

    /// The newest preview that was not taken yet, then what was developed.
    pub fn try_picture(&self) -> Option<Preview> {
        let newest = lock(&self.shared.preview).take();
        newest.or_else(|| lock(&self.shared.developed).pop_front())
    }

    /// The newest error, once. Previews go on with [`LinearDecoder`] after it.
    pub fn last_error(&self) -> Option<String> {
        lock(&self.shared.error).take()
    }

    fn post(&self, order: Order) {
        lock(&self.shared.inbox).newest = Some(order);
        self.shared.posted.notify_one();
    }
}

impl Drop for Previewer {
    fn drop(&mut self) {
        self.floor.raise(u64::MAX);
        self.post(Order::End);
    }
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    posted: Condvar,
    preview: Mutex<Option<Preview>>,
    developed: Mutex<VecDeque<Preview>>,
    error: Mutex<Option<String>>,
}

#[derive(Default)]
struct Inbox {
    newest: Option<Order>,
    later: VecDeque<Job>,
}

enum Order {
    Prepare(ModelRef),
    Show(Job),
    Develop(Job),
    End,
}

/// A panic while one of these was held cannot leave it half-changed: each is replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
