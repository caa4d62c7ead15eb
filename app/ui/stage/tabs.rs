use crate::i18n::tr;
use crate::intent::{Intent, View};
use crate::shortcuts::{Command, keys};
use crate::theme::CONTROL;
use crate::widgets::{Cell, dropdown, segmented};
use egui::{Ui, vec2};
use fourstep_session::Tab;

/// Width of a tab, in points.
const TAB: f32 = 68.0;
/// Width of the list, in points.
const LIST: f32 = 120.0;

/// What the stage shows: tabs beside each other, or a list where there is no room for them.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, narrow: bool) {
    let shortcut = keys(Command::NextTab);
    let cells = Tab::ALL.map(|tab| {
        let (text, name) = words(tab);
        Cell { shortcut: &shortcut, ..Cell::new(text, name) }
    });
    let open = view.session.settings().ui.tab;
    let chosen = Tab::ALL.iter().position(|tab| *tab == open);
    let width = if narrow { LIST } else { TAB * cells.len() as f32 };
    ui.allocate_ui(vec2(width, CONTROL), |ui| {
        let texts = Tab::ALL.map(|tab| words(tab).0);
        let clicked = match narrow {
            true => dropdown(ui, tr("tab-list"), words(open).0, &texts, chosen),
            false => segmented(ui, &cells, chosen),
        };
        if let Some(clicked) = clicked {
            view.want(Intent::ShowTab(Tab::ALL[clicked]));
        }
    });
}

/// What a tab reads, and what it is for.
fn words(tab: Tab) -> (&'static str, &'static str) {
    match tab {
        Tab::Picture => (tr("tab-picture"), tr("tab-picture-name")),
        Tab::Twin => (tr("tab-twin"), tr("tab-twin-name")),
        Tab::Grid => (tr("tab-grid"), tr("tab-grid-name")),
        Tab::Canvas => (tr("tab-canvas"), tr("tab-canvas-name")),
        Tab::Gallery => (tr("tab-gallery"), tr("tab-gallery-name")),
    }
}
