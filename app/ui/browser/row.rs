//! One item of the library: what it is, and what one can do with it now.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, Palette, RADIUS, palette};
use crate::widgets::{Button, line, progress, tip};
use crate::words;
use egui::{Align, Align2, Color32, Layout, Rect, Response, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use fourstep_protocol::{Availability, Family, ItemKind, LibraryItem};
use fourstep_session::Session;

/// Height of a row, in points.
pub(super) const HEIGHT: f32 = 56.0;
/// What the buttons and a download's bar take at the right.
const ACTIONS: f32 = 240.0;
/// Width of a button, so that all begin at the same place.
const BUTTON: f32 = 110.0;

/// What one can do with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Use,
    Download,
    Cancel,
    Retry,
    /// It is in use, or nothing can be done with it.
    Nothing,
}

/// Draws the row; whether it was clicked.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, item: &LibraryItem, selected: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click());
    let p = palette(ui);
    let state = State::of(item, view.session);
    let name = format!("{}, {}", item.name, state.text);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, &name));
    let fill = match (selected, response.contains_pointer()) {
        // Quieter than the buttons on it.
        (true, _) => p.control.gamma_multiply(0.6),
        (false, true) => p.control.gamma_multiply(0.35),
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, RADIUS, fill);
    if selected {
        let edge = Rect::from_min_size(rect.min + vec2(0.0, 8.0), vec2(3.0, rect.height() - 16.0));
        ui.painter().rect_filled(edge, 1.5, p.accent);
    }
    let taken = if matches!(item.availability, Availability::Downloading(_)) { ACTIONS } else { BUTTON + 12.0 };
    let text = rect.with_min_x(rect.left() + 16.0).with_max_x(rect.right() - taken - 12.0);
    words_of(ui, text, item, &state, p);
    let actions =
        Rect::from_min_max(pos2(rect.right() - ACTIONS, rect.top()), pos2(rect.right() - 12.0, rect.bottom()));
    let builder = UiBuilder::new().max_rect(actions).layout(Layout::right_to_left(Align::Center));
    buttons(&mut ui.new_child(builder), view, item, &state, selected);
    let response = hint(ui, response, item, &state);
    if response.double_clicked() {
        view.intents.extend(intent(item, view.session));
    }
    response.clicked()
}

/// What Enter, a double click and the row's button do.
pub(super) fn intent(item: &LibraryItem, session: &Session) -> Option<Intent> {
    let id = item.id.clone();
    Some(match State::of(item, session).verb {
        Verb::Use => Intent::Use(item.kind, id),
        Verb::Download | Verb::Retry => Intent::Download(id),
        Verb::Cancel => Intent::CancelDownload(id),
        Verb::Nothing => return None,
    })
}

/// How an item is shown.
struct State {
    icon: &'static str,
    /// The second line.
    text: String,
    verb: Verb,
    /// It cannot be used.
    grey: bool,
    fails: bool,
}

impl State {
    fn of(item: &LibraryItem, session: &Session) -> Self {
        let fine = |icon, verb| Self { icon, text: facts(item), verb, grey: false, fails: false };
        match &item.availability {
            Availability::Ready if is_in_use(item, session) => fine(icons::CHECK, Verb::Nothing),
            Availability::Ready if item.kind == ItemKind::TinyDecoder => fine(icons::CHECK, Verb::Nothing),
            Availability::Ready => match misfit(item, session) {
                Some(text) => Self { text, grey: true, ..fine(icons::PROHIBIT, Verb::Nothing) },
                None => fine(kind_icon(item.kind), Verb::Use),
            },
            Availability::Absent { .. } => fine(icons::DOWNLOAD, Verb::Download),
            Availability::Downloading(p) => Self { text: words::download(p), ..fine(icons::DOWNLOAD, Verb::Cancel) },
            Availability::Failed(f) => {
                Self { text: words::failure(f), fails: true, ..fine(icons::WARNING, Verb::Retry) }
            }
            Availability::Unusable(f) => {
                Self { text: words::failure(f), grey: true, ..fine(icons::PROHIBIT, Verb::Nothing) }
            }
        }
    }
}

fn kind_icon(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Model => icons::CUBE,
        ItemKind::Lora => icons::STACK,
        ItemKind::Vae | ItemKind::TinyDecoder => icons::IMAGE,
    }
}

fn is_in_use(item: &LibraryItem, session: &Session) -> bool {
    let request = session.request();
    match item.kind {
        ItemKind::Model => request.model.as_str() == item.id,
        ItemKind::Lora => request.loras.iter().any(|l| l.source == item.id),
        ItemKind::Vae => request.vae.as_deref() == Some(&item.id),
        ItemKind::TinyDecoder => false,
    }
}

