//! The stack of LoRAs: switch, weight, order, and the words that call them up.

use super::explain;
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Fold, Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, Slider, chip, fold, icon_button, line, switch, tip};
use crate::words;
use egui::{
    Align, Align2, CursorIcon, EventFilter, Id, Key, Layout, Rect, RichText, Role, Sense, Ui, WidgetInfo, vec2,
};
use fourstep_protocol::{Family, ItemKind, LoraRef};
use fourstep_session::{Action, Session};

/// Trigger words shown of a LoRA; the most frequent come first.
const WORDS: usize = 6;
/// Width of the handle at the left of a row, in points.
const HANDLE: f32 = 20.0;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let loras = view.session.request().loras.clone();
    let open = view.session.settings().ui.loras_open;
    let on = (0..loras.len()).filter(|index| view.session.lora_is_on(*index)).count();
    let note = match loras.len() {
        0 => tr("loras-none").to_owned(),
        all if all == on => all.to_string(),
        all => tr_with("loras-some-on", &[("on", on.into()), ("all", all.into())]),
    };
    if fold(ui, tr("loras-name"), &note, open) {
        view.want(Intent::Fold(Fold::Loras));
    }
    if !open {
        return;
    }
    if loras.is_empty() {
        explain(ui, tr("loras-empty"));
    }
    let mut rows = Vec::new();
    for (index, lora) in loras.iter().enumerate() {
        if index > 0 {
            super::rule(ui);
        }
        rows.push(ui.scope(|ui| row(ui, view, index, lora)).response.rect);
    }
    reorder(ui, view, &rows);
    ui.add_space(4.0);
    if Button::new(tr("loras-add")).icon(icons::PLUS).show(ui).clicked() {
        view.want(Intent::Browse(ItemKind::Lora));
    }
    ui.add_space(4.0);
}

fn row(ui: &mut Ui, view: &mut View<'_>, index: usize, lora: &LoraRef) {
    let name = view.session.lora_name(&lora.source).to_owned();
    let (is_on, weight) = (view.session.lora_is_on(index), view.session.lora_weight(index));
    head(ui, view, index, lora, &name);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(HANDLE);
        let label = tr_with("loras-weight", &[("name", name.as_str().into())]);
        let slider =
            Slider::new(&label, -2.0..=2.0, 0.05, 0.01).ticks(&[-2.0, -1.0, 0.0, 1.0, 2.0]).reset(1.0).compact();
        let moved = ui.add_enabled_ui(is_on, |ui| slider.tooltip(tr("loras-weight-tip")).show(ui, weight));
        if let Some(weight) = moved.inner {
            view.act(Action::SetLora { index, weight });
        }
    });
    indented(ui, |ui| match view.session.lora_trouble(&lora.source) {
        Some(trouble) => {
            ui.label(RichText::new(words::lora_trouble(&trouble)).small().color(palette(ui).error));
        }
        // Its place is kept, so that nothing moves when a run has told.
        None => {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
            line(ui, rect, &modules(view.session, lora), theme::regular(12.0), palette(ui).secondary);
        }
    });
    trigger_words(ui, view, lora);
    ui.add_space(2.0);
}

/// Handle, switch, name, weight, and out.
fn head(ui: &mut Ui, view: &mut View<'_>, index: usize, lora: &LoraRef, name: &str) {
    let is_on = view.session.lora_is_on(index);
    let weight = view.session.lora_weight(index);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        handle(ui, view, index, name);
        let named = |key| tr_with(key, &[("name", name.into())]);
        if switch(ui, &named(if is_on { "loras-switch-off" } else { "loras-switch-on" }), is_on) {
            view.act(Action::EnableLora { index, on: !is_on });
        }
        ui.add_space(8.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, icons::X, &named("loras-remove"), "").clicked() {
                view.act(Action::RemoveLora(index));
            }
            let p = palette(ui);
            let (number, _) = ui.allocate_exact_size(vec2(44.0, theme::CONTROL), Sense::hover());
            let ink = if is_on { p.text } else { p.disabled };
            let text = format!("{weight:.2}");
            ui.painter().text(number.right_center(), Align2::RIGHT_CENTER, text, theme::medium(12.0), ink);
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::CONTROL), Sense::hover());
            let about = about(view.session, lora);
            response.widget_info(|| {
                let about = about.replace('\n', ", ");
                let label = tr_with("loras-label", &[("name", name.into()), ("about", about.into())]);
                WidgetInfo::labeled(Role::Label, true, label)
            });
            line(
                ui,
                rect.with_max_x(rect.right() - 4.0),
                name,
                theme::medium(13.0),
                if is_on { p.text } else { p.secondary },
            );
            tip(ui, response, &about, "");
        });
    });
}

