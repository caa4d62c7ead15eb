//! What happened last, and how far something long is.

use crate::files::Saving;
use crate::happening::Happening;
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, line as one_line, progress, tip};
use crate::words;
use egui::{Align, Align2, Frame, Id, Layout, Margin, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use fourstep_protocol::{Finished, ItemKind};
use fourstep_session::{Action, Moment, Status, UpscaleState};

/// A download: what, 0 … 1, and how it goes in words.
pub(crate) type Download = (String, f32, String);

/// What takes long beside painting.
pub(crate) struct GoingOn {
    pub saving: Option<Saving>,
    pub download: Option<Download>,
}

/// Draws the bar.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>, happening: &Happening, going_on: &GoingOn) {
    let p = palette(ui);
    let frame = Frame::new().fill(p.panel).inner_margin(Margin::symmetric(16, 0));
    egui::Panel::bottom("status bar").exact_size(32.0).resizable(false).frame(frame).show(ui, |ui| {
        let rect = ui.max_rect();
        let right = right_side(ui, view, rect, going_on);
        let left = rect.with_max_x(right - 16.0);
        let notices = view.session.notices();
        if notices.is_empty() {
            line(ui, left, happening.text(), happening.warns);
        } else if line(ui, left, &words::notices(notices), true).clicked() {
            view.act(Action::DismissNotice);
        }
    });
}

fn line(ui: &mut Ui, rect: Rect, text: &str, warns: bool) -> egui::Response {
    let p = palette(ui);
    let response = ui.interact(rect, ui.scope_id().with("happening"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, text));
    let mut place = rect;
    if warns {
        let at = pos2(rect.left() + 8.0, rect.center().y);
        ui.painter().text(at, Align2::CENTER_CENTER, icons::INFO, theme::icon(16.0), p.text);
        place.min.x += 22.0;
    }
    let cut = one_line(ui, place, text, theme::regular(12.0), if warns { p.text } else { p.secondary }).elided;
    if cut { tip(ui, response, text, "") } else { response }
}

/// Progress of what is being loaded or downloaded, or what the picture is; its left edge.
fn right_side(ui: &mut Ui, view: &mut View<'_>, rect: Rect, going_on: &GoingOn) -> f32 {
    if let Status::Loading { what, fraction } = view.session.status(view.now) {
        let text = if fraction > 0.0 {
            let percent = format!("{:.0}", fraction * 100.0);
            let began = began(ui, &what, view.now);
            let text = tr_with("bar-opening-percent", &[("what", what.into()), ("percent", percent.into())]);
            with_time_left(text, fraction, view.now.since(began))
        } else {
            tr_with("bar-opening", &[("what", what.into())])
        };
        let button = Button::new(tr("few-cancel")).name(tr("bar-cancel-opening")).shortcut("Esc").low();
        let (left, clicked) = far(ui, rect, &text, fraction, button);
        if clicked {
            view.act(Action::Stop);
        }
        return left;
    }
    if let Some(state) = view.session.upscaling() {
        let button = Button::new(tr("upscale-cancel")).name(tr("upscale-cancel-name")).shortcut("Esc").low();
        let (left, clicked) = far(ui, rect, &upscaling(&state), state.fraction, button);
        if clicked {
            view.act(Action::CancelUpscale);
        }
        return left;
    }
    if let Some(Saving { fraction, secs }) = going_on.saving {
        let percent = format!("{:.0}", fraction * 100.0);
        let text = tr_with("bar-saving", &[("percent", percent.into())]);
        return bar(ui, rect, &with_time_left(text, fraction, secs), fraction);
    }
    if let Some((name, fraction, text)) = going_on.download.clone() {
        let button = Button::new(tr("bar-show")).name(tr("bar-show-downloads")).low();
        let text = tr_with("bar-download", &[("name", name.into()), ("progress", text.into())]);
        let (left, clicked) = far(ui, rect, &text, fraction, button);
        if clicked {
            view.want(Intent::Browse(ItemKind::Model));
        }
        return left;
    }
    let text = view.older.or(view.session.shown()).map(picture).unwrap_or_default();
    let ink = palette(ui).secondary;
    ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, text, theme::regular(12.0), ink).left()
}

/// Which tile is painted, and how long it still takes.
fn upscaling(state: &UpscaleState) -> String {
    let (tile, tiles) = ((state.done + 1).min(state.tiles), state.tiles);
    match state.secs_left {
        Some(secs) => {
            let time = words::time_left(secs);
            tr_with("upscale-left", &[("tile", tile.into()), ("tiles", tiles.into()), ("time", time.into())])
        }
        None => tr_with("upscale-progress", &[("tile", tile.into()), ("tiles", tiles.into())]),
    }
}

/// How far something long is, and a button for it; the left edge and whether the button was clicked.
fn far(ui: &mut Ui, rect: Rect, text: &str, fraction: f32, button: Button<'_>) -> (f32, bool) {
    let place = rect.with_min_x(rect.right() - 68.0);
    let builder = UiBuilder::new().max_rect(place).layout(Layout::right_to_left(Align::Center));
    let clicked = button.width(68.0).show(&mut ui.new_child(builder)).clicked();
    (bar(ui, rect.with_max_x(place.left() - 12.0), text, fraction), clicked)
}

/// A bar at the right of `rect` and its text before it; the left edge.
fn bar(ui: &Ui, rect: Rect, text: &str, fraction: f32) -> f32 {
    let bar = Rect::from_min_size(pos2(rect.right() - 120.0, rect.center().y - 3.0), vec2(120.0, 6.0));
    progress(ui, bar, text, fraction);
    let at = pos2(bar.left() - 12.0, rect.center().y);
    ui.painter().text(at, Align2::RIGHT_CENTER, text, theme::regular(12.0), palette(ui).text).left()
}

/// When this began to be opened, as far as the bar has seen it.
fn began(ui: &Ui, what: &str, now: Moment) -> Moment {
    let id = Id::unique("opening");
    let seen: Option<(String, Moment, Moment)> = ui.data(|d| d.get_temp(id));
    // Not seen for a second: this is another time.
    let known = seen.filter(|(known, _, last)| known == what && now.since(*last) < 1.0);
    let began = known.map_or(now, |(_, began, _)| began);
    ui.data_mut(|d| d.insert_temp(id, (what.to_owned(), began, now)));
    began
}

/// The text with the time left, once that can be foretold.
fn with_time_left(text: String, fraction: f32, secs: f64) -> String {
    if secs < 0.5 || !(0.05..1.0).contains(&fraction) {
        return text;
    }
    let left = secs * f64::from((1.0 - fraction) / fraction);
    format!("{text} · {}", words::time_left(left))
}

/// What the picture on the stage is.
fn picture(finished: &Finished) -> String {
    let r = &finished.request;
    tr_with(
        "bar-picture",
        &[
            ("width", finished.picture.width().into()),
            ("height", finished.picture.height().into()),
            ("sampler", r.sampler.label().into()),
            // A number of Fluent's has 53 bits.
            ("seed", r.seed.to_string().into()),
        ],
    )
}
