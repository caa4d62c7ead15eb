//! What happened last, and how far something long is.

use crate::happening::Happening;
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, line as one_line, progress, tip};
use crate::words;
use egui::{Align, Align2, Frame, Layout, Margin, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use fourstep_protocol::{Finished, ItemKind};
use fourstep_session::{Action, Status, UpscaleState};

/// A download: what, 0 … 1, and how it goes in words.
pub(crate) type Download = (String, f32, String);

/// Draws the bar.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>, happening: &Happening, download: Option<Download>) {
    let p = palette(ui);
    let frame = Frame::new().fill(p.panel).inner_margin(Margin::symmetric(16, 0));
    egui::Panel::bottom("status bar").exact_size(32.0).resizable(false).frame(frame).show(ui, |ui| {
        let rect = ui.max_rect();
        let right = right_side(ui, view, rect, download);
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
fn right_side(ui: &mut Ui, view: &mut View<'_>, rect: Rect, download: Option<Download>) -> f32 {
    if let Status::Loading { what, fraction } = view.session.status(view.now) {
        let text = if fraction > 0.0 {
            let percent = format!("{:.0}", fraction * 100.0);
            tr_with("bar-opening-percent", &[("what", what.into()), ("percent", percent.into())])
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
    if let Some((name, fraction, text)) = download {
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
    let bar = Rect::from_min_size(pos2(place.left() - 132.0, rect.center().y - 3.0), vec2(120.0, 6.0));
    progress(ui, bar, text, fraction);
    let at = pos2(bar.left() - 12.0, rect.center().y);
    let left = ui.painter().text(at, Align2::RIGHT_CENTER, text, theme::regular(12.0), palette(ui).text).left();
    (left, clicked)
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
