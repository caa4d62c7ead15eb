//! The state in a word and a shape, so that no one needs to tell colours apart.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::theme::{self, palette};
use crate::widgets::tip;
use egui::{Align2, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use fourstep_session::{Moment, Session, Status};
use std::f32::consts::{PI, TAU};

/// A finished run stays in the status this long, so that quick runs one after another do not make it flicker.
const HOLD_SECS: f64 = 0.25;
/// The dot's pulse while painting: drawn ten times a second, which costs next to nothing beside the painting.
const PULSE_FRAME_SECS: f32 = 0.1;

/// The status as it is shown.
#[derive(Default)]
pub(crate) struct StatusView {
    painted: Option<(Status, Moment)>,
}

impl StatusView {
    /// The status, held a moment where painting just ended.
    pub(crate) fn update(&mut self, ctx: &egui::Context, session: &Session, now: Moment) -> Status {
        let status = session.status(now);
        match (&status, &self.painted) {
            (Status::Painting { .. }, _) => {
                self.painted = Some((status.clone(), now));
                ctx.request_repaint_after_secs(PULSE_FRAME_SECS);
            }
            (Status::Idle, Some((held, since))) if now.since(*since) < HOLD_SECS => {
                ctx.request_repaint_after_secs((HOLD_SECS - now.since(*since)) as f32);
                return held.clone();
            }
            (Status::Waiting { .. }, _) => ctx.request_repaint_after_secs(1.0 / 30.0),
            (Status::Loading { fraction, .. }, _) if *fraction == 0.0 => {
                ctx.request_repaint_after_secs(PULSE_FRAME_SECS);
            }
            _ => self.painted = None,
        }
        status
    }
}

/// What the state is called.
fn word(status: &Status) -> String {
    let key = match status {
        Status::Painting { step, steps } => {
            let step = (step + 1).min(*steps);
            return tr_with("status-painting", &[("step", step.into()), ("steps", (*steps).into())]);
        }
        Status::Starting => "status-starting",
        Status::Idle => "status-live",
        Status::Waiting { .. } => "status-waiting",
        Status::Loading { .. } => "status-loading",
        Status::Paused => "status-paused",
        Status::Failed(_) => "status-failed",
    };
    tr(key).to_owned()
}

/// What the state means.
fn meaning(status: &Status) -> &'static str {
    tr(match status {
        Status::Starting => "status-starting-meaning",
        Status::Idle => "status-live-meaning",
        Status::Waiting { .. } => "status-waiting-meaning",
        Status::Loading { .. } => "status-loading-meaning",
        Status::Painting { .. } => "status-painting-meaning",
        Status::Paused => "status-paused-meaning",
        Status::Failed(_) => "status-failed-meaning",
    })
}

/// Draws it in a place of fixed width.
pub(crate) fn show(ui: &mut Ui, status: &Status, now: Moment) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(132.0, 32.0), Sense::hover());
    let word = word(status);
    let label = tr_with("status-label", &[("word", word.as_str().into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &label));
    shape(ui, pos2(rect.left() + 10.0, rect.center().y), status, now);
    let ink = if matches!(status, Status::Failed(_)) { p.error } else { p.text };
    let at = pos2(rect.left() + 28.0, rect.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, &word, theme::semibold(14.0), ink);
    tip(ui, response, meaning(status), "");
}

fn shape(ui: &Ui, at: Pos2, status: &Status, now: Moment) {
    let p = palette(ui);
    let painter = ui.painter();
    let ring = |radius: f32, ink| painter.circle_stroke(at, radius, Stroke::new(2.0, ink));
    match status {
        Status::Idle => {
            painter.circle_filled(at, 5.0, p.accent);
        }
        Status::Painting { .. } => {
            let beat = (now.0 as f32 * TAU * 0.8).sin() * 0.5 + 0.5;
            ring(7.0, p.accent.gamma_multiply(0.35 + 0.3 * beat));
            painter.circle_filled(at, 3.0 + 1.6 * beat, p.accent);
        }
        Status::Waiting { fraction } => {
            ring(6.0, p.outline);
            arc(ui, at, 0.0, *fraction);
        }
        Status::Loading { fraction, .. } => {
            ring(6.0, p.outline);
            let start = if *fraction == 0.0 { (now.0 as f32 * 0.8).fract() } else { 0.0 };
            arc(ui, at, start, if *fraction == 0.0 { 0.25 } else { *fraction });
        }
        Status::Starting => {
            ring(5.0, p.secondary);
        }
        Status::Paused => {
            for x in [-3.5, 3.5] {
                let bar = Rect::from_center_size(at + vec2(x, 0.0), vec2(3.0, 11.0));
                painter.rect_filled(bar, 1.0, p.text);
            }
        }
        Status::Failed(_) => {
            painter.text(at, Align2::CENTER_CENTER, icons::WARNING, theme::icon(18.0), p.error);
        }
    }
}

/// A part of a ring, clockwise from the top; `start` and `length` in turns.
fn arc(ui: &Ui, at: Pos2, start: f32, length: f32) {
    const POINTS: usize = 32;
    let points = (0..=POINTS).map(|i| {
        let turn = start + length * i as f32 / POINTS as f32;
        let angle = turn * TAU - PI / 2.0;
        at + 6.0 * vec2(angle.cos(), angle.sin())
    });
    ui.painter().add(Shape::line(points.collect(), Stroke::new(2.0, palette(ui).accent)));
}
