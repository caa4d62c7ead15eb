use super::{Stage, Zoom, bonds, picture};
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::screen::Screen;
use crate::shortcuts::{Command, keys};
use crate::theme::{self, palette};
use crate::widgets::{Button, chip, icon_button};
use crate::words;
use egui::{Align, Align2, Layout, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fourstep_session::{Status, Tab};

/// Points of the step bar.
const BAR: f32 = 112.0;

/// How far the run is at the left; how the picture is looked at at the right.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, stage: &mut Stage, screen: &Screen) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        step_bar(ui, view);
        draft_chip(ui, view);
        bonds::show(ui, view);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| zoom_buttons(ui, view, stage, screen));
    });
}

/// What was painted instead of what was asked for, as long as that is to be seen.
fn draft_chip(ui: &mut Ui, view: &mut View<'_>) {
    let Some(draft) = view.session.draft() else { return };
    let (steps, size) = (words::steps(draft.steps), draft.size.to_string().replace('x', "×"));
    let text = tr_with("stage-draft", &[("steps", steps.as_str().into())]);
    let decoder = if draft.is_decoded_quickly { "tiny" } else { "own" };
    let arguments = [("steps", steps.as_str().into()), ("size", size.into()), ("decoder", decoder.into())];
    let name = tr_with("stage-draft-name", &arguments);
    if chip(ui, &text, &name, true).clicked() {
        view.want(Intent::Preferences);
    }
}

fn step_bar(ui: &mut Ui, view: &View<'_>) {
    let p = palette(ui);
    let request = view.session.request();
    let (done, steps, ink, text) = match view.session.status(view.now) {
        Status::Painting { step, steps } => {
            let now = (step + 1).min(steps);
            (step, steps, p.accent, tr_with("stage-step", &[("step", now.into()), ("steps", steps.into())]))
        }
        _ if view.session.shown().is_some() && !view.session.is_stale() => {
            (request.steps, request.steps, p.disabled, words::steps(request.steps))
        }
        _ => (0, request.steps, p.disabled, words::steps(request.steps)),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(BAR + 76.0, 24.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, &text));
    let bar = Rect::from_min_size(pos2(rect.left(), rect.center().y - 3.0), vec2(BAR, 6.0));
    let gap = if steps <= 16 { 3.0 } else { 0.0 };
    let width = (BAR - gap * (steps as f32 - 1.0)) / steps as f32;
    for i in 0..steps {
        let left = bar.left() + i as f32 * (width + gap);
        let segment = Rect::from_min_size(pos2(left, bar.top()), vec2(width, bar.height()));
        ui.painter().rect_filled(segment, if gap > 0.0 { 2.0 } else { 0.0 }, if i < done { ink } else { p.hairline });
    }
    let at = pos2(bar.right() + 10.0, rect.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, text, theme::regular(12.0), p.secondary);
}

/// Reads how many pictures there are while it records; as wide as it ever gets.
fn record_button(ui: &mut Ui, view: &mut View<'_>) {
    let (text, name) = match view.recorded {
        Some(count) => (count.to_string(), tr_with("record-end", &[("n", count.into())])),
        None => (String::new(), tr("record-begin").to_owned()),
    };
    let on = view.recorded.is_some();
    if Button::new(&text).icon(icons::RECORD).name(&name).quiet().on(on).show(ui).clicked() {
        view.want(Intent::ToggleRecording);
    }
}

/// From the right edge inwards.
fn zoom_buttons(ui: &mut Ui, view: &mut View<'_>, stage: &mut Stage, screen: &Screen) {
    if icon_button(ui, icons::FULLSCREEN, tr("stage-only"), &keys(Command::StageOnly)).clicked() {
        view.want(Intent::ToggleStageOnly);
    }
    record_button(ui, view);
    if view.session.settings().ui.tab == Tab::Grid {
        // Its pictures are as large as they fit.
        return;
    }
    let pixels = picture::shows_pixels(ui, stage, screen);
    let name = tr(if pixels { "stage-smooth" } else { "stage-pixels" });
    let pixels_keys = keys(Command::Pixels);
    let button = Button::new("").icon(icons::GRID).name(name).shortcut(&pixels_keys).quiet().on(pixels);
    if button.show(ui).clicked() {
        stage.pixels = Some(!pixels);
    }
    let one = 1.0 / ui.ctx().pixels_per_point();
    let is_one = matches!(stage.zoom, Zoom::Free { scale, .. } if (scale - one).abs() < 1e-3);
    let zoom_keys = keys(Command::Zoom);
    let button = Button::new("1:1").name(tr("stage-one-to-one")).shortcut(&zoom_keys);
    if button.quiet().on(is_one).width(44.0).show(ui).clicked() {
        stage.zoom = Zoom::Free { scale: one, offset: egui::Vec2::ZERO };
    }
    let fit_keys = tr_with("stage-fit-keys", &[("keys", zoom_keys.as_str().into())]);
    let button = Button::new(tr("stage-fit")).name(tr("stage-fit-name")).shortcut(&fit_keys);
    if button.quiet().on(stage.zoom == Zoom::Fit).width(44.0).show(ui).clicked() {
        stage.zoom = Zoom::Fit;
    }
    let percent = picture::scale(ui, stage, screen).map(|s| format!("{:.0} %", s * 100.0)).unwrap_or_default();
    let (rect, _) = ui.allocate_exact_size(vec2(64.0, 24.0), Sense::hover());
    let p = palette(ui);
    ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, percent, theme::regular(12.0), p.secondary);
}
