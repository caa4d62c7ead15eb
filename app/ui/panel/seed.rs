use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::CONTROL;
use crate::widgets::{Button, NumberField, caption};
use egui::Ui;
use fourstep_session::Action;

const GAP: f32 = 6.0;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    caption(ui, "Seed");
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        if button(ui, icons::MINUS, "Previous seed", "−") {
            view.act(Action::NudgeSeed(-1));
        }
        let width = ui.available_width() - 3.0 * (CONTROL + GAP);
        if let Some(seed) = NumberField::new("Seed", width).show(ui, view.session.request().seed) {
            view.act(Action::SetSeed(seed));
        }
        if button(ui, icons::PLUS, "Next seed", "+") {
            view.act(Action::NudgeSeed(1));
        }
        if button(ui, icons::DICE, "New random seed", "R") {
            view.want(Intent::NewSeed);
        }
        let locked = view.session.seed_locked();
        let (icon, name) = if locked {
            (icons::LOCK, "Seed is kept when you paint again")
        } else {
            (icons::LOCK_OPEN, "Keep the seed when you paint again")
        };
        let lock = Button::new("").icon(icon).name(name).shortcut("L").on(locked);
        if lock.show(ui).clicked() {
            view.act(Action::LockSeed(!locked));
        }
    });
}

fn button(ui: &mut Ui, icon: &str, name: &str, shortcut: &str) -> bool {
    Button::new("").icon(icon).name(name).shortcut(shortcut).show(ui).clicked()
}
