use super::line;
use crate::icons;
use crate::theme::{self, palette};
use egui::{Align2, Popup, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

/// A field that shows what is chosen and opens a list; the index of what was chosen from it.
pub(crate) fn dropdown<S: AsRef<str>>(
    ui: &mut Ui,
    name: &str,
    current: &str,
    options: &[S],
    chosen: Option<usize>,
) -> Option<usize> {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, format!("{name} {current}")));
    let p = palette(ui);
    let fill = if response.hovered() { p.hover } else { p.control };
    ui.painter().rect_filled(rect, theme::RADIUS, fill);
    if response.has_focus() {
        super::button::focus_ring(ui, rect);
    }
    let text = rect.with_min_x(rect.left() + 12.0).with_max_x(rect.right() - 32.0);
    line(ui, text, current, theme::medium(13.0), p.text);
    let right = rect.right_center() - vec2(16.0, 0.0);
    ui.painter().text(right, Align2::CENTER_CENTER, icons::CARET_DOWN, theme::icon(13.0), p.secondary);
    let mut clicked = None;
    Popup::menu(&response).width(rect.width() - 12.0).accessible_name(name).show(|ui| {
        ui.set_min_width(rect.width() - 12.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.spacing_mut().button_padding = vec2(10.0, 6.0);
        ui.visuals_mut().selection = egui::style::Selection { bg_fill: p.chosen, stroke: (1.0, p.text).into() };
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            for (index, option) in options.iter().enumerate() {
                if ui.add(egui::Button::selectable(chosen == Some(index), option.as_ref()).truncate()).clicked() {
                    clicked = Some(index);
                }
            }
        });
    });
    clicked
}
