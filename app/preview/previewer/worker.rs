use super::{Decoders, Image, Inbox, Job, OpenShow, Order, Preview, Shared, lock};
use crate::{Budget, Decode, DecodeError, LinearDecoder, Plan, Show, half_size};
use fourstep_compute::{CancelFloor, CancelToken};
use fourstep_protocol::{Latents, ModelRef, Picture};
use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError},
    time::Instant,
};

pub(super) type Load = Box<dyn FnMut(&ModelRef) -> Decoders + Send>;

/// Decodes, one order after the other.
pub(super) struct Worker {
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
    /// Until a preview is wanted on the window's card.
    to_open: Option<OpenShow>,
    on_window: Option<OnWindow>,
}

/// The decoder on the window's graphics card, which has its own speed.
struct OnWindow {
    decoder: Box<dyn Show>,
    budget: Budget,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, floor: CancelFloor, load: Load) -> Self {
        Self { shared, floor, load, open: None }
    }

    pub(super) fn work(&mut self, wake: &dyn Fn()) {
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
        Some(Preview { run: job.run, step: job.step, image: Image::Picture(Arc::new(picture)), plan })
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
        let shown = if job.on_window { self.show_on_window(job, &cancel) } else { Shown::Elsewhere };
        let (image, plan) = match shown {
            Shown::Here(shown) => shown?,
            Shown::Elsewhere => {
                let (picture, plan) = self.show_picture(job, &cancel)?;
                (Image::Picture(Arc::new(picture)), plan)
            }
        };
        let wanted = !cancel.is_cancelled();
        wanted.then_some(Preview { run: job.run, step: job.step, image, plan })
    }

    fn show_picture(&mut self, job: &Job, cancel: &CancelToken) -> Option<(Picture, Plan)> {
        let open = self.open(&job.model);
        let positions = job.denoised.height * job.denoised.width;
        let plan = if open.decoder.is_free() { Plan::Full } else { open.budget.plan(positions, job.step_secs) };
        let start = Instant::now();
        match caught(|| open.decode(plan, &job.denoised, cancel)) {
            Ok(picture) => {
                open.budget.record(plan, positions, start.elapsed().as_secs_f64());
                Some((picture?, plan))
            }
            Err(DecodeError::Cancelled) => None,
            Err(DecodeError::Failed(why)) => Some((self.without_decoder(why, job, cancel)?, Plan::Full)),
        }
    }

    /// On the window's graphics card; after a fault that is not asked again.
    fn show_on_window(&mut self, job: &Job, cancel: &CancelToken) -> Shown {
        let open = self.open(&job.model);
        if let Some(to_open) = open.to_open.take() {
            let opened = caught(|| Ok(to_open())).unwrap_or_default();
            open.on_window = opened.map(|decoder| OnWindow { decoder, budget: Budget::default() });
        }
        let Some(OnWindow { decoder, budget }) = &mut open.on_window else { return Shown::Elsewhere };
        let positions = job.denoised.height * job.denoised.width;
        let plan = budget.plan(positions, job.step_secs);
        let start = Instant::now();
        let shown = caught(|| match plan.fit(&job.denoised)? {
            Some(latents) => decoder.show(&latents, cancel).map(Some),
            None => Ok(None),
        });
        match shown {
            Ok(texture) => {
                let secs = start.elapsed().as_secs_f64();
                log::debug!(
                    "run {} step {} on the window's card: {plan:?} in {:.1} ms",
                    job.run.0,
                    job.step,
                    secs * 1e3
                );
                budget.record(plan, positions, secs);
                Shown::Here(texture.map(|texture| (Image::Texture(texture), plan)))
            }
            Err(DecodeError::Cancelled) => Shown::Here(None),
            Err(DecodeError::Failed(why)) => {
                open.on_window = None;
                self.report(why);
                Shown::Elsewhere
            }
        }
    }

    /// The decoder of this model; a linear one where its own cannot be had.
    fn open(&mut self, model: &ModelRef) -> &mut Open {
        let open = match self.open.take() {
            Some(open) if open.model == *model => open,
            _ => {
                let load = &mut self.load;
                let Decoders { on_window: to_open, tiny, linear } =
                    caught(|| Ok(load(model))).unwrap_or_else(|panic| Decoders {
                        on_window: None,
                        tiny: Err(panic.to_string()),
                        linear: LinearDecoder::default(),
                    });
                let decoder = tiny.unwrap_or_else(|error| {
                    self.report(error);
                    None
                });
                let decoder = decoder.unwrap_or_else(|| Box::new(linear));
                Open { model: model.clone(), decoder, linear, budget: Budget::default(), to_open, on_window: None }
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
        plan.fit(latents)?.map(|latents| self.decoder.decode(&latents, cancel)).transpose()
    }
}

/// What came of a preview on the window's graphics card.
enum Shown {
    /// It is there, or was not worth its time or is not waited for any more.
    Here(Option<(Image, Plan)>),
    /// It has to be made elsewhere.
    Elsewhere,
}

impl Plan {
    /// The latents that are decoded; `None` where none are.
    fn fit(self, latents: &Latents) -> Result<Option<Cow<'_, Latents>>, DecodeError> {
        Ok(match self {
            Self::Full => Some(Cow::Borrowed(latents)),
            Self::Half => Some(Cow::Owned(half_size(latents)?)),
            Self::Quarter => Some(Cow::Owned(half_size(&half_size(latents)?)?)),
            Self::Skip => None,
        })
    }
}

/// A panic becomes an error: the window must not lose its previews for ever to one bad decoder.
fn caught<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref().cloned());
        Err(DecodeError::Failed(format!("the decoder panicked: {}", text.unwrap_or_default())))
    })
}
