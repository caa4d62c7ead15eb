use crate::{Moment, meter::Load};
use fourstep_protocol::{Latents, ModelRef, Request, RunId};
use std::sync::Arc;

/// A run that the engine was asked for and that was not superseded since.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// What was asked for, without what has no effect on the picture.
    pub(crate) canonical: Request,
    /// What it is a draft of.
    pub(crate) draft_of: Option<Request>,
    pub(crate) load: Load,
    pub(crate) sent: Moment,
    /// When it began to paint, where something was loaded first, else when it was sent.
    pub(crate) begun: Moment,
    /// What it looked like after each step so far.
    pub(crate) seen: Vec<Step>,
    /// Steps done.
    pub(crate) step: u32,
    pub(crate) steps: u32,
    /// `elapsed_secs` of the last step, to get the time between two.
    pub(crate) last_elapsed_secs: Option<f64>,
    pub(crate) loading: Option<Loading>,
    /// Something was loaded for this run, so its times say nothing about the next.
    pub(crate) loaded: bool,
}

/// What is being prepared for a run.
#[derive(Clone, Debug)]
pub(crate) struct Loading {
    pub(crate) what: String,
    pub(crate) fraction: f32,
}

impl Run {
    /// Whether this is what is wanted, or a draft of it.
    pub(crate) fn paints(&self, wanted: &Request) -> bool {
        self.canonical == *wanted || self.draft_of.as_ref() == Some(wanted)
    }

    /// Another device paints it, from the first step on.
    pub(crate) fn begin_again(&mut self, now: Moment) {
        self.seen.clear();
        (self.step, self.last_elapsed_secs, self.begun, self.loaded) = (0, None, now, true);
    }

    pub(crate) fn new(id: RunId, canonical: Request, load: Load, sent: Moment) -> Self {
        let steps = canonical.steps;
        Self {
            id,
            canonical,
            draft_of: None,
            load,
            sent,
            begun: sent,
            seen: Vec::new(),
            step: 0,
            steps,
            last_elapsed_secs: None,
            loading: None,
            loaded: false,
        }
    }
}

/// What the picture looks like after a step of the newest run that has come that far.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// Steps of the run.
    pub steps: u32,
    /// What the network takes the picture to be, `[1, c, h, w]`.
    pub denoised: Arc<Latents>,
    /// The model, which decides the preview decoder.
    pub model: ModelRef,
}