/// What it was made for, and how much of it found a place in the model.
fn modules(session: &Session, lora: &LoraRef) -> String {
    let info = session.lora_info(&lora.source);
    let family = info.and_then(|info| info.family).filter(|family| *family != Family::Custom);
    let modules = match (session.lora_report(&lora.source), info) {
        (Some(report), _) if report.matched == report.total => {
            Some(tr_with("loras-all-match", &[("total", report.total.into())]))
        }
        (Some(report), _) => {
            Some(tr_with("loras-some-match", &[("matched", report.matched.into()), ("total", report.total.into())]))
        }
        (None, Some(info)) => Some(tr_with("loras-modules", &[("n", info.modules.into())])),
        (None, None) => None,
    };
    let parts = [family.map(|family| family.label().to_owned()), modules];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Where it comes from, what it was made for, and how much of it found a place in the model.
fn about(session: &Session, lora: &LoraRef) -> String {
    let mut lines = vec![lora.source.clone()];
    if let Some(family) = session.lora_info(&lora.source).and_then(|info| info.family) {
        lines.push(tr_with("loras-made-for", &[("family", family.label().into())]));
    }
    if let Some(report) = session.lora_report(&lora.source) {
        let (matched, total) = (report.matched, report.total);
        lines.push(tr_with("loras-change", &[("matched", matched.into()), ("total", total.into())]));
        let named: Vec<&str> = report.ignored.iter().take(4).map(String::as_str).collect();
        let more = report.ignored.len() - named.len();
        let names = named.join(", ");
        if more > 0 {
            lines.push(tr_with("loras-ignored-more", &[("names", names.into()), ("n", more.into())]));
        } else if !names.is_empty() {
            lines.push(tr_with("loras-ignored", &[("names", names.into())]));
        }
    }
    lines.join("\n")
}

fn handle(ui: &mut Ui, view: &mut View<'_>, index: usize, name: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(HANDLE, theme::CONTROL), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, tr_with("loras-move", &[("name", name.into())])));
    let p = palette(ui);
    let ink = if response.hovered() || response.dragged() || response.has_focus() { p.text } else { p.disabled };
    let at = rect.left_center() + vec2(7.0, 0.0);
    ui.painter().text(at, Align2::CENTER_CENTER, icons::HANDLE, theme::icon(16.0), ink);
    if response.drag_started() {
        ui.data_mut(|d| d.insert_temp(dragged_id(), index));
    }
    if response.has_focus() {
        let filter = EventFilter { vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
        let (up, down) = ui.input(|i| (i.key_pressed(Key::ArrowUp), i.key_pressed(Key::ArrowDown)));
        if up && index > 0 {
            view.act(Action::MoveLora { from: index, to: index - 1 });
        } else if down {
            view.act(Action::MoveLora { from: index, to: index + 1 });
        }
    }
    let response = response.on_hover_cursor(CursorIcon::Grab);
    tip(ui, response, tr("loras-move-tip"), "↑ ↓");
}

/// While a handle is dragged: a line where the LoRA would go; when it is let go, it goes there.
fn reorder(ui: &Ui, view: &mut View<'_>, rows: &[Rect]) {
    let Some(from) = ui.data(|d| d.get_temp::<usize>(dragged_id())) else { return };
    let released = !ui.input(|i| i.pointer.primary_down());
    if let (Some(at), Some(first)) = (ui.input(|i| i.pointer.latest_pos()), rows.first()) {
        let gap = rows.iter().filter(|row| row.center().y < at.y).count();
        let y =
            gap.checked_sub(1).and_then(|above| rows.get(above)).map_or(first.top() - 3.0, |row| row.bottom() + 3.0);
        ui.painter().hline(first.x_range(), y, (2.0, palette(ui).accent));
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        let to = if gap > from { gap - 1 } else { gap };
        if released && to != from {
            view.act(Action::MoveLora { from, to });
        }
    }
    if released {
        ui.data_mut(|d| d.remove::<usize>(dragged_id()));
    }
}

fn dragged_id() -> Id {
    Id::unique("dragged LoRA")
}

/// The words that call it up; a click puts one at the end of the prompt.
fn trigger_words(ui: &mut Ui, view: &mut View<'_>, lora: &LoraRef) {
    let Some(info) = view.session.lora_info(&lora.source) else { return };
    let words: Vec<String> = info.trigger_words.iter().take(WORDS).cloned().collect();
    if words.is_empty() {
        return;
    }
    let prompt = view.session.request().prompt.clone();
    indented(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
            for word in &words {
                let there = contains(&prompt, word);
                let key = if there { "loras-word-there" } else { "loras-word-add" };
                let name = tr_with(key, &[("word", word.as_str().into())]);
                if chip(ui, word, &name, there).clicked() && !there {
                    view.act(Action::SetPrompt(appended(&prompt, word)));
                }
            }
        });
    });
}

fn indented(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(HANDLE);
        ui.vertical(contents);
    });
}

fn contains(prompt: &str, word: &str) -> bool {
    prompt.to_lowercase().contains(&word.to_lowercase())
}

fn appended(prompt: &str, word: &str) -> String {
    let prompt = prompt.trim_end().trim_end_matches(',');
    if prompt.is_empty() { word.to_owned() } else { format!("{prompt}, {word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_goes_to_the_end_behind_one_comma() {
        assert_eq!(appended("a cat", "inkpen"), "a cat, inkpen");
        assert_eq!(appended("a cat, ", "inkpen"), "a cat, inkpen");
        assert_eq!(appended("  ", "inkpen"), "inkpen");
        assert!(contains("a cat, InkPen", "inkpen"));
    }
}
