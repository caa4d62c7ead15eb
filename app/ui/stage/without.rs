//! The picture without the word of the prompt under the pointer, in the place of the picture.

use super::{Zoom, picture};
use crate::i18n::tr_with;
use crate::layer::Layer;
use crate::theme::{self, palette};
use egui::{Color32, Context, Rect, Ui, vec2};
use fourstep_session::{LeftOut, Session};
use std::sync::Arc;

/// The picture on the graphics card.
#[derive(Default)]
pub(super) struct Without(Option<Layer>);

impl Without {
    pub(super) fn update(&mut self, ctx: &Context, session: &Session) {
        let finished = session.left_out().and_then(|left_out| left_out.picture);
        if self.0.as_ref().map(|layer| layer.run) != finished.map(|finished| finished.run) {
            self.0 = finished.map(|f| Layer::new(ctx, Arc::clone(&f.picture), f.run, None));
        }
    }

    /// Draws it, once it is there, and says what it is without.
    pub(super) fn paint(&self, ui: &Ui, left_out: &LeftOut<'_>, zoom: Zoom, rect: Rect) {
        let Some(layer) = &self.0 else { return };
        let place = zoom.rect(rect, vec2(layer.width_px, layer.height_px));
        picture::draw(ui, layer, place, rect, Color32::WHITE);
        let p = palette(ui);
        let text = tr_with("stage-without", &[("word", left_out.word.into())]);
        let galley = ui.painter().layout_no_wrap(text, theme::medium(12.0), p.on_accent);
        let pill =
            Rect::from_min_size(place.intersect(rect).left_top() + vec2(12.0, 12.0), galley.size() + vec2(20.0, 10.0));
        ui.painter().rect_filled(pill, theme::RADIUS, p.accent);
        ui.painter().galley(pill.min + vec2(10.0, 5.0), galley, p.on_accent);
    }
}
