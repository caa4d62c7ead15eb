use super::{Stage, Zoom};
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::View;
use crate::layer::Layer;
use crate::screen::Screen;
use crate::theme::{self, palette};
use crate::words;
use egui::{Align2, Color32, CursorIcon, Id, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use fourstep_session::Status;
use std::time::SystemTime;

/// Zoomed by hand beyond this, a pixel of the picture is shown as a square.
const PIXELS_FROM: f32 = 4.0;
/// How much of its light a picture keeps that is older than the settings.
const STALE_LIGHT: f32 = 0.74;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, stage: &mut Stage, screen: &mut Screen) {
    let rect = ui.available_rect_before_wrap();
    note_area(ui, rect);
    let response = ui.allocate_rect(rect, Sense::click_and_drag());
    screen.set_smooth(!shows_pixels(ui, stage, screen));
    match screen.current().map(|layer| vec2(layer.width_px, layer.height_px)) {
        Some(size) => {
            look(ui, &response, rect, &mut stage.zoom, size);
            match &stage.larger {
                Some(larger) => draw(ui, &larger.layer, stage.zoom.rect(rect, size), rect, Color32::WHITE),
                None => paint(ui, view, stage.zoom, screen, rect),
            }
            if let Some(left_out) = view.session.left_out() {
                stage.without.paint(ui, &left_out, stage.zoom, rect);
            }
            describe(&response, view);
        }
        None => placeholder(ui, rect, view),
    }
}

/// Wheel, drag and double click.
pub(super) fn look(ui: &Ui, response: &Response, rect: Rect, zoom: &mut Zoom, size: Vec2) {
    if response.double_clicked() {
        *zoom = Zoom::Fit;
    } else if response.dragged() {
        *zoom = zoom.panned(rect, size, response.drag_delta());
    }
    wheel(ui, response, rect, zoom, size);
    if *zoom != Zoom::Fit && response.hovered() {
        ui.ctx().set_cursor_icon(if response.dragged() { CursorIcon::Grabbing } else { CursorIcon::Grab });
    }
}

/// Larger and smaller about the pointer.
pub(super) fn wheel(ui: &Ui, response: &Response, rect: Rect, zoom: &mut Zoom, size: Vec2) {
    if let Some(at) = response.hover_pos() {
        let (pinch, wheel) = ui.input(|i| (i.zoom_delta(), i.smooth_scroll_delta().y));
        let factor = pinch * (wheel / 240.0).exp();
        if factor != 1.0 {
            *zoom = zoom.zoomed(rect, size, factor, at);
        }
    }
}

/// Draws the picture, and how old it is.
pub(super) fn paint(ui: &Ui, view: &View<'_>, zoom: Zoom, screen: &Screen, rect: Rect) {
    let Some(current) = screen.current() else { return };
    let size = vec2(current.width_px, current.height_px);
    let stale = screen.staleness(ui.ctx(), view.session, view.now);
    let light = 1.0 - (1.0 - STALE_LIGHT) * stale;
    let place = zoom.rect(rect, size);
    let draw = |layer: &Layer, alpha: f32| {
        draw(ui, layer, place, rect, Color32::from_gray((light * 255.0).round() as u8).gamma_multiply(alpha));
    };
    match screen.fading(view.now) {
        Some((below, covered)) => {
            draw(below, 1.0);
            draw(current, covered);
        }
        None => draw(current, 1.0),
    }
    if let Some(older) = screen.older() {
        let ago = words::ago(older.frame.painted, SystemTime::now());
        badge(ui, place.intersect(rect), tr_with("timeline-badge", &[("ago", ago.into())]), 1.0);
    } else if stale > 0.0 {
        badge(ui, place.intersect(rect), tr("stage-from-before").into(), stale);
    }
}

/// Draws a layer at `place`, as far as that lies within `clip`.
pub(super) fn draw(ui: &Ui, layer: &Layer, place: Rect, clip: Rect, tint: Color32) {
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().with_clip_rect(clip).image(layer.texture(), place, whole, tint);
}

/// Says how old the picture is.
fn badge(ui: &Ui, place: Rect, text: String, alpha: f32) {
    let p = palette(ui);
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(text, theme::medium(12.0), p.text.gamma_multiply(alpha));
    let size = galley.size() + vec2(20.0, 10.0);
    let pill = Rect::from_min_size(place.left_top() + vec2(12.0, 12.0), size);
    painter.rect_filled(pill, theme::RADIUS, p.panel.gamma_multiply(0.92 * alpha));
    painter.galley(pill.min + vec2(10.0, 5.0), galley, p.text);
}

fn describe(response: &Response, view: &View<'_>) {
    let stale = view.session.is_stale();
    let prompt = view.older.or(view.session.shown()).map(|f| f.request.prompt.clone()).unwrap_or_default();
    let key = if stale || view.older.is_some() { "stage-picture-before" } else { "stage-picture" };
    let label = tr_with(key, &[("prompt", prompt.into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &label));
}

/// Where the picture will be.
fn placeholder(ui: &mut Ui, rect: Rect, view: &View<'_>) {
    let p = palette(ui);
    let size = view.session.request().size;
    let size = vec2(size.width as f32, size.height as f32);
    let place = Zoom::Fit.rect(rect, size);
    ui.painter().rect_stroke(place, 0.0, (1.0, p.hairline), egui::StrokeKind::Inside);
    let text = match view.session.status(view.now) {
        _ if view.session.failure().is_some() => tr("stage-no-picture").to_owned(),
        Status::Loading { what, fraction } if fraction > 0.0 => {
            let percent = format!("{:.0}", fraction * 100.0);
            tr_with("stage-opening", &[("what", what.into()), ("percent", percent.into())])
        }
        _ => tr("stage-first-picture").to_owned(),
    };
    let centre = place.center();
    ui.painter().text(centre - vec2(0.0, 14.0), Align2::CENTER_CENTER, icons::IMAGE, theme::icon(32.0), p.disabled);
    ui.painter().text(centre + vec2(0.0, 18.0), Align2::CENTER_CENTER, text, theme::regular(14.0), p.secondary);
}

fn area_id() -> Id {
    Id::unique("stage area")
}

/// Where a picture is drawn on the stage, for [`scale`].
pub(super) fn note_area(ui: &Ui, rect: Rect) {
    ui.data_mut(|d| d.insert_temp(area_id(), rect));
}

/// Size of the picture, or of the one to come, in px.
pub(super) fn size(view: &View<'_>, screen: &Screen) -> Vec2 {
    let wanted = view.session.request().size;
    let wanted = vec2(wanted.width as f32, wanted.height as f32);
    screen.current().map_or(wanted, |layer| vec2(layer.width_px, layer.height_px))
}

/// Pixels of the screen a pixel of the picture takes, as last drawn.
pub(super) fn scale(ui: &Ui, stage: &Stage, screen: &Screen) -> Option<f32> {
    let layer = screen.current()?;
    let area: Rect = ui.data(|d| d.get_temp(area_id()))?;
    Some(stage.zoom.scale(area, vec2(layer.width_px, layer.height_px)) * ui.ctx().pixels_per_point())
}

/// Whether an enlarged picture is drawn as squares.
pub(super) fn shows_pixels(ui: &Ui, stage: &Stage, screen: &Screen) -> bool {
    let far = || stage.zoom != Zoom::Fit && scale(ui, stage, screen).is_some_and(|s| s > PIXELS_FROM);
    stage.pixels.unwrap_or_else(far)
}
