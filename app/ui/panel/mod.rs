//! The settings at the left: what to paint and how, most used first.

mod advanced;
mod blend;
mod guidance;
mod loras;
mod model;
mod negative;
mod prompt;
mod seed;
mod size;
mod steps;

pub(crate) use prompt::{is_completing, prompt_id};

use crate::intent::View;
use crate::theme::palette;
use egui::{Frame, Margin, ScrollArea, Ui};

/// Draws the panel; it scrolls where the window is low.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let width = (ui.available_width() * 0.27).clamp(320.0, 380.0).round();
    let frame = Frame::new().fill(palette(ui).panel);
    egui::Panel::left("settings").exact_size(width).resizable(false).frame(frame).show(ui, |ui| {
        let margin = Margin { left: 16, right: 16, top: 8, bottom: 16 };
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            Frame::new().inner_margin(margin).show(ui, |ui| contents(ui, view));
        });
    });
}

fn contents(ui: &mut Ui, view: &mut View<'_>) {
    ui.spacing_mut().item_spacing.y = 4.0;
    model::show(ui, view);
    prompt::show(ui, view);
    negative::show(ui, view);
    blend::show(ui, view);
    gap(ui);
    guidance::show(ui, view);
    gap(ui);
    steps::show(ui, view);
    gap(ui);
    seed::show(ui, view);
    gap(ui);
    size::show(ui, view);
    ui.add_space(8.0);
    rule(ui);
    loras::show(ui, view);
    advanced::show(ui, view);
}

/// Between groups.
fn gap(ui: &mut Ui) {
    ui.add_space(10.0);
}

/// A hairline across the panel.
fn rule(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 1.0), egui::Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, (1.0, palette(ui).hairline));
}

/// A sentence that explains, in small letters.
fn explain(ui: &mut Ui, text: &str) {
    let ink = palette(ui).secondary;
    ui.label(egui::RichText::new(text).small().color(ink));
}
