//! Both pictures in one place: wiped, laid over each other, or their difference.

use super::super::picture;
use super::difference::{HeatMap, heat};
use crate::i18n::{tr, tr_with};
use crate::layer::Layer;
use crate::theme::{self, palette};
use egui::{
    Align2, Color32, CursorIcon, Event, Key, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, lerp, pos2, vec2,
};

/// How far from the divider it can be grasped, in points.
const GRASP: f32 = 16.0;
/// What an arrow key moves the divider by.
const NUDGE: f32 = 0.02;

/// The live picture left of the divider, the slow one right of it. `divider` is 0 … 1 of what is seen of them.
pub(super) fn wipe(ui: &mut Ui, [fast, slow]: [&Layer; 2], place: Rect, area: Rect, divider: &mut f32) {
    let seen = place.intersect(area);
    if !seen.is_positive() {
        return;
    }
    let x = lerp(seen.x_range().min..=seen.x_range().max, *divider);
    picture::draw(ui, slow, place, seen.with_min_x(x), Color32::WHITE);
    picture::draw(ui, fast, place, seen.with_max_x(x), Color32::WHITE);
    handle(ui, seen, x, divider);
}

fn handle(ui: &mut Ui, seen: Rect, x: f32, divider: &mut f32) {
    let grip = Rect::from_x_y_ranges(x - GRASP..=x + GRASP, seen.y_range());
    let response = ui.interact(grip, ui.scope_id().with("divider"), Sense::click_and_drag());
    let value = f64::from(*divider) * 100.0;
    response.widget_info(|| WidgetInfo {
        value: Some(value),
        ..WidgetInfo::labeled(Role::Slider, true, tr("twin-divider"))
    });
    if response.dragged()
        && let Some(at) = response.interact_pointer_pos()
    {
        *divider = ((at.x - seen.left()) / seen.width()).clamp(0.0, 1.0);
    }
    if response.double_clicked() {
        *divider = 0.5;
    }
    if response.has_focus() {
        let keep = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, keep));
        let presses = |key| {
            ui.input(|i| {
                i.events.iter().filter(|e| matches!(e, Event::Key { key: k, pressed: true, .. } if *k == key)).count()
            })
        };
        let by = presses(Key::ArrowRight) as f32 - presses(Key::ArrowLeft) as f32;
        *divider = (*divider + by * NUDGE).clamp(0.0, 1.0);
    }
    if response.hovered() || response.dragged() {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    let p = palette(ui);
    let painter = ui.painter();
    painter.vline(x, seen.y_range(), Stroke::new(3.0, Color32::from_black_alpha(120)));
    painter.vline(x, seen.y_range(), Stroke::new(1.5, Color32::WHITE));
    let centre = pos2(x, seen.center().y);
    let ring = if response.has_focus() { p.accent } else { Color32::from_black_alpha(160) };
    painter.circle(centre, 14.0, Color32::WHITE, Stroke::new(2.0, ring));
    for side in [-1.0, 1.0] {
        let tip = centre + vec2(side * 9.0, 0.0);
        let back = centre.x + side * 4.0;
        let points = vec![tip, pos2(back, centre.y - 4.5), pos2(back, centre.y + 4.5)];
        painter.add(Shape::convex_polygon(points, Color32::from_gray(40), Stroke::NONE));
    }
}

/// The slow picture over the live one, covering it to `cover`: 0 … 1.
pub(super) fn onion(ui: &Ui, [fast, slow]: [&Layer; 2], place: Rect, area: Rect, cover: f32) {
    picture::draw(ui, fast, place, area, Color32::WHITE);
    picture::draw(ui, slow, place, area, Color32::WHITE.gamma_multiply(cover));
}

/// Where the pictures differ, and a legend.
pub(super) fn difference(ui: &Ui, map: &mut HeatMap, pair: [&Layer; 2], place: Rect, area: Rect) {
    // A preview that only the card has comes again as a picture.
    let (Some(fast), Some(slow)) = (pair[0].picture(), pair[1].picture()) else { return };
    let (texture, mean) = map.of(pair.map(|l| (l.run, l.step)), [fast, slow]);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().with_clip_rect(area).image(texture, place, whole, Color32::WHITE);
    legend(ui, area, mean);
}

fn legend(ui: &Ui, area: Rect, mean: Option<f32>) {
    const BANDS: usize = 64;
    let p = palette(ui);
    let back = Rect::from_min_size(area.left_bottom() + vec2(12.0, -40.0), vec2(330.0, 28.0));
    let back = back.with_max_x(back.right().min(area.right()));
    ui.painter().rect_filled(back, theme::RADIUS, p.panel.gamma_multiply(0.92));
    let text = |x: f32, align: Align2, words: &str| {
        ui.painter().text(pos2(x, back.center().y), align, words, theme::regular(12.0), p.text)
    };
    let equal = text(back.left() + 8.0, Align2::LEFT_CENTER, tr("twin-equal"));
    let bar = Rect::from_min_size(pos2(equal.right() + 8.0, back.center().y - 4.0), vec2(96.0, 8.0));
    for band in 0..BANDS {
        let left = bar.left() + bar.width() * band as f32 / BANDS as f32;
        let part = Rect::from_min_size(pos2(left, bar.top()), vec2(bar.width() / BANDS as f32 + 0.5, bar.height()));
        ui.painter().rect_filled(part, 0.0, heat(0.5 * band as f32 / (BANDS - 1) as f32));
    }
    let apart = text(bar.right() + 8.0, Align2::LEFT_CENTER, tr("twin-apart"));
    if let Some(mean) = mean {
        let percent = format!("{:.1}", mean * 100.0);
        text(apart.right() + 16.0, Align2::LEFT_CENTER, &tr_with("twin-mean", &[("percent", percent.into())]));
    }
}
