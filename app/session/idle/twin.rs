use super::Customer;
use crate::{Session, Step, Tab};
use fourstep_protocol::{Event, Failure, Finished, Request};

/// The picture on the stage once more, painted slowly by the model's `compare` recipe with the same prompt, seed and noise.
#[derive(Debug, Default)]
pub(crate) struct Twin {
    /// How it is painted, and whether anything came of it yet.
    of: Option<Request>,
    stage: Stage,
    steps: Vec<Step>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Wanted,
    Loading(String, f32),
    Painting(u32),
    Finished(Box<Finished>),
    Failed(Failure),
}

/// How far the twin of the picture on the stage is.
#[derive(Clone, Copy, Debug)]
pub enum TwinState<'a> {
    /// The model only knows few steps.
    OnlyFewSteps,
    /// The picture is painted slowly itself.
    IsSlow,
    /// There is no picture of these settings to compare with.
    NoPicture,
    /// It is painted when there is nothing else to do.
    Waiting,
    /// What it needs is being loaded.
    Loading {
        /// What.
        what: &'a str,
        /// 0 … 1.
        fraction: f32,
    },
    /// It is being painted.
    Painting {
        /// Steps done.
        step: u32,
        /// Steps of the run.
        steps: u32,
    },
    /// It is there.
    Finished(&'a Finished),
    /// It could not be painted.
    Failed(&'a Failure),
}

impl Customer for Twin {
    fn follow(&mut self, session: &Session) {
        let of = session.twin_request();
        if self.of != of {
            *self = Self { of, ..Self::default() };
        }
    }

    fn next(&self, session: &Session) -> Option<Request> {
        let done = matches!(self.stage, Stage::Finished(_) | Stage::Failed(_));
        self.of.clone().filter(|_| !done && session.settings.ui.tab == Tab::Twin)
    }

    /// One that was begun is finished although its tab was left, unless painting was paused.
    fn keeps(&self, asked: &Request, session: &Session) -> bool {
        self.of.as_ref() == Some(asked) && (session.settings.ui.tab == Tab::Twin || session.settings.live)
    }

    fn receive(&mut self, asked: &Request, event: Event) {
        if self.of.as_ref() != Some(asked) {
            return;
        }
        match event {
            Event::Loading { what, fraction, .. } => self.stage = Stage::Loading(what, fraction),
            Event::Started { steps, .. } => {
                self.steps.clear();
                self.stage = Stage::Painting(steps);
            }
            Event::Step { run, step, steps, denoised, .. } => {
                self.stage = Stage::Painting(steps);
                self.steps.push(Step { run, step, steps, denoised, model: asked.model.clone() });
            }
            Event::Finished(finished) => self.stage = Stage::Finished(finished),
            Event::Failed { failure, .. } => self.stage = Stage::Failed(failure),
            Event::Stopped { .. } => {
                self.steps.clear();
                self.stage = Stage::Wanted;
            }
            Event::Ready(_) | Event::DeviceFailed(_) | Event::Inspected(_) | Event::Merged { .. } => {}
        }
    }
}

impl Session {
    /// How far the twin of the picture on the stage is.
    pub fn twin(&self) -> TwinState<'_> {
        let twin = &self.idle.twin;
        match &twin.stage {
            _ if self.model.compare.is_none() => TwinState::OnlyFewSteps,
            _ if self.slow_version(&self.settings.request).is_none() => TwinState::IsSlow,
            _ if twin.of.is_none() => TwinState::NoPicture,
            Stage::Wanted => TwinState::Waiting,
            Stage::Loading(what, fraction) => TwinState::Loading { what, fraction: *fraction },
            Stage::Painting(steps) => TwinState::Painting { step: twin.steps.len() as u32, steps: *steps },
            Stage::Finished(finished) => TwinState::Finished(finished),
            Stage::Failed(failure) => TwinState::Failed(failure),
        }
    }

    /// What the twin looked like after each step so far.
    pub fn twin_steps(&self) -> &[Step] {
        &self.idle.twin.steps
    }

    /// How the twin is painted, or would be.
    pub fn twin_request(&self) -> Option<Request> {
        let shown = self.shown.as_ref().filter(|_| self.stale_since.is_none())?;
        self.slow_version(&shown.finished.request)
    }

    /// The same in many steps: by the model's slow recipe, without the LoRAs that teach few steps; other LoRAs stay.
    fn slow_version(&self, request: &Request) -> Option<Request> {
        let slow = self.model.compare.as_ref()?;
        let fast = self.few_step_sources(request);
        if request.sampler == slow.sampler && fast.is_empty() {
            return None;
        }
        let mut twin = request.clone();
        twin.apply(slow);
        // Steps of a run with other timesteps.
        (twin.fork, twin.composition) = (None, None);
        let own = request.loras.iter().filter(|l| !fast.contains(&l.source));
        let own = own.filter(|l| slow.loras.iter().all(|known| known.source != l.source));
        twin.loras.extend(own.cloned());
        Some(twin)
    }
}
