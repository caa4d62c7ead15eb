//! A field for a prompt: it shows what its parts are, weighs words, and offers names.

use super::{
    marks,
    suggest::{self, Offers},
};
use crate::theme::{self, palette};
use crate::widgets::{field_frame, name_it};
use egui::text::{CCursor, CCursorRange};
use egui::{
    CompletionPopup, Context, Galley, Id, Key, KeyboardShortcut, Modifiers, Pos2, Rect, RectAlign, Response,
    ScrollArea, TextEdit, Ui, text_edit::TextEditState,
};
use fourstep_prompt::reweigh;
use fourstep_session::Session;
use std::{ops::Range, sync::Arc};

const MAX_ROWS: usize = 8;
/// What Ctrl+↑ adds to a weight, and with Shift.
const STEPS: [f64; 2] = [0.1, 0.05];

/// A field for a prompt.
pub(crate) struct Editor<'a> {
    pub id: Id,
    /// What a screen reader says.
    pub name: &'a str,
    /// Shown where nothing is written.
    pub hint: &'a str,
    /// It grows from so many lines to eight and then scrolls.
    pub min_rows: usize,
    /// Words in lower case that the model does not know.
    pub unknown: &'a [String],
    /// Where what the model does not read begins, in bytes.
    pub unread: Option<usize>,
    pub offers: Offers,
}

/// What became of the text.
pub(crate) struct Edited {
    pub changed: bool,
    /// A style that was chosen by its name.
    pub style: Option<String>,
    pub laid_out: LaidOut,
}

/// Where the text stands on the screen.
pub(crate) struct LaidOut {
    pub response: Response,
    galley: Arc<Galley>,
    at: Pos2,
    pub clip: Rect,
}

impl Editor<'_> {
    /// Draws it and takes what is typed into `text`.
    pub(crate) fn show(self, ui: &mut Ui, session: &Session, text: &mut String) -> Edited {
        let font = theme::regular(14.0);
        let row = ui.fonts_mut(|f| f.row_height(&font));
        let focused = ui.memory(|m| m.has_focus(self.id));
        let weighed = focused && weigh(ui.ctx(), self.id, text);
        let frame = field_frame(ui, focused);
        let inner = frame.show(ui, |ui| {
            let area = ScrollArea::vertical().id_salt(self.id).max_height(row * MAX_ROWS as f32);
            area.auto_shrink([false, true]).show(ui, |ui| self.text_edit(ui, session, text, font)).inner
        });
        // A click on the frame's margin means the field as well.
        if ui.input(|i| i.pointer.primary_clicked()) && inner.response.contains_pointer() && ui.is_enabled() {
            ui.memory_mut(|m| m.request_focus(self.id));
        }
        let edited = inner.inner;
        Edited { changed: edited.changed || weighed, ..edited }
    }

    fn text_edit(&self, ui: &mut Ui, session: &Session, text: &mut String, font: egui::FontId) -> Edited {
        let p = palette(ui);
        let (ink, unknown, unread) = (font.clone(), self.unknown, self.unread);
        let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, wrap: f32| {
            let job = marks::job(text.as_str(), &ink, (unknown, unread), p, wrap);
            ui.fonts_mut(|f| f.layout_job(job))
        };
        let edit = TextEdit::multiline(text)
            .frame(egui::Frame::NONE)
            .margin(egui::Margin::ZERO)
            .font(font)
            .hint_text(egui::RichText::new(self.hint).color(p.disabled))
            .desired_width(f32::INFINITY)
            .desired_rows(self.min_rows)
            .layouter(&mut layouter)
            .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
        let popup = CompletionPopup::new(self.id).align(RectAlign::BOTTOM_START).word_boundary(suggest::is_between);
        let output = popup.show(ui, edit, |query| suggest::suggestions(session, query, self.offers));
        note_completing(ui.ctx(), output.is_open);
        let response = output.text_edit.response.response.clone();
        name_it(ui, &response, self.name);
        let style = output.accepted.as_ref().and_then(suggest::accepted_style).map(str::to_owned);
        if let Some(style) = &style {
            take_back(ui.ctx(), self.id, text, style.len() + 1);
        }
        let changed = response.changed() || output.accepted.is_some();
        let galley = output.text_edit.galley.clone();
        let laid_out =
            LaidOut { response, galley, at: output.text_edit.galley_pos, clip: output.text_edit.text_clip_rect };
        Edited { changed, style, laid_out }
    }
}

/// Removes so many bytes before the cursor: the name of a style is not part of the prompt.
fn take_back(ctx: &Context, id: Id, text: &mut String, length: usize) {
    let Some(end) = selection(ctx, id, text).map(|range| range.end) else { return };
    let start = end.saturating_sub(length);
    text.replace_range(start..end, "");
    select(ctx, id, text, start..start);
}

/// Ctrl+↑ and Ctrl+↓: more or less weight for what the cursor stands in; whether the text changed.
fn weigh(ctx: &Context, id: Id, text: &mut String) -> bool {
    let mut by = 0.0;
    ctx.input_mut(|i| {
        for (modifiers, step) in
            [Modifiers::COMMAND | Modifiers::SHIFT, Modifiers::COMMAND].into_iter().zip([STEPS[1], STEPS[0]])
        {
            by += step * i.count_and_consume_key(modifiers, Key::ArrowUp) as f64;
            by -= step * i.count_and_consume_key(modifiers, Key::ArrowDown) as f64;
        }
    });
    if by == 0.0 {
        return false;
    }
    let Some(selected) = selection(ctx, id, text) else { return false };
    let Some(done) = reweigh(text, selected, by) else { return false };
    *text = done.text;
    select(ctx, id, text, done.selection);
    true
}

/// What is selected, in bytes.
fn selection(ctx: &Context, id: Id, text: &str) -> Option<Range<usize>> {
    let range = TextEditState::load(ctx, id)?.cursor.char_range()?;
    let [start, end] = range.sorted_cursors().map(|cursor| byte_at(text, cursor.index.0));
    Some(start..end)
}

fn select(ctx: &Context, id: Id, text: &str, range: Range<usize>) {
    let cursor = |at: usize| CCursor::new(text[..at].chars().count());
    let mut state = TextEditState::load(ctx, id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::two(cursor(range.start), cursor(range.end))));
    state.store(ctx, id);
}

fn byte_at(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

impl LaidOut {
    /// Where these bytes of the text stand, as far as that is on one line.
    pub(super) fn rect(&self, text: &str, range: &Range<usize>) -> Rect {
        let place = |at: usize| self.galley.pos_from_cursor(CCursor::new(text[..at].chars().count()));
        place(range.start).union(place(range.end)).translate(self.at.to_vec2())
    }

    /// The byte of the text at a place on the screen.
    pub(super) fn byte_at(&self, text: &str, pos: Pos2) -> usize {
        byte_at(text, self.galley.cursor_from_pos(pos - self.at).index.0)
    }
}

fn completing_id() -> Id {
    Id::unique("completing")
}

/// Noted with its frame: where the field is not drawn any more, nothing is offered.
fn note_completing(ctx: &Context, is_open: bool) {
    if is_open {
        let frame = ctx.cumulative_frame_nr();
        ctx.data_mut(|d| d.insert_temp(completing_id(), frame));
    }
}

/// Whether names are offered: Enter, Escape and the arrows are about these then.
pub(crate) fn is_completing(ctx: &Context) -> bool {
    let noted = ctx.data(|d| d.get_temp::<u64>(completing_id()));
    noted.is_some_and(|frame| frame + 1 >= ctx.cumulative_frame_nr())
}
