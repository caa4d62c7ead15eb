//! One half of the comparison: a caption and the picture below it.

use super::super::{Zoom, picture};
use crate::i18n::{self, tr, tr_with};
use crate::intent::View;
use crate::screen::Screen;
use crate::theme::{self, palette};
use crate::top_bar::duration;
use crate::widgets::{line, progress};
use crate::words;
use egui::{Align2, Rect, Ui, pos2, vec2};
use fourstep_protocol::{Request, Timings};
use fourstep_session::TwinState;

/// Height of the caption, in points.
const CAPTION: f32 = 32.0;

/// Where the picture is within a half.
pub(super) fn picture_area(half: Rect) -> Rect {
    half.with_min_y(half.top() + CAPTION)
}

/// What the live picture is.
pub(super) fn live_caption(ui: &Ui, view: &View<'_>, half: Rect) {
    let timings = view.session.shown().filter(|_| !view.session.is_stale()).map(|f| &f.timings);
    caption(ui, half, view.session.request(), timings);
}

/// What the slow picture is, or will be.
pub(super) fn slow_caption(ui: &Ui, view: &View<'_>, half: Rect) {
    if let Some(request) = view.session.twin_request() {
        let done = if let TwinState::Finished(finished) = view.session.twin() { Some(&finished.timings) } else { None };
        caption(ui, half, &request, done);
    }
}

/// The picture as it is painted live.
pub(super) fn live(ui: &Ui, view: &View<'_>, screen: &Screen, area: Rect, zoom: Zoom) {
    match screen.current() {
        Some(_) => picture::paint(ui, view, zoom, screen, area),
        None => note(ui, area, tr("stage-first-picture")),
    }
}

/// How far the slow picture is, or why there is none.
pub(super) fn slow_state(ui: &Ui, view: &View<'_>, area: Rect) {
    match view.session.twin() {
        TwinState::OnlyFewSteps => {
            let name = view.session.model().name.as_str();
            note(ui, area, &tr_with("twin-only-few-steps", &[("name", name.into())]));
        }
        TwinState::IsSlow => note(ui, area, tr("twin-is-slow")),
        TwinState::NoPicture => note(ui, area, tr("twin-no-picture")),
        TwinState::Waiting => note(ui, area, tr("twin-waiting")),
        TwinState::Loading { what, fraction } => {
            far(ui, area, &tr_with("bar-opening", &[("what", what.into())]), fraction);
        }
        TwinState::Painting { step, steps } => {
            let text = tr_with("stage-step", &[("step", step.into()), ("steps", steps.into())]);
            far(ui, area, &text, step as f32 / steps.max(1) as f32);
        }
        TwinState::Finished(_) => {}
        TwinState::Failed(failure) => note(ui, area, &i18n::failure(failure).to_string()),
    }
}

/// `DDIM · 25 steps · 1.21 s`.
fn caption(ui: &Ui, half: Rect, request: &Request, timings: Option<&Timings>) {
    let p = palette(ui);
    let what = format!("{} · {}", request.sampler.label(), words::steps(request.steps));
    let place = Rect::from_min_size(half.min, vec2(half.width(), CAPTION));
    let right = line(ui, place, &what, theme::medium(13.0), p.text).right;
    let scale = format!("{:.1}", request.guidance_scale);
    let guidance = tr_with("twin-guidance", &[("scale", scale.into())]);
    let more = match timings {
        Some(t) => format!("{guidance} · {}", duration(t.total_secs)),
        None => guidance,
    };
    line(ui, place.with_min_x(right + 10.0), &more, theme::regular(12.0), p.secondary);
}

/// A sentence in the middle, in as many lines as it takes.
fn note(ui: &Ui, area: Rect, text: &str) {
    let p = palette(ui);
    let width = (area.width() - 48.0).clamp(80.0, 420.0);
    let galley = ui.painter().layout(text.to_owned(), theme::regular(14.0), p.secondary, width);
    let place = Align2::CENTER_CENTER.anchor_size(area.center(), galley.size());
    ui.painter().rect_filled(place.expand2(vec2(12.0, 8.0)), theme::RADIUS, p.stage.gamma_multiply(0.86));
    ui.painter().galley(place.min, galley, p.secondary);
}

/// A bar over the lower edge.
fn far(ui: &Ui, area: Rect, text: &str, fraction: f32) {
    let p = palette(ui);
    let bar = Rect::from_min_size(pos2(area.left() + 12.0, area.bottom() - 18.0), vec2(160.0, 6.0));
    let bar = bar.with_max_x(bar.right().min(area.right() - 96.0));
    let back = bar.expand2(vec2(8.0, 9.0)).with_max_x(bar.right() + 92.0);
    ui.painter().rect_filled(back, theme::RADIUS, p.panel.gamma_multiply(0.92));
    progress(ui, bar, text, fraction);
    let place = Rect::from_min_max(pos2(bar.right() + 10.0, back.top()), back.right_bottom());
    line(ui, place, text, theme::regular(12.0), p.text);
}
