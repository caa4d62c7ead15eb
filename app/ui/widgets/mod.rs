//! The few controls of the window. Each is one function call, knows its name for a screen reader and its tooltip.

mod button;
mod chip;
mod field;
mod line;
mod menu;
mod progress;
mod segmented;
mod slider;
mod switch;

pub(crate) use button::{Button, icon_button, text_width};
pub(crate) use chip::chip;
pub(crate) use field::{NumberField, caption, caption_row, field_frame, fold, name_it};
pub(crate) use line::line;
pub(crate) use menu::dropdown;
pub(crate) use progress::progress;
pub(crate) use segmented::{Cell, segmented};
pub(crate) use slider::Slider;
pub(crate) use switch::switch;

use egui::{Rect, RectAlign, Response, RichText, Tooltip, Ui, UiKind};

/// A tooltip that names the control's shortcut, if it has one.
///
/// Beside the settings panel for what is in it, so that it covers no neighbour; none while a button is held, because
/// who drags looks at the picture.
pub(crate) fn tip(ui: &Ui, response: Response, text: &str, shortcut: &str) -> Response {
    if text.is_empty() || ui.input(|i| i.pointer.any_down()) {
        return response;
    }
    tip_at(ui, &response, response.rect, text, shortcut);
    response
}

/// A tooltip about a part of a control that the pointer is over.
pub(crate) fn tip_at(ui: &Ui, response: &Response, part: Rect, text: &str, shortcut: &str) {
    // One that was open when something came over the window would stay above it.
    if !ui.memory(|m| m.is_above_modal_layer(response.layer_id)) {
        return;
    }
    let mut tooltip = if response.enabled() { Tooltip::for_enabled(response) } else { Tooltip::for_disabled(response) };
    let panel = ui.stack().iter().find(|s| s.kind() == Some(UiKind::LeftPanel));
    if let Some(panel) = panel {
        let beside = part.with_max_x(panel.max_rect.right());
        tooltip.popup = tooltip.popup.anchor(beside).align(RectAlign::RIGHT);
    }
    tooltip.show(|ui| words(ui, text, shortcut));
}

fn words(ui: &mut Ui, text: &str, shortcut: &str) {
    let words = |ui: &mut Ui| {
        ui.spacing_mut().item_spacing = egui::vec2(12.0, 2.0);
        ui.label(RichText::new(text).size(13.0));
        if !shortcut.is_empty() {
            ui.label(RichText::new(shortcut).size(13.0).weak());
        }
    };
    // Beside each other where both fit on a line.
    if text.chars().count() + shortcut.chars().count() < 40 {
        ui.horizontal(words);
    } else {
        ui.vertical(words);
    }
}
