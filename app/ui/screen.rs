//! What is on the stage: the newest of picture and previews, and how one follows the other.

use crate::{PreviewPicture, layer::Layer, ports::Previews, timeline::Older};
use eframe::egui_wgpu::RenderState;
use egui::Context;
use fourstep_protocol::{ModelRef, RunId};
use fourstep_session::{Moment, PreviewPlace, Session, Status, Tab};
use std::sync::Arc;

/// How long a preview takes to become the picture.
const FADE_SECS: f64 = 0.12;
/// A picture that is older than the settings is marked only after this long: fast typing must not flicker.
const STALE_AFTER_SECS: f64 = 0.3;
/// How long the mark takes to appear.
const STALE_FADE_SECS: f64 = 0.15;

/// The stage's contents.
#[derive(Default)]
pub(crate) struct Screen {
    current: Option<Layer>,
    /// What `current` is fading in over, and since when.
    before: Option<(Layer, Moment)>,
    /// A preview waiting for its step to be told; normally it is the other way round.
    preview: Option<PreviewPicture>,
    /// The model whose decoder was asked for.
    prepared: Option<ModelRef>,
    /// The run whose previews were ended.
    ended: Option<RunId>,
    /// The latents last offered for decoding.
    offered: Option<(RunId, u32)>,
    /// A frame of the timeline, which is drawn instead of all this.
    older: Option<Older>,
    smooth: bool,
    /// What the window draws with.
    card: Option<RenderState>,
}

impl Screen {
    pub(crate) fn new(card: Option<RenderState>) -> Self {
        Self { smooth: true, card, ..Self::default() }
    }

    /// Takes over what is new; `true` where something was.
    pub(crate) fn update(
        &mut self,
        ctx: &Context,
        session: &mut Session,
        previews: &dyn Previews,
        now: Moment,
    ) -> bool {
        self.steer(session, previews);
        if self.before.as_ref().is_some_and(|(_, since)| now.since(*since) >= FADE_SECS) {
            self.before = None;
        }
        let changed = self.take_preview(ctx, session, now) || self.take_picture(ctx, session, now);
        if self.before.is_some() {
            ctx.request_repaint();
        }
        changed
    }

    /// A preview of a live run; one of an older run is nothing for the stage any more.
    pub(crate) fn take_in(&mut self, preview: PreviewPicture) {
        if self.preview.as_ref().is_none_or(|waiting| waiting.run <= preview.run) {
            self.preview = Some(preview);
        }
    }

    /// Tells the decoder what is wanted of it.
    fn steer(&mut self, session: &Session, previews: &dyn Previews) {
        let model = &session.request().model;
        if self.prepared.as_ref() != Some(model) {
            self.prepared = Some(model.clone());
            previews.prepare(model);
        }
        if let Some(run) = session.shown().map(|f| f.run).filter(|run| self.ended != Some(*run)) {
            self.ended = Some(run);
            previews.finish(run);
        }
        self.offer(session, previews);
    }

    fn offer(&mut self, session: &Session, previews: &dyn Previews) {
        let Some(step) = session.latest_step().filter(|s| self.offered != Some((s.run, s.step))) else { return };
        self.offered = Some((step.run, step.step));
        let step_secs = session.metrics().step_secs.unwrap_or_default();
        let ui = &session.settings().ui;
        // What is compared is read as well.
        let place = if ui.tab == Tab::Twin { PreviewPlace::Processor } else { ui.previews };
        previews.offer(crate::PreviewJob { step_secs, place, ..crate::PreviewJob::of(step) });
    }

    fn take_preview(&mut self, ctx: &Context, session: &mut Session, now: Moment) -> bool {
        let Some(step) = session.latest_step() else { return false };
        let nominal = (step.denoised.width as f32 * 8.0, step.denoised.height as f32 * 8.0);
        let Some(preview) = self.preview.take_if(|p| p.run == step.run) else { return false };
        if self.current.as_ref().is_some_and(|c| (c.run, c.step.unwrap_or(u32::MAX)) >= (preview.run, preview.step)) {
            return false;
        }
        let run = preview.run;
        let seen = (ctx, self.card.as_ref());
        let Some(layer) = Layer::of_preview(seen, preview.image, (run, preview.step), nominal, self.smooth) else {
            return false;
        };
        self.current = Some(layer);
        self.before = None;
        session.note_preview(run, now);
        true
    }

    fn take_picture(&mut self, ctx: &Context, session: &Session, now: Moment) -> bool {
        let Some(finished) = session.shown() else { return false };
        let is_there = self.current.as_ref().is_some_and(|c| c.run == finished.run && c.step.is_none());
        // While a run goes on, its preview stays until there is something newer.
        let superseded = session.latest_step().is_some() && self.current.as_ref().is_some_and(|c| c.run > finished.run);
        if is_there || superseded {
            return false;
        }
        let picture = Arc::clone(&finished.picture);
        let nominal = (picture.width() as f32, picture.height() as f32);
        let layer = Layer::of_picture(ctx, picture, finished.run, self.smooth);
        let before = self.current.replace(layer).filter(|b| b.step.is_some() && b.aspect() == nominal.0 / nominal.1);
        self.before = before.map(|before| (before, now));
        true
    }

    /// Whether enlarged pictures are drawn smooth or as pixels; the picture is handed to the graphics card again.
    pub(crate) fn set_smooth(&mut self, smooth: bool) {
        if std::mem::replace(&mut self.smooth, smooth) == smooth {
            return;
        }
        let older = self.older.iter_mut().map(|older| &mut older.layer);
        for layer in self.current.iter_mut().chain(self.before.iter_mut().map(|(layer, _)| layer)).chain(older) {
            layer.set_smooth(smooth);
        }
    }

    /// What is drawn last.
    pub(crate) fn current(&self) -> Option<&Layer> {
        self.older.as_ref().map(|older| &older.layer).or(self.current.as_ref())
    }

    /// Draws a frame of the timeline from now on, or the live picture again.
    pub(crate) fn show_older(&mut self, older: Option<&Older>) {
        if self.older.as_ref().map(|older| older.frame.id) != older.map(|older| older.frame.id) {
            self.older = older.cloned();
            let smooth = std::mem::replace(&mut self.smooth, true);
            self.set_smooth(smooth);
        }
    }

    /// The frame of the timeline that is drawn.
    pub(crate) fn older(&self) -> Option<&Older> {
        self.older.as_ref()
    }

    /// What is drawn below, and how much of the current layer covers it: 0 … 1.
    pub(crate) fn fading(&self, now: Moment) -> Option<(&Layer, f32)> {
        let (layer, since) = self.before.as_ref().filter(|_| self.older.is_none())?;
        Some((layer, (now.since(*since) / FADE_SECS).min(1.0) as f32))
    }

    /// How strongly the stage says that its picture is older than the settings: 0 … 1.
    pub(crate) fn staleness(&self, ctx: &Context, session: &Session, now: Moment) -> f32 {
        let in_progress = matches!(session.status(now), Status::Painting { step: 1.., .. });
        let is_newest_preview = in_progress && self.current.as_ref().is_some_and(|c| c.step.is_some());
        let is_told = !is_newest_preview && self.current.is_some() && self.older.is_none();
        let Some(since) = session.stale_since().filter(|_| is_told) else {
            return 0.0;
        };
        let over = now.since(since) - STALE_AFTER_SECS;
        if over < STALE_FADE_SECS {
            let wait = if over < 0.0 { -over } else { 0.0 };
            ctx.request_repaint_after_secs(wait as f32);
        }
        (over / STALE_FADE_SECS).clamp(0.0, 1.0) as f32
    }
}
