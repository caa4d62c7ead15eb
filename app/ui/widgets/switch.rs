use super::button::focus_ring;
use super::tip;
use crate::theme::palette;
use egui::{Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// A switch for one thing that is on or off; whether it was flipped.
pub(crate) fn switch(ui: &mut Ui, name: &str, on: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(32.0, 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Switch, ui.is_enabled(), on, name));
    if ui.is_rect_visible(rect) {
        let p = palette(ui);
        let track = Rect::from_center_size(rect.center(), vec2(28.0, 16.0));
        let fill = match (on, ui.is_enabled()) {
            (true, true) => p.accent,
            _ => p.field,
        };
        let line = if on { fill } else { p.outline };
        ui.painter().rect(track, 8.0, fill, Stroke::new(1.0, line), StrokeKind::Inside);
        let x = if on { track.right() - 8.0 } else { track.left() + 8.0 };
        // The place of the knob tells on from off without the colour.
        let knob = if on { p.on_accent } else { p.secondary };
        ui.painter().circle_filled(pos2(x, track.center().y), 5.0, knob);
        if response.has_focus() {
            focus_ring(ui, track);
        }
    }
    tip(ui, response, name, "").clicked()
}
