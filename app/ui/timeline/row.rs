use super::{Strip, Wish};
use crate::i18n::tr_with;
use crate::icons;
use crate::intent::{Intent, View};
use crate::keeping::{KeptFrame, Load, Timeline};
use crate::theme::{self, palette};
use crate::words;
use egui::{Align2, Color32, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};
use std::time::SystemTime;

/// Side of a thumbnail, and the space to the next, in points.
const SIDE: f32 = 56.0;
const GAP: f32 = 4.0;
/// Height of the row, in points.
pub(super) const HEIGHT: f32 = SIDE + 8.0;

/// The frames that fit, the newest at the right; only those are asked for, however many there are.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, strip: &mut Strip, timeline: &dyn Timeline) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::drag());
    scroll(ui, strip, rect);
    let count = strip.kept.frames.len();
    let right = count as f32 - strip.scrolled;
    let fit = rect.width() / (SIDE + GAP);
    let visible = (right - fit).max(0.0).floor() as usize..(right.ceil() as usize).min(count);
    // Few frames begin at the left.
    let origin = if (count as f32) < fit { rect.left() } else { rect.right() + GAP - right * (SIDE + GAP) };
    let left = |place: usize| origin + place as f32 * (SIDE + GAP);
    let kept = std::sync::Arc::clone(&strip.kept);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let mut part = ui.new_child(egui::UiBuilder::new().max_rect(rect));
    part.set_clip_rect(painter.clip_rect());
    for place in visible.clone() {
        let cell = Rect::from_min_size(pos2(left(place), rect.top()), Vec2::splat(SIDE));
        thumbnail(&mut part, view, strip, timeline, (place, kept.frames[place]), cell);
    }
    // Dragged over: the frame under the pointer.
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.dragged()) {
        let place = ((at.x - origin) / (SIDE + GAP)).floor();
        let place = (place.max(visible.start as f32) as usize).min(visible.end.saturating_sub(1));
        look(view, strip, place);
    }
}

/// By the wheel; and where keys or the slider went on, the frame that is looked at comes into sight.
fn scroll(ui: &Ui, strip: &mut Strip, rect: Rect) {
    let fit = (rect.width() / (SIDE + GAP)).floor().max(1.0);
    let count = strip.kept.frames.len() as f32;
    if ui.rect_contains_pointer(rect) {
        let wheel = ui.input(egui::InputState::smooth_scroll_delta);
        strip.scrolled += (wheel.y + wheel.x) / (SIDE + GAP);
    }
    let id = ui.scope_id().with("looked at");
    let at = strip.at();
    if ui.data(|d| d.get_temp::<usize>(id)) != Some(at) {
        ui.data_mut(|d| d.insert_temp(id, at));
        let from_right = count - 1.0 - at as f32;
        if from_right < strip.scrolled || from_right > strip.scrolled + fit - 1.0 {
            strip.scrolled = from_right - (fit / 2.0).floor();
        }
        if strip.is_live() {
            strip.scrolled = 0.0;
        }
    }
    strip.scrolled = strip.scrolled.clamp(0.0, (count - fit).max(0.0));
}

fn thumbnail(
    ui: &mut Ui,
    view: &mut View<'_>,
    strip: &mut Strip,
    timeline: &dyn Timeline,
    (place, frame): (usize, KeptFrame),
    cell: Rect,
) {
    let p = palette(ui);
    let response = ui.interact(cell, ui.scope_id().with(frame.id), Sense::click());
    let chosen = place == strip.at();
    response.widget_info(|| {
        let ago = words::ago(frame.painted, SystemTime::now());
        let name = if frame.starred { "timeline-frame-starred" } else { "timeline-frame" };
        WidgetInfo::selected(
            Role::Button,
            true,
            chosen,
            tr_with(name, &[("at", (place + 1).into()), ("ago", ago.into())]),
        )
    });
    ui.painter().rect_filled(cell, 3.0, p.field);
    let picture = || match timeline.thumbnail(frame.id) {
        Load::Here(picture) => Some(picture),
        Load::Asked | Load::Gone => None,
    };
    if let Some(texture) = strip.textures.get(ui.ctx(), frame.id, picture) {
        ui.painter().image(texture.id(), cell, middle(texture.size_vec2()), Color32::WHITE);
    }
    if frame.starred {
        let at = cell.right_top() + vec2(-11.0, 11.0);
        ui.painter().circle_filled(at, 9.0, p.panel.gamma_multiply(0.85));
        ui.painter().text(at, Align2::CENTER_CENTER, icons::STAR, theme::icon(13.0), p.text);
    }
    if chosen || response.hovered() || response.has_focus() {
        let ink = if chosen { p.accent } else { p.text };
        ui.painter().rect_stroke(cell, 3.0, Stroke::new(2.0, ink), StrokeKind::Inside);
    }
    if response.clicked() {
        look(view, strip, place);
    }
}

fn look(view: &mut View<'_>, strip: &Strip, place: usize) {
    if place != strip.at() {
        let last = place + 1 == strip.kept.frames.len();
        let wish = if last { Wish::Live } else { Wish::Look(strip.kept.frames[place].id) };
        view.want(Intent::Timeline(wish));
    }
}

/// The part of a texture that fills a square.
fn middle(size: Vec2) -> Rect {
    let side = size.min_elem();
    Rect::from_center_size(Pos2::new(0.5, 0.5), vec2(side / size.x, side / size.y))
}
