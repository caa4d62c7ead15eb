use super::button::focus_ring;
use super::tip;
use crate::i18n::tr;
use crate::theme::{self, palette};
use egui::{
    Align2, EventFilter, Key, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, accesskit, pos2,
    remap_clamp, vec2,
};
use std::ops::RangeInclusive;

/// A slider with named ticks: it snaps to its step, a double click resets it, arrow keys nudge it, Shift makes it fine.
#[must_use]
pub(crate) struct Slider<'a> {
    name: &'a str,
    range: RangeInclusive<f32>,
    step: f32,
    fine: f32,
    ticks: &'a [f32],
    reset: f32,
    tooltip: &'a str,
    compact: bool,
}

/// Half the width of the thumb, so that it stays inside the control, in points.
const THUMB: f32 = 8.0;
/// Rail and thumb, then the numbers of the ticks, in points.
const HEIGHT: f32 = 44.0;
/// The same without numbers.
const COMPACT: f32 = 28.0;

impl<'a> Slider<'a> {
    /// A slider over `range` in steps of `step`, with Shift of `fine`.
    pub(crate) fn new(name: &'a str, range: RangeInclusive<f32>, step: f32, fine: f32) -> Self {
        let reset = *range.start();
        Self { name, range, step, fine, ticks: &[], reset, tooltip: name, compact: false }
    }

    /// Values marked below the rail; where they crowd, only the marks are drawn.
    pub(crate) fn ticks(self, ticks: &'a [f32]) -> Self {
        Self { ticks, ..self }
    }

    /// What a double click sets.
    pub(crate) fn reset(self, reset: f32) -> Self {
        Self { reset, ..self }
    }

    /// What the tooltip says.
    pub(crate) fn tooltip(self, tooltip: &'a str) -> Self {
        Self { tooltip, ..self }
    }

    /// Marks without numbers, for sliders one below the other.
    pub(crate) fn compact(self) -> Self {
        Self { compact: true, ..self }
    }

    /// Draws it; the new value where it was moved.
    pub(crate) fn show(self, ui: &mut Ui, value: f32) -> Option<f32> {
        let size = vec2(ui.available_width(), if self.compact { COMPACT } else { HEIGHT });
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let rail = Rect::from_min_max(
            pos2(rect.left() + THUMB, rect.top() + 14.0),
            pos2(rect.right() - THUMB, rect.top() + 18.0),
        );
        let moved = self.moved(ui, &response, rail, value).map(|v| v.clamp(*self.range.start(), *self.range.end()));
        let shown = moved.unwrap_or(value);
        self.describe(ui, &response, shown);
        if ui.is_rect_visible(rect) {
            self.paint(ui, &response, rail, shown);
        }
        tip(ui, response, self.tooltip, tr("panel-slider-keys"));
        moved.filter(|v| *v != value)
    }

    fn moved(&self, ui: &Ui, response: &Response, rail: Rect, value: f32) -> Option<f32> {
        if response.double_clicked() {
            return Some(self.reset);
        }
        let step = if ui.input(|i| i.modifiers.shift) { self.fine } else { self.step };
        let held = response.dragged() || response.drag_stopped() || response.clicked();
        if let Some(p) = response.interact_pointer_pos().filter(|_| held) {
            let raw = remap_clamp(p.x, rail.x_range(), *self.range.start()..=*self.range.end());
            return Some(self.snap(raw, step));
        }
        if let Some(v) = requested(ui, response) {
            return Some(v);
        }
        let nudges = nudges(ui, response);
        (nudges != 0.0).then(|| self.snap(value + nudges * step, step))
    }

    /// The nearest multiple of `step` from the start of the range.
    fn snap(&self, value: f32, step: f32) -> f32 {
        let start = *self.range.start();
        let snapped = start + ((value - start) / step).round() * step;
        (snapped * 1000.0).round() / 1000.0
    }

    fn describe(&self, ui: &Ui, response: &Response, value: f32) {
        response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), f64::from(value), self.name));
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_min_numeric_value(f64::from(*self.range.start()));
            node.set_max_numeric_value(f64::from(*self.range.end()));
            node.set_numeric_value_step(f64::from(self.step));
            for action in [accesskit::Action::SetValue, accesskit::Action::Increment, accesskit::Action::Decrement] {
                node.add_action(action);
            }
        });
    }

    fn paint(&self, ui: &Ui, response: &Response, rail: Rect, value: f32) {
        let p = palette(ui);
        let painter = ui.painter();
        let x = |v: f32| remap_clamp(v, self.range.clone(), rail.x_range().min..=rail.x_range().max);
        let live = if ui.is_enabled() { p.accent } else { p.disabled };
        painter.rect_filled(rail, 2.0, p.outline);
        painter.rect_filled(rail.with_max_x(x(value)), 2.0, live);
        let roomy = rail.width() / self.ticks.len().max(1) as f32 > 32.0;
        for (i, tick) in self.ticks.iter().enumerate() {
            let at = x(*tick);
            let mark = [pos2(at, rail.bottom() + 7.0), pos2(at, rail.bottom() + 10.0)];
            painter.line_segment(mark, Stroke::new(1.0, p.outline));
            let end = i == 0 || i + 1 == self.ticks.len();
            if !self.compact && (roomy || end) {
                let align = match i {
                    0 => Align2::LEFT_TOP,
                    _ if end => Align2::RIGHT_TOP,
                    _ => Align2::CENTER_TOP,
                };
                let shift = if i == 0 {
                    -THUMB
                } else if end {
                    THUMB
                } else {
                    0.0
                };
                let ink = if ui.is_enabled() { p.secondary } else { p.disabled };
                painter.text(pos2(at + shift, rail.bottom() + 11.0), align, number(*tick), theme::regular(12.0), ink);
            }
        }
        let centre = Pos2::new(x(value), rail.center().y);
        let radius = if response.dragged() { THUMB } else { THUMB - 1.0 };
        painter.circle(centre, radius, if ui.is_enabled() { p.text } else { p.disabled }, Stroke::new(2.0, p.panel));
        if response.has_focus() {
            let ring = Rect::from_center_size(centre, vec2(20.0, 20.0));
            focus_ring(ui, ring);
        } else if response.hovered() {
            let halo = Rect::from_center_size(centre, vec2(22.0, 22.0));
            painter.rect_stroke(halo, 11.0, Stroke::new(2.0, live.gamma_multiply(0.5)), StrokeKind::Middle);
        }
    }
}

/// Without zeros that say nothing: `1`, `1.25`.
fn number(v: f32) -> String {
    let text = format!("{v:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a screen reader asked for.
fn requested(ui: &Ui, response: &Response) -> Option<f32> {
    ui.input(|i| {
        let requests = i.accesskit_action_requests(response.id, accesskit::Action::SetValue);
        let values = requests.filter_map(|r| match r.data {
            Some(accesskit::ActionData::NumericValue(v)) => Some(v as f32),
            _ => None,
        });
        values.last()
    })
}

/// Steps that the arrow keys and a screen reader ask for.
fn nudges(ui: &Ui, response: &Response) -> f32 {
    let keys = if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
        ui.input(|i| i.num_presses(Key::ArrowRight) as f32 - i.num_presses(Key::ArrowLeft) as f32)
    } else {
        0.0
    };
    ui.input(|i| {
        let up = i.num_accesskit_action_requests(response.id, accesskit::Action::Increment) as f32;
        let down = i.num_accesskit_action_requests(response.id, accesskit::Action::Decrement) as f32;
        keys + up - down
    })
}
