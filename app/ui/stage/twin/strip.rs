//! Every step of a run as a thumbnail; a click shows it large.

use super::film::Film;
use crate::i18n::{tr, tr_with};
use crate::theme::{self, palette};
use crate::widgets::tip;
use egui::{Align2, Color32, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2};
use fourstep_session::Step;

/// Height of the strip, in points.
pub(super) const HEIGHT: f32 = 76.0;
/// Side of the place of a thumbnail.
const PLACE: f32 = 56.0;

/// The steps of one side in `rect`; the step that was clicked.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    film: &mut Film,
    steps: &[Step],
    chosen: Option<u32>,
    side: &str,
) -> Option<u32> {
    let mut clicked = None;
    ui.scope_builder(UiBuilder::new().max_rect(rect).id_salt(side), |ui| {
        ScrollArea::horizontal().id_salt(side).stick_to_right(true).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                for step in steps {
                    if show_step(ui, film, step, chosen == Some(step.step), side) {
                        clicked = Some(step.step);
                    }
                }
            });
        });
    });
    clicked
}

fn show_step(ui: &mut Ui, film: &mut Film, step: &Step, chosen: bool, side: &str) -> bool {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(PLACE), Sense::click());
    let name = tr_with("twin-step", &[("side", side.into()), ("step", step.step.into()), ("steps", step.steps.into())]);
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, chosen, &name));
    if ui.is_rect_visible(rect) {
        match film.thumb(ui.ctx(), (step.run, step.step)) {
            Some(texture) => {
                let size = texture.size_vec2();
                let place = Rect::from_center_size(rect.center(), size * (PLACE / size.max_elem()));
                let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
                ui.painter().image(texture.id(), place, whole, Color32::WHITE);
            }
            None => {
                ui.painter().rect_stroke(rect, 2.0, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
            }
        }
        let at = rect.right_bottom() - vec2(4.0, 3.0);
        let number = ui.painter().layout_no_wrap(step.step.to_string(), theme::medium(11.0), Color32::WHITE);
        let place = Align2::RIGHT_BOTTOM.anchor_size(at, number.size());
        ui.painter().rect_filled(place.expand2(vec2(3.0, 1.0)), 3.0, Color32::from_black_alpha(150));
        ui.painter().galley(place.min, number, Color32::WHITE);
        if chosen || response.hovered() || response.has_focus() {
            let ink = if chosen { p.accent } else { p.outline };
            ui.painter().rect_stroke(rect, 2.0, Stroke::new(2.0, ink), StrokeKind::Inside);
        }
    }
    let clicked = response.clicked();
    tip(ui, response, &name, tr("twin-step-tip"));
    clicked
}
