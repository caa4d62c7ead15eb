//! The live picture beside the same in many steps.

mod side;

use super::{Stage, picture};
use crate::i18n::tr;
use crate::intent::View;
use crate::ports::{PreviewJob, PreviewPicture, Previews};
use crate::screen::{Layer, Screen};
use egui::{Context, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use fourstep_protocol::RunId;
use fourstep_session::{Session, TwinState};
use std::sync::Arc;

/// Between the two pictures, in points.
const GAP: f32 = 8.0;

/// The slow picture on the graphics card.
#[derive(Default)]
pub(super) struct Twin {
    slow: Option<Layer>,
    /// The latents last offered for decoding.
    offered: Option<(RunId, u32)>,
}

impl Twin {
    pub(super) fn update(&mut self, ctx: &Context, session: &Session, previews: &dyn Previews) {
        let newest = session.twin_steps().last();
        let run = newest.map(|step| step.run);
        self.slow.take_if(|layer| Some(layer.run) != run);
        if let TwinState::Finished(finished) = session.twin() {
            if self.slow.as_ref().is_none_or(|layer| layer.step.is_some()) {
                self.slow = Some(Layer::new(ctx, Arc::clone(&finished.picture), finished.run, None));
            }
        } else if let Some(step) = newest.filter(|s| self.offered != Some((s.run, s.step))) {
            self.offered = Some((step.run, step.step));
            previews.offer(PreviewJob {
                run: step.run,
                step: step.step,
                model: step.model.clone(),
                denoised: Arc::clone(&step.denoised),
                step_secs: session.metrics().step_secs.unwrap_or_default(),
            });
        }
    }

    /// A preview of an idle run; those of others are not ours.
    pub(super) fn take_preview(&mut self, ctx: &Context, preview: PreviewPicture) {
        let is_newer = self
            .slow
            .as_ref()
            .is_none_or(|layer| layer.run == preview.run && layer.step.is_some_and(|step| step < preview.step));
        if is_newer && self.offered.is_some_and(|(run, _)| run == preview.run) {
            self.slow = Some(Layer::new(ctx, preview.picture, preview.run, Some(preview.step)));
        }
    }
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, stage: &mut Stage, screen: &mut Screen) {
    let whole = ui.available_rect_before_wrap();
    let half = vec2((whole.width() - GAP) / 2.0, whole.height());
    let left = Rect::from_min_size(whole.min, half);
    let right = left.translate(vec2(half.x + GAP, 0.0));
    let size = picture::size(view, screen);
    let areas = [left, right].map(side::picture_area);
    picture::note_area(ui, areas[0]);
    screen.set_smooth(!picture::shows_pixels(ui, stage, screen));
    for (name, area) in [tr("twin-live"), tr("twin-slow")].into_iter().zip(areas) {
        let response = ui.interact(area, ui.scope_id().with(name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        picture::look(ui, &response, area, &mut stage.zoom, size);
    }
    side::live(ui, view, screen, left, stage.zoom);
    side::slow(ui, view, stage.twin.slow.as_ref(), right, stage.zoom, size);
}
