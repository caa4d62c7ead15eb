use super::button::{focus_ring, text_width};
use super::tip;
use crate::theme::{self, palette};
use egui::{Align2, Color32, CornerRadius, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

/// Height of a chip, in points.
const HEIGHT: f32 = 28.0;

/// A small rounded button in a row of others; one that is on is marked.
pub(crate) fn chip(ui: &mut Ui, text: &str, name: &str, on: bool) -> Response {
    let font = theme::medium(12.0);
    let size = vec2((text_width(ui, text, font.clone()) + 20.0).min(ui.available_width()), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), on, name));
    if ui.is_rect_visible(rect) {
        let p = palette(ui);
        let radius = CornerRadius::same(14);
        let (fill, line) = match (on, response.hovered()) {
            (true, _) => (p.chosen, p.accent),
            (false, true) => (p.hover, p.outline),
            (false, false) => (Color32::TRANSPARENT, p.outline),
        };
        ui.painter().rect(rect, radius, fill, Stroke::new(1.0, line), StrokeKind::Inside);
        if response.has_focus() {
            focus_ring(ui, rect);
        }
        let ink = if on || response.hovered() { p.text } else { p.secondary };
        let painter = ui.painter().with_clip_rect(rect.shrink2(vec2(8.0, 0.0)));
        painter.text(rect.center(), Align2::CENTER_CENTER, text, font, ink);
    }
    tip(ui, response, name, "")
}
