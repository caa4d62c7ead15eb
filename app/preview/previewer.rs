use crate::{Budget, Decode, DecodeError, LinearDecoder, Plan, half_size};
use fourstep_compute::{CancelFloor, CancelToken};
use fourstep_protocol::{Latents, ModelRef, Picture, RunId};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

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
}

/// A step to look at.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// The picture, smaller than asked for unless `plan` is [`Plan::Full`].
    pub picture: Arc<Picture>,
    /// How it was made.
    pub plan: Plan,
}

/// What decodes a model's latents for previews.
pub struct Decoders {
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
        let mut worker = Worker { shared: shared.clone(), floor: floor.clone(), load: Box::new(load), open: None };
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

type Load = Box<dyn FnMut(&ModelRef) -> Decoders + Send>;

struct Worker {
    shared: Arc<Shared>,
    floor: CancelFloor,
    load: Load,
    open: Option<Open>,
}

/// The decoder in use.
struct Open {
    model: ModelRef,
    decoder: Box<dyn Decode>,
    linear: LinearDecoder,
    budget: Budget,
}

impl Worker {
    fn work(&mut self, wake: &dyn Fn()) {
        loop {
            match self.next_order() {
                Order::Prepare(model) => {
                    self.open(&model);
                }
                Order::Show(job) => {
                    if let Some(preview) = self.show(&job) {
                        *lock(&self.shared.preview) = Some(preview);
                        wake();
                    }
                }
                Order::Develop(job) => {
                    if let Some(preview) = self.develop(&job) {
                        lock(&self.shared.developed).push_back(preview);
                        wake();
                    }
                }
                Order::End => return,
            }
            if lock(&self.shared.error).is_some() {
                wake();
            }
        }
    }

    fn next_order(&self) -> Order {
        let mut inbox = lock(&self.shared.inbox);
        loop {
            let later = |inbox: &mut Inbox| inbox.later.pop_front().map(Order::Develop);
            match inbox.newest.take().or_else(|| later(&mut inbox)) {
                Some(order) => return order,
                None => inbox = self.shared.posted.wait(inbox).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn develop(&mut self, job: &Job) -> Option<Preview> {
        let cancel = self.floor.token_until_raised();
        let open = self.open(&job.model);
        let plan = Plan::Full;
        let decoded = caught(|| open.decode(plan, &job.denoised, &cancel));
        let picture = match decoded {
            Ok(picture) => picture?,
            Err(DecodeError::Cancelled) => return None,
            Err(DecodeError::Failed(why)) => self.without_decoder(why, job, &cancel)?,
        };
        Some(Preview { run: job.run, step: job.step, picture: Arc::new(picture), plan })
    }

    /// After a fault nothing is known about the decoder's state: it is not asked again.
    fn without_decoder(&mut self, why: String, job: &Job, cancel: &CancelToken) -> Option<Picture> {
        self.report(why);
        let open = self.open.as_mut()?;
        open.decoder = Box::new(open.linear);
        open.linear.decode(&job.denoised, cancel).ok()
    }

    fn show(&mut self, job: &Job) -> Option<Preview> {
        let cancel = self.floor.token(job.run.0);
        if cancel.is_cancelled() {
            return None;
        }
        let open = self.open(&job.model);
        let positions = job.denoised.height * job.denoised.width;
        let plan = if open.decoder.is_free() { Plan::Full } else { open.budget.plan(positions, job.step_secs) };
        let start = Instant::now();
        let decoded = caught(|| open.decode(plan, &job.denoised, &cancel));
        let (picture, plan) = match decoded {
            Ok(picture) => {
                open.budget.record(plan, positions, start.elapsed().as_secs_f64());
                (picture?, plan)
            }
            Err(DecodeError::Cancelled) => return None,
            Err(DecodeError::Failed(why)) => (self.without_decoder(why, job, &cancel)?, Plan::Full),
        };
        let wanted = !cancel.is_cancelled();
        wanted.then(|| Preview { run: job.run, step: job.step, picture: Arc::new(picture), plan })
    }

    /// The decoder of this model; a linear one where its own cannot be had.
    fn open(&mut self, model: &ModelRef) -> &mut Open {
        let open = match self.open.take() {
            Some(open) if open.model == *model => open,
            _ => {
                let load = &mut self.load;
                let Decoders { tiny, linear } = caught(|| Ok(load(model))).unwrap_or_else(|panic| Decoders {
                    tiny: Err(panic.to_string()),
                    linear: LinearDecoder::default(),
                });
                let decoder = tiny.unwrap_or_else(|error| {
                    self.report(error);
                    None
                });
                let decoder = decoder.unwrap_or_else(|| Box::new(linear));
                Open { model: model.clone(), decoder, linear, budget: Budget::default() }
            }
        };
        self.open.insert(open)
    }

    fn report(&self, why: String) {
        log::warn!("preview: {why}");
        *lock(&self.shared.error) = Some(why);
    }
}

impl Open {
    fn decode(&mut self, plan: Plan, latents: &Latents, cancel: &CancelToken) -> Result<Option<Picture>, DecodeError> {
        match plan {
            Plan::Full => self.decoder.decode(latents, cancel).map(Some),
            Plan::Half => self.decoder.decode(&half_size(latents)?, cancel).map(Some),
            Plan::Quarter => self.decoder.decode(&half_size(&half_size(latents)?)?, cancel).map(Some),
            Plan::Skip => Ok(None),
        }
    }
}

/// A panic becomes an error: the window must not lose its previews for ever to one bad decoder.
fn caught<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref().cloned());
        Err(DecodeError::Failed(format!("the decoder panicked: {}", text.unwrap_or_default())))
    })
}

#[cfg(test)]
mod tests;
