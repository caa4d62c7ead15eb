//! The page of the first start: what this does, what the model in the program can draw, how to get larger ones.

use crate::i18n::tr;
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, chip};
use egui::{Align, Context, Id, Layout, Modal, RichText, Ui, vec2};
use fourstep_protocol::ItemKind;
use fourstep_session::Action;

/// What the model in the program draws well. It was trained on English.
const EXAMPLES: [&str; 6] = [
    "a red apple on a blue background",
    "a green frog on a yellow background",
    "a penguin in the snow",
    "an orange fox on a teal background",
    "two strawberries on a white background",
    "a cactus in the desert",
];

/// Draws it; whether it was closed.
pub(crate) fn show(ctx: &Context, view: &mut View<'_>) -> bool {
    let modal = Modal::new(Id::unique("welcome")).frame(theme::modal_frame(ctx)).show(ctx, |ui| {
        ui.set_width((ctx.content_rect().width() - 120.0).min(560.0));
        contents(ui, view)
    });
    let closed = modal.inner || modal.backdrop_response.clicked();
    if closed {
        view.change_ui(|ui| ui.welcomed = true);
    }
    closed
}

fn contents(ui: &mut Ui, view: &mut View<'_>) -> bool {
    ui.label(RichText::new(tr("welcome-title")).font(theme::semibold(20.0)));
    ui.add_space(8.0);
    ui.spacing_mut().item_spacing.y = 10.0;
    for sentence in ["welcome-what", "welcome-can", "welcome-more"] {
        ui.label(RichText::new(tr(sentence)).size(14.0));
    }
    ui.add_space(4.0);
    ui.label(RichText::new(tr("welcome-try")).font(theme::medium(12.0)).color(palette(ui).secondary));
    let mut closed = false;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        for example in EXAMPLES {
            if chip(ui, example, example, false).clicked() {
                view.act(Action::SetPrompt(example.into()));
                closed = true;
            }
        }
    });
    ui.add_space(8.0);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        closed |= Button::new(tr("welcome-start")).primary(true).show(ui).clicked();
        if Button::new(tr("welcome-surprise")).icon(icons::SPARKLE).show(ui).clicked() {
            view.want(Intent::Surprise);
            closed = true;
        }
        if Button::new(tr("welcome-library")).icon(icons::DOWNLOAD).show(ui).clicked() {
            view.want(Intent::Browse(ItemKind::Model));
            closed = true;
        }
    });
    closed
}
