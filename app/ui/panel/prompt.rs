//! The prompt: what is painted, in words, weights, wildcards and tags.

mod editor;
mod hover;
mod marks;
mod styles;
mod suggest;

pub(crate) use editor::{Editor, is_completing};
pub(crate) use suggest::Offers;

use super::explain;
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, Palette, palette};
use crate::widgets::Button;
use egui::{Align, Align2, Color32, Id, Layout, Role, Sense, Ui, WidgetInfo, vec2};
use fourstep_prompt::Problem;
use fourstep_protocol::TokenCount;
use fourstep_session::{Action, PromptTrouble};

const MIN_ROWS: usize = 3;
/// Height of the line above the field, in points.
const CAPTION: f32 = 28.0;

/// The prompt's id, so that shortcuts know when it is being typed in.
pub(crate) fn prompt_id() -> Id {
    Id::unique("prompt")
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    caption(ui, view);
    let mut text = view.session.request().prompt.clone();
    let editor = Editor {
        id: prompt_id(),
        name: tr("prompt-name"),
        hint: tr("prompt-hint"),
        min_rows: MIN_ROWS,
        unknown: view.session.unknown_words(),
        unread: view.session.unread_from(),
        offers: Offers::All,
    };
    let edited = editor.show(ui, view.session, &mut text);
    if edited.changed {
        view.act(Action::SetPrompt(text.clone()));
    }
    if let Some(style) = edited.style {
        view.act(Action::ApplyStyle(style));
    }
    hover::show(ui, view, &edited.laid_out, &text);
    for trouble in view.session.prompt_troubles() {
        explain(ui, &words(trouble));
    }
}

/// The name, how much of the model's window is filled, and what one does with a prompt.
fn caption(ui: &mut Ui, view: &mut View<'_>) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), CAPTION), Sense::hover());
    ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, tr("prompt-name"), theme::medium(12.0), p.secondary);
    let (note, ink) = note(view.session.tokens(), p);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{}: {note}", tr("prompt-name"))));
    ui.scope_builder(egui::UiBuilder::new().max_rect(rect).layout(Layout::right_to_left(Align::Center)), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        styles::menu(ui, view);
        let on = view.session.settings().ui.leave_out_words;
        let toggle =
            Button::new("").icon(icons::EYE_SLASH).name(tr("prompt-without")).shortcut("Alt").quiet().low().on(on);
        if toggle.show(ui).clicked() {
            view.want(Intent::ToggleLeaveOut);
        }
        let surprise = Button::new("").icon(icons::SPARKLE).name(tr("prompt-surprise")).quiet().low();
        if surprise.show(ui).clicked() {
            view.want(Intent::Surprise);
        }
        ui.add_space(6.0);
        note_text(ui, &note, ink);
    });
}

/// How much of the model's window is filled.
fn note(tokens: Option<TokenCount>, p: &Palette) -> (String, Color32) {
    let Some(TokenCount { used, window }) = tokens else { return (String::new(), p.secondary) };
    let args = [("used", used.into()), ("window", window.into()), ("over", used.saturating_sub(window).into())];
    match used > window {
        true => (tr_with("prompt-tokens-over", &args), p.error),
        false => (tr_with("prompt-tokens", &args[..2]), p.secondary),
    }
}

fn note_text(ui: &mut Ui, note: &str, ink: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(120.0, CAPTION), Sense::hover());
    ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, note, theme::medium(12.0), ink);
}

/// What could not be followed, as a sentence.
fn words(trouble: &PromptTrouble) -> String {
    let (key, name) = match trouble {
        PromptTrouble::Syntax(Problem::UnknownWildcard(name)) => ("prompt-unknown-wildcard", name),
        PromptTrouble::Syntax(Problem::UnknownTag(kind)) => ("prompt-unknown-tag", kind),
        PromptTrouble::Syntax(Problem::TagWeight(name)) => ("prompt-tag-weight", name),
        PromptTrouble::UnknownLora(name) => ("prompt-unknown-lora", name),
        PromptTrouble::AbsentLora(name) => ("prompt-absent-lora", name),
        PromptTrouble::MisfitLora(name) => ("prompt-misfit-lora", name),
        PromptTrouble::NegativeLora(name) => ("prompt-negative-lora", name),
    };
    tr_with(key, &[("name", name.as_str().into())])
}
