//! What the pointer finds in a prompt: words that the model does not know, and the picture without a word.

use super::{editor::LaidOut, marks};
use crate::i18n::tr_with;
use crate::intent::View;
use crate::theme::palette;
use crate::widgets::tip_at;
use egui::{Rect, Ui, vec2};
use fourstep_prompt::{Mark, highlight, word_at};
use fourstep_session::Action;
use std::ops::Range;

pub(super) fn show(ui: &Ui, view: &mut View<'_>, laid_out: &LaidOut, text: &str) {
    chunk_starts(ui, view, laid_out, text);
    let word = pointed_at(ui, laid_out, text);
    leave_out(ui, view, laid_out, text, word.as_ref());
    if let Some(word) = word.filter(|word| marks::is_among(&text[word.clone()], view.session.unknown_words())) {
        let name = &view.session.model().name;
        let args = [("model", name.as_str().into()), ("word", (&text[word.clone()]).into())];
        let why = tr_with("prompt-unknown-word", &args);
        tip_at(ui, &laid_out.response, laid_out.rect(text, &word), &why, "");
    }
}

/// The word under the pointer; not syntax, tags or comments.
fn pointed_at(ui: &Ui, laid_out: &LaidOut, text: &str) -> Option<Range<usize>> {
    let pos = ui.input(|i| i.pointer.hover_pos()).filter(|pos| laid_out.clip.contains(*pos))?;
    if !laid_out.response.hovered() || ui.input(|i| i.pointer.any_down()) {
        return None;
    }
    let word = word_at(text, laid_out.byte_at(text, pos))?;
    let is_words = |mark: Mark| matches!(mark, Mark::Text | Mark::Weighted(_));
    let mark = highlight(text).into_iter().find(|span| span.range.contains(&word.start))?.mark;
    (is_words(mark) && laid_out.rect(text, &word).expand(2.0).contains(pos)).then_some(word)
}

/// With Alt, or where it is switched on, the picture is painted without the word under the pointer.
fn leave_out(ui: &Ui, view: &mut View<'_>, laid_out: &LaidOut, text: &str, word: Option<&Range<usize>>) {
    let on = view.session.settings().ui.leave_out_words || ui.input(|i| i.modifiers.alt);
    let word = word.filter(|_| on);
    if let Some(word) = word {
        let rect = laid_out.rect(text, word).expand2(vec2(2.0, 0.0));
        let p = palette(ui);
        ui.painter()
            .with_clip_rect(laid_out.clip)
            .line_segment([rect.left_center(), rect.right_center()], (1.5, p.accent));
    }
    if view.session.left_out_place() != word {
        view.act(Action::LeaveOut(word.cloned()));
    }
}

/// A mark where a chunk of tokens begins: words on its two sides are read apart from each other.
fn chunk_starts(ui: &Ui, view: &View<'_>, laid_out: &LaidOut, text: &str) {
    let p = palette(ui);
    for start in view.session.chunk_starts().iter().filter(|start| text.is_char_boundary(**start)) {
        let place = laid_out.rect(text, &(*start..*start));
        let mark = Rect::from_center_size(place.center() - vec2(1.5, 0.0), vec2(2.0, place.height()));
        ui.painter().with_clip_rect(laid_out.clip).rect_filled(mark, 1.0, p.accent);
    }
}
