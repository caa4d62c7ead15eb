use crate::theme::palette;
use egui::{Rect, Role, Sense, Ui, WidgetInfo};

/// How far something is, as a bar in `rect`; `name` says of what.
pub(crate) fn progress(ui: &Ui, rect: Rect, name: &str, fraction: f32) {
    let p = palette(ui);
    let radius = rect.height() / 2.0;
    ui.painter().rect_filled(rect, radius, p.outline);
    if fraction > 0.0 {
        let width = (rect.width() * fraction.min(1.0)).max(rect.height());
        ui.painter().rect_filled(rect.with_max_x(rect.left() + width), radius, p.accent);
    }
    let response = ui.interact(rect, ui.scope_id().with(("progress", name)), Sense::hover());
    response.widget_info(|| WidgetInfo {
        value: Some(f64::from(fraction)),
        ..WidgetInfo::labeled(Role::ProgressIndicator, true, name)
    });
}
