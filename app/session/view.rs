//! What the window asks a [`Session`]; nothing here changes it but [`ui_mut`](Session::ui_mut) and the meter.

use crate::{
    Metrics, Moment, NegativeEffect, Notice, Session, Settings, Status, Step, UiSettings, session::CLOCK_SLACK_SECS,
};
use fourstep_protocol::{DeviceInfo, Failure, Finished, Guidance, ModelInfo, Request, RunId};

impl Session {
    /// What is going on.
    pub fn status(&self, now: Moment) -> Status {
        let failed = self.trouble.as_ref().map(|trouble| Status::Failed(trouble.failure.clone()));
        if !self.heard {
            return failed.unwrap_or(Status::Starting);
        }
        if let Some(loading) = self.run.as_ref().and_then(|run| run.loading.clone()) {
            return Status::Loading { what: loading.what, fraction: loading.fraction };
        }
        if let Some(model) = self.inspections.wanted() {
            return Status::Loading { what: model.to_string(), fraction: 0.0 };
        }
        if let Some((from, to)) = self.pace.pause(self.outlook(), now) {
            let fraction = now.since(from) / to.since(from).max(CLOCK_SLACK_SECS);
            return Status::Waiting { fraction: fraction.min(1.0) as f32 };
        }
        if let Some(run) = &self.run {
            return Status::Painting { step: run.step, steps: run.steps };
        }
        failed.unwrap_or(if self.settings.live { Status::Idle } else { Status::Paused })
    }

    /// What is to be painted; always valid.
    pub fn request(&self) -> &Request {
        &self.settings.request
    }

    /// The model of the request.
    pub fn model(&self) -> &ModelInfo {
        &self.model
    }

    /// Every model of the menu; those opened by path are at the end.
    pub fn models(&self) -> &[ModelInfo] {
        &self.models
    }

    /// What is to be kept for the next start.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The window's own settings, for the window to change.
    pub fn ui_mut(&mut self) -> &mut UiSettings {
        &mut self.settings.ui
    }

    /// The last finished picture.
    pub fn shown(&self) -> Option<&Finished> {
        self.shown.as_ref().map(|shown| &*shown.finished)
    }

    /// What the last finished picture looked like after each of its steps.
    pub fn shown_steps(&self) -> &[Step] {
        self.shown.as_ref().map_or(&[], |shown| &shown.steps)
    }

    /// The newest preview, where it is newer than the picture. It outlives its run until the next run has one.
    pub fn latest_step(&self) -> Option<&Step> {
        self.latest_step.as_ref()
    }

    /// Whether the picture that is shown is not one of the current request.
    pub fn is_stale(&self) -> bool {
        self.stale_since.is_some()
    }

    /// Since when the picture that is shown is not one of the current request.
    pub fn stale_since(&self) -> Option<Moment> {
        self.stale_since
    }

    /// How fast it goes.
    pub fn metrics(&self) -> Metrics {
        self.meter.metrics()
    }

    /// A preview of this run became visible.
    pub fn note_preview(&mut self, run: RunId, now: Moment) {
        self.meter.note_preview(run, now);
    }

    /// What computes, once the engine has said it.
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.device.as_ref()
    }

    /// The failure that was not put away yet; also while a new run is in progress, where it is about something else.
    pub fn failure(&self) -> Option<&Failure> {
        self.trouble.as_ref().map(|trouble| &trouble.failure).or(self.device_failure.as_ref())
    }

    /// What the session did differently from what was asked by the last action.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether there is a change to take back.
    pub fn can_undo(&self) -> bool {
        self.history.can_undo()
    }

    /// Whether there is an undo to take back.
    pub fn can_redo(&self) -> bool {
        self.history.can_redo()
    }

    /// Whether Enter keeps the seed.
    pub fn seed_locked(&self) -> bool {
        self.settings.seed_locked
    }

    /// Whether every change is painted by itself.
    pub fn is_live(&self) -> bool {
        self.settings.live
    }

    /// Whether the negative prompt does anything, and if not, why.
    pub fn negative_effect(&self) -> NegativeEffect {
        match self.model.guidance {
            Guidance::Embedded { .. } => NegativeEffect::GuidanceEmbedded,
            Guidance::None => NegativeEffect::NoGuidance,
            Guidance::ClassifierFree if self.cost_factor() == 2 => NegativeEffect::Active,
            Guidance::ClassifierFree => NegativeEffect::NoUnconditionalPass,
        }
    }

    /// Passes of the network a step: 2 where an unconditional one runs, else 1.
    pub fn cost_factor(&self) -> u32 {
        if self.model.runs_unconditional(self.settings.request.guidance_scale) { 2 } else { 1 }
    }
}
