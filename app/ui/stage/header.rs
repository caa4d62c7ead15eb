use super::tabs;
use crate::i18n::tr;
use crate::icons;
use crate::intent::{Intent, View};
use crate::shortcuts::{Command, keys};
use crate::widgets::{Button, icon_button};
use egui::{Align, Layout, Ui};
use fourstep_session::{Action, Status};

/// Below so many points, the buttons of a run are icons only.
const SNUG: f32 = 980.0;
/// Below so many, every button is, and the tabs are a list.
const NARROW: f32 = 760.0;

/// The tabs, and live or paused, paint and stop at the left; what one does with a finished picture at the right.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let (snug, narrow) = (ui.available_width() < SNUG, ui.available_width() < NARROW);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        tabs::show(ui, view, narrow);
        ui.add_space(6.0);
        run_buttons(ui, view, snug);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| picture_buttons(ui, view, narrow));
    });
}

fn run_buttons(ui: &mut Ui, view: &mut View<'_>, snug: bool) {
    // A button as wide as its longest text, so that a change moves nothing.
    let button = |text, icon, name, width| {
        let button = Button::new(if snug { "" } else { tr(text) }).icon(icon).name(tr(name));
        button.width(if snug { 0.0 } else { width })
    };
    let live = view.session.is_live();
    let status = view.session.status(view.now);
    let (text, icon, name) = if live {
        ("stage-pause", icons::PAUSE, "stage-pause-name")
    } else {
        ("stage-live", icons::PLAY, "stage-live-name")
    };
    if button(text, icon, name, 96.0).shortcut(&keys(Command::Live)).show(ui).clicked() {
        view.act(Action::SetLive(!live));
    }
    let paint_keys = keys(Command::Paint);
    let paint = button("stage-paint", icons::BRUSH, "stage-paint-name", 80.0).shortcut(&paint_keys);
    if paint.primary(!live && !is_busy(&status)).show(ui).clicked() {
        view.want(Intent::Paint);
    }
    let stop = ui.add_enabled_ui(is_busy(&status), |ui| {
        button("stage-stop", icons::STOP, "stage-stop-name", 76.0).shortcut("Esc").show(ui).clicked()
    });
    if stop.inner {
        view.act(Action::Stop);
    }
}

/// Whether there is something to stop.
pub(crate) fn is_busy(status: &Status) -> bool {
    matches!(status, Status::Waiting { .. } | Status::Loading { .. } | Status::Painting { .. })
}

/// From the right edge inwards.
fn picture_buttons(ui: &mut Ui, view: &mut View<'_>, narrow: bool) {
    let there = view.session.shown().is_some();
    let save = ui.add_enabled_ui(there, |ui| {
        let text = if narrow { "" } else { tr("stage-save") };
        Button::new(text).icon(icons::DOWNLOAD).name(tr("stage-save")).shortcut(&keys(Command::Save)).show(ui).clicked()
    });
    if save.inner {
        view.want(Intent::Save);
    }
    let copy =
        ui.add_enabled_ui(there, |ui| icon_button(ui, icons::COPY, tr("stage-copy"), &keys(Command::Copy)).clicked());
    if copy.inner {
        view.want(Intent::Copy);
    }
    let can = there && view.session.upscaling().is_none();
    let upscale = ui.add_enabled_ui(can, |ui| icon_button(ui, icons::UPSCALE, tr("upscale-name"), "").clicked());
    if upscale.inner {
        view.act(Action::Upscale);
    }
    if icon_button(ui, icons::FOLDER_OPEN, tr("stage-open"), &keys(Command::OpenPicture)).clicked() {
        view.want(Intent::OpenPicture);
    }
    let redo = ui.add_enabled_ui(view.session.can_redo(), |ui| {
        icon_button(ui, icons::REDO, tr("stage-redo"), &keys(Command::Redo)).clicked()
    });
    if redo.inner {
        view.act(Action::Redo);
    }
    let undo = ui.add_enabled_ui(view.session.can_undo(), |ui| {
        icon_button(ui, icons::UNDO, tr("stage-undo"), &keys(Command::Undo)).clicked()
    });
    if undo.inner {
        view.act(Action::Undo);
    }
}
