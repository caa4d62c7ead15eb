use crate::{
    Moment, Session, Step,
    inspect::{Inspection, Then},
    prompts::Read,
    run::Loading,
    session::{Shown, Trouble},
};
use fourstep_protocol::{Event, Failure, Finished, Latents, ModelInfo, Request, RunId};
use std::sync::Arc;

impl Session {
    /// Takes in what the engine tells.
    pub fn receive(&mut self, event: Event, now: Moment) {
        self.heard = true;
        let Some(event) = self.receive_idle(event) else { return self.reconcile(now) };
        // The one place where events of superseded and stopped runs are dropped.
        if event.run().is_some() && event.run() != self.run.as_ref().map(|run| run.id) {
            return;
        }
        match event {
            Event::Ready(device) => self.device_ready(device, now),
            Event::DeviceFailed(failure) => self.device_failed(failure),
            Event::Merged { reports, .. } => self.note_reports(reports),
            Event::Inspected(info) => self.inspected(*info, now),
            Event::Loading { run, what, fraction } => self.loading(run, what, fraction, now),
            Event::Started { steps, prompt: reading, .. } => {
                let prompt = self.run.as_ref().map(|run| run.canonical.prompt.clone()).unwrap_or_default();
                self.read = Some(Read { prompt, reading });
                self.began_painting(Some(steps), now);
            }
            Event::Step { run, step, steps, denoised, elapsed_secs } => {
                self.stepped(run, (step, steps), denoised, elapsed_secs, now);
            }
            Event::Finished(finished) => self.finished(finished, now),
            Event::Stopped { .. } => {
                self.run = None;
                self.latest_step = None;
                self.declined = true;
            }
            Event::Failed { run: Some(_), failure } => self.run_failed(failure),
            Event::Failed { run: None, failure } => self.failed(failure),
        }
        self.reconcile(now);
    }

    fn loading(&mut self, id: RunId, what: String, fraction: f32, now: Moment) {
        self.meter.leave_out(id);
        if let Some(run) = &mut self.run {
            run.loading = Some(Loading { what, fraction: fraction.clamp(0.0, 1.0) });
            run.loaded = true;
            run.begun = now;
        }
    }

    fn began_painting(&mut self, steps: Option<u32>, now: Moment) {
        if let Some(run) = &mut self.run {
            run.steps = steps.unwrap_or(run.steps);
            if run.loading.take().is_some() {
                run.begun = now;
            }
        }
    }

    fn stepped(
        &mut self,
        id: RunId,
        (step, steps): (u32, u32),
        denoised: Arc<Latents>,
        elapsed_secs: f64,
        now: Moment,
    ) {
        self.began_painting(Some(steps), now);
        let Some(run) = &mut self.run else { return };
        match run.last_elapsed_secs.replace(elapsed_secs) {
            Some(before) => self.meter.note_step((elapsed_secs - before).max(0.0)),
            None if !run.loaded => self.meter.note_first(now.since(run.sent)),
            None => {}
        }
        run.step = step;
        let model = run.canonical.model.clone();
        let step = Step { run: id, step, steps, denoised, model };
        run.seen.push(step.clone());
        self.latest_step = Some(step);
        self.pace.note_sight(now);
    }

    fn finished(&mut self, finished: Box<Finished>, now: Moment) {
        let Some(run) = self.run.take() else { return };
        let load_secs = finished.timings.load_secs;
        if !run.loaded || load_secs > 0.0 {
            let secs = (now.since(run.sent) - load_secs).max(0.0);
            self.meter.note_run(secs, finished.timings.decode_secs, &run.canonical, run.steps);
        }
        for secs in finished.timings.step_secs.iter().take(1) {
            self.meter.note_step(*secs);
        }
        self.latest_step = None;
        self.pace.note_sight(now);
        self.shown = Some(Shown { finished, canonical: run.canonical, draft_of: run.draft_of, steps: run.seen });
    }

    fn run_failed(&mut self, failure: Failure) {
        let failed = self.run.take();
        self.latest_step = None;
        let superseded = failed.is_some_and(|run| !run.paints(&self.canonical()));
        if superseded && self.settings.live {
            // The request has changed since and is sent now; if it has the same trouble, that will be told.
            log::warn!("a run failed that was about to be superseded: {failure}");
            return;
        }
        self.declined = true;
        self.trouble = Some(Trouble { failure, of_run: true });
    }

    fn failed(&mut self, failure: Failure) {
        if self.inspections.is_asking() {
            let Some(inspection) = self.inspections.answered(&mut self.outbox) else { return };
            self.inspections.failed = Some(inspection);
            self.trouble = Some(Trouble { failure, of_run: false });
        } else {
            // The engine itself is in trouble, so nothing more can be expected of the run.
            self.idle.end();
            self.run_failed(failure);
        }
    }

    fn inspected(&mut self, info: ModelInfo, now: Moment) {
        match self.models.iter_mut().find(|known| known.model == info.model) {
            Some(known) => known.clone_from(&info),
            None => self.models.push(info.clone()),
        }
        if info.model == self.model.model {
            self.model.clone_from(&info);
            self.refit();
        }
        match self.inspections.answered(&mut self.outbox) {
            Some(Inspection { then: Then::Choose, .. }) => self.choose(info, now),
            Some(Inspection { then: Then::Resume(saved), .. }) => self.resume(info, *saved),
            None => {}
        }
    }

    /// Takes over what the last session had, but for what may have been edited while the model was inspected.
    fn resume(&mut self, info: ModelInfo, saved: Request) {
        let Request { prompt, negative_prompt, seed, .. } = self.settings.request.clone();
        self.settings.request = Request { model: info.model.clone(), prompt, negative_prompt, seed, ..saved };
        self.model = info;
        self.refit();
        self.declined = false;
    }

    /// Where the settings name a model that is not known yet, the model at hand stands in and the engine is asked.
    pub(crate) fn adopt_restored(&mut self) {
        let saved = self.settings.request.clone();
        if let Some(info) = self.models.iter().find(|info| info.model == saved.model) {
            self.model = info.clone();
        } else {
            self.settings.request.model = self.model.model.clone();
            self.settings.request.apply(&self.model.live);
            self.settings.request.size = self.model.native_size;
            if !saved.model.as_str().is_empty() {
                let inspection = Inspection { model: saved.model.clone(), then: Then::Resume(Box::new(saved)) };
                self.inspections.want(inspection, &mut self.outbox);
            }
        }
        self.refit();
    }
}
