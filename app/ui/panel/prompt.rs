use crate::i18n::{tr, tr_with};
use crate::intent::View;
use crate::theme::{self, palette};
use crate::widgets::{caption_row, field_frame, name_it};
use egui::{Id, Key, KeyboardShortcut, Modifiers, ScrollArea, TextEdit, Ui};
use fourstep_session::Action;

const MIN_ROWS: usize = 3;
const MAX_ROWS: usize = 8;

/// The prompt's id, so that shortcuts know when it is being typed in.
pub(crate) fn prompt_id() -> Id {
    Id::unique("prompt")
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let p = palette(ui);
    let (note, ink) = match view.session.tokens() {
        Some(t) if t.used > t.window => {
            let over = t.used - t.window;
            let args = [("used", t.used.into()), ("window", t.window.into()), ("over", over.into())];
            (tr_with("prompt-tokens-over", &args), p.error)
        }
        Some(t) => (tr_with("prompt-tokens", &[("used", t.used.into()), ("window", t.window.into())]), p.secondary),
        None => (String::new(), p.secondary),
    };
    caption_row(ui, tr("prompt-name"), &note, ink);
    let mut text = view.session.request().prompt.clone();
    if edit(ui, prompt_id(), tr("prompt-name"), tr("prompt-hint"), MIN_ROWS, &mut text) {
        view.act(Action::SetPrompt(text));
    }
}

/// A text field that grows from `min_rows` to eight lines and then scrolls; whether the text changed.
pub(super) fn edit(ui: &mut Ui, id: Id, name: &str, hint: &'static str, min_rows: usize, text: &mut String) -> bool {
    let font = theme::regular(14.0);
    let row = ui.fonts_mut(|f| f.row_height(&font));
    let focused = ui.memory(|m| m.has_focus(id));
    let frame = field_frame(ui, focused);
    let inner = frame.show(ui, |ui| {
        let area = ScrollArea::vertical().id_salt(id).max_height(row * MAX_ROWS as f32).auto_shrink([false, true]);
        area.show(ui, |ui| {
            let hint = egui::RichText::new(hint).color(palette(ui).disabled);
            let edit = TextEdit::multiline(text)
                .id(id)
                .frame(egui::Frame::NONE)
                .margin(egui::Margin::ZERO)
                .font(font)
                .hint_text(hint)
                .desired_width(f32::INFINITY)
                .desired_rows(min_rows)
                .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
            let response = ui.add(edit);
            name_it(ui, &response, name);
            response.changed()
        })
    });
    // A click on the frame's margin means the field as well.
    if ui.input(|i| i.pointer.primary_clicked()) && inner.response.contains_pointer() && ui.is_enabled() {
        ui.memory_mut(|m| m.request_focus(id));
    }
    inner.inner.inner
}
