use crate::i18n::tr;
use crate::icons;
use crate::intent::{Intent, View};
use crate::shortcuts::{Command, keys};
use crate::theme::CONTROL;
use crate::widgets::{Button, NumberField, caption};
use egui::Ui;
use fourstep_session::Action;

const GAP: f32 = 6.0;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    caption(ui, tr("seed-name"));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        if button(ui, icons::MINUS, tr("seed-previous"), Command::PreviousSeed) {
            view.act(Action::NudgeSeed(-1));
        }
        let width = ui.available_width() - 3.0 * (CONTROL + GAP);
        if let Some(seed) = NumberField::new(tr("seed-name"), width).show(ui, view.session.request().seed) {
            view.act(Action::SetSeed(seed));
        }
        if button(ui, icons::PLUS, tr("seed-next"), Command::NextSeed) {
            view.act(Action::NudgeSeed(1));
        }
        if button(ui, icons::DICE, tr("seed-random"), Command::NewSeed) {
            view.want(Intent::NewSeed);
        }
        let locked = view.session.seed_locked();
        let (icon, name) = if locked { (icons::LOCK, tr("seed-kept")) } else { (icons::LOCK_OPEN, tr("seed-keep")) };
        let lock_keys = keys(Command::KeepSeed);
        let lock = Button::new("").icon(icon).name(name).shortcut(&lock_keys).on(locked);
        if lock.show(ui).clicked() {
            view.act(Action::LockSeed(!locked));
        }
    });
}

fn button(ui: &mut Ui, icon: &str, name: &str, command: Command) -> bool {
    Button::new("").icon(icon).name(name).shortcut(&keys(command)).show(ui).clicked()
}
