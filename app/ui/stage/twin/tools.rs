//! How the two pictures are shown, and saving both.

use super::Twin;
use crate::i18n::tr;
use crate::icons;
use crate::intent::{Intent, View};
use crate::widgets::{Button, Cell, Slider, segmented};
use egui::{Align, Layout, Rect, Ui, UiBuilder, vec2};
use fourstep_session::TwinState;

/// Height of the row, in points.
pub(super) const HEIGHT: f32 = 40.0;

/// How two pictures are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Beside each other.
    #[default]
    Sides,
    /// One left, the other right of a divider.
    Wipe,
    /// One over the other.
    Onion,
    /// Where they differ.
    Difference,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Sides, Self::Wipe, Self::Onion, Self::Difference];

    /// What it reads, and what it is for.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Sides => (tr("twin-sides"), tr("twin-sides-name")),
            Self::Wipe => (tr("twin-wipe"), tr("twin-wipe-name")),
            Self::Onion => (tr("twin-onion"), tr("twin-onion-name")),
            Self::Difference => (tr("twin-difference"), tr("twin-difference-name")),
        }
    }
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, twin: &mut Twin, row: Rect) {
    let narrow = row.width() < 700.0;
    let layout = Layout::left_to_right(Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(row).layout(layout), |ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let cells = Mode::ALL.map(|mode| {
            let (text, name) = mode.words();
            Cell::new(text, name)
        });
        let width = if narrow { 352.0 } else { 400.0 };
        ui.allocate_ui(vec2(width, crate::theme::CONTROL), |ui| {
            let chosen = Mode::ALL.iter().position(|mode| *mode == twin.mode);
            if let Some(clicked) = segmented(ui, &cells, chosen) {
                twin.mode = Mode::ALL[clicked];
            }
        });
        if twin.mode == Mode::Onion {
            ui.allocate_ui(vec2(if narrow { 140.0 } else { 200.0 }, 28.0), |ui| {
                let slider = Slider::new(tr("twin-cover"), 0.0..=1.0, 0.05, 0.01).reset(0.5).compact();
                if let Some(cover) = slider.show(ui, twin.cover) {
                    twin.cover = cover;
                }
            });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let done = matches!(view.session.twin(), TwinState::Finished(_));
            let text = if narrow { "" } else { tr("twin-save") };
            let button = Button::new(text).icon(icons::DOWNLOAD).name(tr("twin-save-name"));
            if ui.add_enabled_ui(done, |ui| button.show(ui).clicked()).inner {
                view.want(Intent::SaveTwin);
            }
        });
    });
}
