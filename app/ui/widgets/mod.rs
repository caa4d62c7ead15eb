//! The few controls of the window. Each is one function call, knows its name for a screen reader and its tooltip.

mod button;
mod field;
mod segmented;
mod slider;

pub(crate) use button::{Button, icon_button};
pub(crate) use field::{NumberField, caption, caption_row, field_frame, fold, name_it};
pub(crate) use segmented::{Cell, segmented};
pub(crate) use slider::Slider;

use egui::Response;

/// A tooltip that names the control's shortcut, if it has one.
pub(crate) fn tip(response: Response, text: &str, shortcut: &str) -> Response {
    let show = |ui: &mut egui::Ui| {
        let words = |ui: &mut egui::Ui| {
            ui.spacing_mut().item_spacing = egui::vec2(12.0, 2.0);
            ui.label(egui::RichText::new(text).size(13.0));
            if !shortcut.is_empty() {
                ui.label(egui::RichText::new(shortcut).size(13.0).weak());
            }
        };
        // Beside each other where both fit on a line.
        if text.len() + shortcut.len() < 48 {
            ui.horizontal(words);
        } else {
            ui.vertical(words);
        }
    };
    response.on_hover_ui(show).on_disabled_hover_ui(show)
}
