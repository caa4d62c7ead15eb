use super::{Strip, Wish};
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Fold, Intent, View};
use crate::keeping::KeptFrame;
use crate::shortcuts::{Command, keys};
use crate::theme::{self, palette};
use crate::widgets::{Button, Slider, dropdown, icon_button};
use crate::words;
use egui::{Align, Align2, Layout, Role, Sense, Ui, WidgetInfo, vec2};
use std::time::SystemTime;

/// Height of the bar, in points.
pub(super) const HEIGHT: f32 = 40.0;
/// What may be kept, in megabytes.
const BOUNDS: [u32; 5] = [128, 512, 1024, 4096, 16384];
/// What is kept where nobody chose.
const DEFAULT: u32 = 512;
/// Below this many points there is no word beside the caret.
const NARROW: f32 = 640.0;
/// Width of the text that says where one is, in points.
const PLACE: f32 = 148.0;

/// Folds the strip, goes through its frames, and what one does with the one on the stage.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, strip: &mut Strip, folded: bool) {
    let size = vec2(ui.available_width(), HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.set_min_height(HEIGHT);
        let caret = if folded { icons::CARET_RIGHT } else { icons::CARET_DOWN };
        let name = tr(if folded { "timeline-unfold" } else { "timeline-fold" });
        let title = if size.x < NARROW { "" } else { tr("timeline-title") };
        if Button::new(title).icon(caret).name(name).quiet().on(!folded).show(ui).clicked() {
            view.want(Intent::Fold(Fold::Timeline));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            bound(ui, view, strip);
            if let Some(frame) = strip.kept.frames.get(strip.at()) {
                of_frame(ui, view, strip, *frame);
                place(ui, strip, *frame);
                slider(ui, view, strip);
            }
        });
    });
}

fn of_frame(ui: &mut Ui, view: &mut View<'_>, strip: &Strip, frame: KeptFrame) {
    let older = !strip.is_live();
    let key = keys(Command::LivePicture);
    let live = ui.add_enabled_ui(older, |ui| icon_button(ui, icons::PLAY, tr("timeline-live"), &key).clicked());
    if live.inner {
        view.want(Intent::Timeline(Wish::Live));
    }
    let key = keys(Command::GoOn);
    let branch = ui.add_enabled_ui(older, |ui| icon_button(ui, icons::BRANCH, tr("timeline-branch"), &key).clicked());
    if branch.inner {
        view.want(Intent::Timeline(Wish::Branch));
    }
    let name = tr(if frame.starred { "timeline-unstar" } else { "timeline-star" });
    if Button::new("")
        .icon(icons::STAR)
        .name(name)
        .shortcut(&keys(Command::Star))
        .quiet()
        .on(frame.starred)
        .show(ui)
        .clicked()
    {
        view.want(Intent::Timeline(Wish::Star(frame.id, !frame.starred)));
    }
}

/// Which frame of how many, and how old it is.
fn place(ui: &mut Ui, strip: &Strip, frame: KeptFrame) {
    let count = strip.kept.frames.len();
    let text = if strip.is_live() {
        tr_with("timeline-count", &[("n", count.into())])
    } else {
        let ago = words::ago(frame.painted, SystemTime::now());
        tr_with("timeline-place", &[("at", (strip.at() + 1).into()), ("n", count.into()), ("ago", ago.into())])
    };
    let (rect, response) = ui.allocate_exact_size(vec2(PLACE, HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &text));
    let ink = palette(ui).secondary;
    ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, text, theme::regular(12.0), ink);
}

fn slider(ui: &mut Ui, view: &mut View<'_>, strip: &Strip) {
    let last = strip.kept.frames.len().saturating_sub(1);
    if last == 0 {
        return;
    }
    // It is drawn from its left.
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let slider = Slider::new(tr("timeline-scrub"), 0.0..=last as f32, 1.0, 1.0).reset(last as f32).compact();
        if let Some(to) = slider.show(ui, strip.at() as f32) {
            let to = (to as usize).min(last);
            let wish = if to == last { Wish::Live } else { Wish::Look(strip.kept.frames[to].id) };
            view.want(Intent::Timeline(wish));
        }
    });
}

/// How much of the disk it takes, and how much it may.
fn bound(ui: &mut Ui, view: &mut View<'_>, strip: &Strip) {
    let bytes = |megabytes: u32| u64::from(megabytes) << 20;
    let now = view.session.settings().ui.timeline_megabytes.unwrap_or(DEFAULT);
    let options = BOUNDS.map(|bound| tr_with("timeline-keep", &[("size", words::bytes(bytes(bound)).into())]));
    let chosen = BOUNDS.iter().position(|bound| *bound == now);
    ui.allocate_ui(vec2(100.0, theme::CONTROL), |ui| {
        let text = words::bytes(strip.kept.bytes);
        if let Some(i) = dropdown(ui, tr("timeline-size"), &text, &options, chosen) {
            view.want(Intent::Timeline(Wish::Bound(BOUNDS[i])));
        }
    });
}
