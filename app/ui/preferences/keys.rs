use crate::help::cap;
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::View;
use crate::shortcuts::{self, Bindings, Chord, Row, TABLE};
use crate::theme::{self, palette};
use crate::widgets::{Button, icon_button, line, tip};
use egui::{Align, Layout, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

/// Width of the keys and of the button beside them, in points.
const KEYS: f32 = 150.0;
const BUTTON: f32 = 96.0;

/// Every shortcut with its keys; the row in `waiting` takes the next keys that are pressed.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, waiting: &mut Option<usize>) {
    if let Some(index) = *waiting
        && let Some(chord) = Chord::pressed(ui.ctx())
    {
        *waiting = None;
        // Deleting means no key at all.
        let is_none = matches!(chord.to_string().as_str(), "Backspace" | "Delete");
        let keys = if is_none { Vec::new() } else { vec![chord.to_string()] };
        view.change_ui(|ui| {
            ui.shortcuts.insert(TABLE[index].id.to_owned(), keys);
        });
    }
    let bindings = shortcuts::current();
    let height = ui.available_height() - theme::CONTROL - 8.0;
    ScrollArea::vertical().max_height(height).auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for (index, row) in TABLE.iter().enumerate() {
            show_row(ui, view, waiting, &bindings, index, row);
        }
    });
    ui.add_space(4.0);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let chosen = !view.session.settings().ui.shortcuts.is_empty();
        let reset = ui.add_enabled_ui(chosen, |ui| Button::new(tr("prefs-keys-reset-all")).show(ui).clicked());
        if reset.inner {
            *waiting = None;
            view.change_ui(|ui| ui.shortcuts.clear());
        }
    });
}

fn show_row(
    ui: &mut Ui,
    view: &mut View<'_>,
    waiting: &mut Option<usize>,
    bindings: &Bindings,
    index: usize,
    row: &Row,
) {
    let p = palette(ui);
    let named = |key| tr_with(key, &[("what", tr(row.what).into())]);
    let waits = *waiting == Some(index);
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), theme::CONTROL),
        Layout::right_to_left(Align::Center),
        |ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let chosen = view.session.settings().ui.shortcuts.contains_key(row.id);
            let reset =
                ui.add_enabled_ui(chosen, |ui| icon_button(ui, icons::UNDO, &named("prefs-keys-reset"), "").clicked());
            if reset.inner {
                view.change_ui(|ui| {
                    ui.shortcuts.remove(row.id);
                });
            }
            let text = tr(if waits { "prefs-keys-press" } else { "prefs-keys-change" });
            let name = named(if waits { "prefs-keys-press-name" } else { "prefs-keys-change-name" });
            if Button::new(text).name(&name).width(BUTTON).on(waits).show(ui).clicked() {
                *waiting = (!waits).then_some(index);
            }
            ui.allocate_ui_with_layout(vec2(KEYS, theme::CONTROL), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(KEYS);
                ui.spacing_mut().item_spacing.x = 3.0;
                keys(ui, bindings.chords(index));
            });
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::CONTROL), Sense::hover());
            let (text, ink) = match bindings.conflict(index) {
                Some(other) => {
                    let other = tr(TABLE[other].what);
                    (tr_with("prefs-keys-conflict", &[("what", tr(row.what).into()), ("other", other.into())]), p.error)
                }
                None => (tr(row.what).to_owned(), p.text),
            };
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
            if line(ui, rect, &text, theme::regular(13.0), ink).elided {
                tip(ui, response, &text, "");
            }
        },
    );
}

fn keys(ui: &mut Ui, chords: &[Chord]) {
    for (at, chord) in chords.iter().take(2).enumerate() {
        if at > 0 {
            cap(ui, "/");
        }
        for key in chord.caps() {
            cap(ui, key);
        }
    }
}
