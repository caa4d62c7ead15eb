//! The overlay with all shortcuts.

use crate::i18n::tr;
use crate::icons;
use crate::shortcuts::TABLE;
use crate::theme::{self, palette};
use crate::widgets::icon_button;
use egui::{Align, Context, Frame, Id, Layout, Margin, Modal, RichText, Sense, Ui, vec2};

/// Width of a column, and of the keys in it, in points.
const COLUMN: f32 = 376.0;
const KEYS: f32 = 128.0;
const GUTTER: f32 = 32.0;
const ROW: f32 = 28.0;

/// Draws it; whether it was closed.
pub(crate) fn show(ctx: &Context) -> bool {
    let modal = Modal::new(Id::unique("help")).frame(theme::modal_frame(ctx)).show(ctx, |ui| {
        ui.set_width(2.0 * COLUMN + GUTTER);
        ui.spacing_mut().item_spacing = vec2(GUTTER, 4.0);
        let closed = title(ui);
        ui.horizontal_top(|ui| {
            for groups in TABLE.chunks(2) {
                ui.vertical(|ui| {
                    ui.set_width(COLUMN);
                    for (name, rows) in groups {
                        group(ui, name, rows);
                    }
                });
            }
        });
        closed
    });
    modal.inner || modal.backdrop_response.clicked()
}

fn title(ui: &mut Ui) -> bool {
    ui.horizontal(|ui| {
        ui.label(RichText::new(tr("help-title")).font(theme::semibold(18.0)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            icon_button(ui, icons::X, tr("help-close"), "Esc").clicked()
        })
        .inner
    })
    .inner
}

fn group(ui: &mut Ui, name: &'static str, rows: &[(&str, &'static str)]) {
    let p = palette(ui);
    ui.add_space(16.0);
    ui.label(RichText::new(tr(name)).font(theme::medium(13.0)).color(p.secondary));
    let (line, _) = ui.allocate_exact_size(vec2(COLUMN, 9.0), Sense::hover());
    ui.painter().hline(line.x_range(), line.center().y, (1.0, p.hairline));
    for (keys, what) in rows {
        let row = |ui: &mut Ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.allocate_ui_with_layout(vec2(KEYS, ROW), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(KEYS);
                for key in keys.split(' ') {
                    cap(ui, key);
                }
            });
            ui.label(RichText::new(tr(what)).size(13.0));
        };
        ui.allocate_ui_with_layout(vec2(COLUMN, ROW), Layout::left_to_right(Align::Center), row);
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
