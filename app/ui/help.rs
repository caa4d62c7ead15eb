//! The overlay with all shortcuts.

use crate::icons;
use crate::shortcuts::TABLE;
use crate::theme::{self, palette};
use crate::widgets::icon_button;
use egui::{Align, Context, Frame, Id, Layout, Margin, Modal, RichText, Ui, vec2};

const WIDTH: f32 = 760.0;
const KEYS: f32 = 128.0;

/// Draws it; whether it was closed.
pub(crate) fn show(ctx: &Context) -> bool {
    let modal = Modal::new(Id::unique("help")).frame(theme::modal_frame(ctx)).show(ctx, |ui| {
        ui.set_width(WIDTH);
        let closed = title(ui);
        ui.add_space(8.0);
        ui.columns(2, |columns| {
            for (i, (name, rows)) in TABLE.iter().enumerate() {
                group(&mut columns[i / 2], name, rows);
            }
        });
        closed
    });
    modal.inner || modal.backdrop_response.clicked()
}

fn title(ui: &mut Ui) -> bool {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Keyboard shortcuts").font(theme::semibold(18.0)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| icon_button(ui, icons::X, "Close", "Esc").clicked())
            .inner
    })
    .inner
}

fn group(ui: &mut Ui, name: &str, rows: &[(&str, &str)]) {
    let p = palette(ui);
    ui.add_space(8.0);
    ui.label(RichText::new(name).font(theme::medium(12.0)).color(p.secondary));
    ui.add_space(2.0);
    for (keys, what) in rows {
        ui.horizontal(|ui| {
            ui.allocate_ui_with_layout(vec2(KEYS, 28.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(KEYS);
                ui.spacing_mut().item_spacing.x = 4.0;
                for key in keys.split(' ').filter(|k| !k.is_empty()) {
                    cap(ui, key);
                }
            });
            ui.label(RichText::new(*what).size(13.0));
        });
    }
}

/// A key as it looks on a keyboard.
fn cap(ui: &mut Ui, key: &str) {
    let p = palette(ui);
    if matches!(key, "…" | "/") {
        ui.label(RichText::new(key).color(p.secondary));
        return;
    }
    let frame = Frame::new().fill(p.control).corner_radius(4).inner_margin(Margin::symmetric(7, 3));
    frame.show(ui, |ui| ui.label(RichText::new(key).font(theme::medium(12.0))));
}
