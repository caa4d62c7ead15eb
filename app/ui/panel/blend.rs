//! Up to four prompts mixed by the place of a puck.

use super::{
    explain,
    prompt::{Editor, Offers},
};
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Fold, Intent, View};
use crate::theme::{self, RADIUS, palette};
use crate::widgets::{Button, fold, icon_button, line, tip};
use egui::{
    Align, EventFilter, Id, Key, Layout, Pos2, Rect, Response, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo, pos2,
    vec2,
};
use fourstep_protocol::Blended;
use fourstep_session::{Action, parts_at, place_of};

/// Height of the pad in points: of a line where two prompts are mixed, of a field for more.
const HEIGHTS: [f32; 2] = [44.0, 168.0];
/// What an arrow key moves the puck by.
const NUDGE: f32 = 0.05;
const LETTERS: [&str; 4] = ["A", "B", "C", "D"];

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let open = view.session.settings().ui.blend_open;
    let blend = view.session.request().blend.clone();
    let parts = view.session.request().prompts().iter().map(|(_, part)| *part).collect::<Vec<_>>();
    let note = if blend.is_empty() { tr("blend-none").to_owned() } else { shares(&parts) };
    if fold(ui, tr("blend-name"), &note, open) {
        view.want(Intent::Fold(Fold::Blend));
    }
    if !open {
        return;
    }
    if blend.is_empty() {
        explain(ui, tr("blend-explain"));
    } else if let Some(place) = pad(ui, view, &blend, &parts) {
        let weights = parts_at(place, blend.len());
        let moved = blend.iter().zip(weights).map(|(other, weight)| Blended { weight, ..other.clone() });
        view.act(Action::SetBlend(moved.collect()));
    }
    for at in 0..blend.len() {
        field(ui, view, &blend, at);
    }
    ui.add_space(4.0);
    if blend.len() < Blended::MOST && Button::new(tr("blend-add")).icon(icons::PLUS).show(ui).clicked() {
        let mut blend = blend;
        blend.push(Blended { prompt: String::new(), weight: 0.0 });
        view.act(Action::SetBlend(blend));
    }
    ui.add_space(4.0);
}

/// `A 75 %, B 25 %`
fn shares(parts: &[f32]) -> String {
    let named = LETTERS.iter().zip(parts).map(|(letter, part)| format!("{letter} {:.0} %", part * 100.0));
    named.collect::<Vec<_>>().join(", ")
}

/// One of the other prompts, with its letter and a button that takes it out.
fn field(ui: &mut Ui, view: &mut View<'_>, blend: &[Blended], at: usize) {
    let name = tr_with("blend-prompt", &[("letter", LETTERS[at + 1].into())]);
    let mut changed = None;
    ui.horizontal(|ui| {
        let ink = palette(ui).secondary;
        ui.label(egui::RichText::new(&name).font(theme::medium(12.0)).color(ink));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, icons::X, &tr_with("blend-remove", &[("letter", LETTERS[at + 1].into())]), "").clicked()
            {
                let mut rest = blend.to_vec();
                rest.remove(at);
                changed = Some(rest);
            }
        });
    });
    let mut text = blend[at].prompt.clone();
    let id = Id::unique(("blended prompt", at));
    let editor = Editor {
        id,
        name: &name,
        hint: tr("blend-hint"),
        min_rows: 1,
        unknown: &[],
        unread: None,
        offers: Offers::Loras,
    };
    if editor.show(ui, view.session, &mut text).changed {
        let mut others = blend.to_vec();
        others[at].prompt = text;
        changed = Some(others);
    }
    if let Some(blend) = changed {
        view.act(Action::SetBlend(blend));
    }
}

/// The pad; where the puck was moved to.
fn pad(ui: &mut Ui, view: &View<'_>, blend: &[Blended], parts: &[f32]) -> Option<[f32; 2]> {
    let flat = blend.len() == 1;
    let size = vec2(ui.available_width(), HEIGHTS[usize::from(!flat)]);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let inner = rect.shrink(12.0);
    let place = place_of(blend);
    let moved = moved(ui, &response, inner, place);
    let place = moved.unwrap_or(place);
    let shares = shares(parts);
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, format!("{}: {shares}", tr("blend-name"))));
    if ui.is_rect_visible(rect) {
        corners(ui, view, rect, blend);
        let y = if flat { 0.5 } else { place[1] };
        puck(ui, &response, rect, inner.lerp_inside(vec2(place[0], y)));
    }
    tip(ui, response, tr("blend-tip"), tr("panel-slider-keys"));
    moved
}

fn moved(ui: &Ui, response: &Response, inner: Rect, place: [f32; 2]) -> Option<[f32; 2]> {
    if response.double_clicked() {
        return Some([0.0, 0.0]);
    }
    let held = response.dragged() || response.drag_stopped() || response.clicked();
    if let Some(at) = response.interact_pointer_pos().filter(|_| held) {
        let within = ((at - inner.min) / inner.size()).clamp(Vec2::ZERO, Vec2::splat(1.0));
        return Some([within.x, within.y]);
    }
    if !response.has_focus() {
        return None;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
    let (by, fine) = ui.input(|i| {
        let presses = |key| i.num_presses(key) as f32;
        let by = [presses(Key::ArrowRight) - presses(Key::ArrowLeft), presses(Key::ArrowDown) - presses(Key::ArrowUp)];
        (by, i.modifiers.shift)
    });
    let step = if fine { NUDGE / 5.0 } else { NUDGE };
    let moved = [0, 1].map(|axis| (place[axis] + by[axis] * step).clamp(0.0, 1.0));
    (by != [0.0, 0.0]).then_some(moved)
}

/// The field, and at each corner that has one the beginning of its prompt.
fn corners(ui: &Ui, view: &View<'_>, rect: Rect, blend: &[Blended]) {
    let p = palette(ui);
    ui.painter().rect(rect, RADIUS, p.field, (1.0, p.outline), StrokeKind::Inside);
    let inner = rect.shrink2(vec2(10.0, 6.0));
    let row = 18.0;
    let half = inner.width() / 2.0 - 8.0;
    let first = view.session.request().prompt.as_str();
    let prompts = std::iter::once(first).chain(blend.iter().map(|other| other.prompt.as_str()));
    for (at, prompt) in prompts.enumerate() {
        let left = if at % 2 == 0 { inner.left() } else { inner.right() - half };
        let top = if at < 2 { inner.top() } else { inner.bottom() - row };
        let place = Rect::from_min_size(pos2(left, top), vec2(half, row));
        line(ui, place, &format!("{}  {prompt}", LETTERS[at]), theme::regular(12.0), p.secondary);
    }
}

fn puck(ui: &Ui, response: &Response, rect: Rect, at: Pos2) {
    let p = palette(ui);
    let painter = ui.painter().with_clip_rect(rect);
    painter.hline(rect.x_range(), at.y, (1.0, p.hairline));
    painter.vline(at.x, rect.y_range(), (1.0, p.hairline));
    let radius = if response.dragged() { 9.0 } else { 8.0 };
    ui.painter().circle(at, radius, p.accent, (2.0, p.panel));
    if response.has_focus() {
        ui.painter().circle_stroke(at, radius + 3.0, (2.0, p.accent));
    }
}