fn misfit(item: &LibraryItem, session: &Session) -> Option<String> {
    if item.kind == ItemKind::Model {
        return None;
    }
    session.misfit(item.family).as_ref().map(words::misfit)
}

/// Whether part of it is here.
fn is_begun(item: &LibraryItem) -> bool {
    matches!(item.availability, Availability::Absent { have_bytes } if have_bytes > 0)
}

/// `SD1.5 · 4.3 GB · openrail++ · Hugging Face, Lykon/dreamshaper-8`
fn facts(item: &LibraryItem) -> String {
    let size = match item.availability {
        Availability::Absent { have_bytes } if have_bytes > 0 => {
            let amount =
                item.size_bytes.map_or_else(|| words::bytes(have_bytes), |total| words::amount(have_bytes, total));
            Some(tr_with("row-partly-here", &[("amount", amount.into())]))
        }
        _ => item.size_bytes.map(words::bytes),
    };
    let family = item.family.filter(|family| *family != Family::Custom).map(|family| family.label().to_owned());
    let parts = [family, size, item.licence.clone(), Some(words::origin(&item.origin))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn words_of(ui: &Ui, rect: Rect, item: &LibraryItem, state: &State, p: &Palette) {
    let in_use = state.icon == icons::CHECK && item.kind != ItemKind::TinyDecoder;
    let icon_ink = match state {
        State { fails: true, .. } => p.error,
        State { grey: true, .. } => p.disabled,
        _ if in_use => p.accent,
        _ => p.secondary,
    };
    let at = pos2(rect.left() + 9.0, rect.center().y);
    ui.painter().text(at, Align2::CENTER_CENTER, state.icon, theme::icon(18.0), icon_ink);
    let text = rect.with_min_x(rect.left() + 34.0);
    let first = Rect::from_min_max(text.left_top() + vec2(0.0, 8.0), pos2(text.right(), text.top() + 28.0));
    let second = first.translate(vec2(0.0, 20.0));
    let ink = if state.grey { p.secondary } else { p.text };
    let right = line(ui, first, &item.name, theme::medium(14.0), ink).right;
    let rest = first.with_min_x(right + 10.0);
    if rest.width() > 32.0 {
        line(ui, rest, &item.detail, theme::regular(13.0), p.secondary);
    }
    line(ui, second, &state.text, theme::regular(12.0), if state.fails { p.error } else { p.secondary });
}

fn buttons(ui: &mut Ui, view: &mut View<'_>, item: &LibraryItem, state: &State, selected: bool) {
    let (text, icon, name) = match (&state.verb, item.kind) {
        (Verb::Use, ItemKind::Lora) => ("row-add", "", "row-add-name"),
        (Verb::Use, _) => ("row-use", "", "row-use-name"),
        (Verb::Download, _) if is_begun(item) => ("row-resume", icons::DOWNLOAD, "row-resume-name"),
        (Verb::Download, _) => ("row-download", icons::DOWNLOAD, "row-download-name"),
        (Verb::Cancel, _) => ("row-cancel", "", "row-cancel-name"),
        (Verb::Retry, _) => ("row-retry", "", "row-retry-name"),
        (Verb::Nothing, _) => {
            note(ui, item, state);
            return;
        }
    };
    let named = |key| tr_with(key, &[("name", item.name.as_str().into())]);
    let name = named(name);
    let primary = selected && state.verb == Verb::Use;
    if Button::new(tr(text)).icon(icon).name(&name).width(BUTTON).primary(primary).show(ui).clicked() {
        view.intents.extend(intent(item, view.session));
    }
    if let Availability::Downloading(p) = &item.availability {
        let at = pos2(ui.max_rect().left(), ui.max_rect().center().y - 3.0);
        let bar = Rect::from_min_max(at, pos2(ui.max_rect().right() - BUTTON - 16.0, at.y + 6.0));
        progress(ui, bar, &named("row-progress"), p.fraction());
    }
}

/// A word instead of a button.
fn note(ui: &Ui, item: &LibraryItem, state: &State) {
    let text = tr(match item.kind {
        _ if state.grey => "row-unusable",
        ItemKind::Model => "row-in-use",
        ItemKind::Lora => "row-in-stack",
        ItemKind::Vae => "row-in-use",
        ItemKind::TinyDecoder => "row-decodes",
    });
    let ink = palette(ui).secondary;
    ui.painter().text(ui.max_rect().right_center(), Align2::RIGHT_CENTER, text, theme::regular(12.0), ink);
}

fn hint(ui: &Ui, response: Response, item: &LibraryItem, state: &State) -> Response {
    let text = match &item.availability {
        Availability::Failed(f) | Availability::Unusable(f) => f.to_string(),
        _ if state.grey => state.text.clone(),
        _ => item.id.clone(),
    };
    tip(ui, response, &text, "")
}
