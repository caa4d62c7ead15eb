//! What of a picture's settings could not be brought back: a small list over the lower edge of the stage.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::icon_button;
use egui::{Align, Frame, Layout, Margin, Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2};
use fourstep_protocol::Lost;

/// A picture whose settings came back in part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Missing {
    /// The file's name.
    pub name: String,
    pub lost: Vec<Lost>,
}

/// The list scrolls beyond this, in points.
const LIST: f32 = 132.0;

/// Draws the list where there is one, unless a failure stands there.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>, stage: Rect) {
    if view.failure.is_some() || view.session.failure().is_some() {
        return;
    }
    let Some(missing) = view.missing else { return };
    let width = (stage.width() - 32.0).min(560.0);
    let height_id = ui.scope_id().with("missing height");
    let height: f32 = ui.data(|d| d.get_temp(height_id)).unwrap_or(88.0);
    let min = pos2(stage.center().x - width / 2.0, stage.bottom() - height - 16.0);
    // Room for the longest list; it takes what it needs.
    let builder = UiBuilder::new().max_rect(Rect::from_min_size(min, vec2(width, LIST + 80.0)));
    let drawn = ui.scope_builder(builder, |ui| card(ui, view, missing)).response.rect.height();
    if (drawn - height).abs() > 0.5 {
        ui.data_mut(|d| d.insert_temp(height_id, drawn));
        ui.ctx().request_discard("the list found its height");
    }
}

fn card(ui: &mut Ui, view: &mut View<'_>, missing: &Missing) {
    let p = palette(ui);
    let frame = Frame::new().fill(p.panel).stroke((1.0, p.outline)).corner_radius(theme::RADIUS).inner_margin(Margin {
        left: 16,
        right: 10,
        top: 10,
        bottom: 12,
    });
    frame.show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            ui.set_min_width(ui.available_width());
            if icon_button(ui, icons::X, tr("restored-dismiss"), "Esc").clicked() {
                view.want(Intent::DismissMissing);
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 6.0;
                let title = tr_with("restored-title", &[("name", missing.name.as_str().into())]);
                ui.label(RichText::new(title).font(theme::semibold(14.0)).color(p.text));
                ScrollArea::vertical().max_height(LIST).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 3.0;
                    for lost in &missing.lost {
                        ui.label(RichText::new(format!("• {}", words(lost))).size(13.0).color(p.text));
                    }
                });
            });
        });
    });
}

fn words(lost: &Lost) -> String {
    let with = |key: &'static str, name: &str| tr_with(key, &[("name", name.into())]);
    match lost {
        Lost::Model { name, can_download: true } => with("restored-model-to-download", name),
        Lost::Model { name, can_download: false } => with("restored-model", name),
        Lost::Lora { name, can_download: true } => with("restored-lora-to-download", name),
        Lost::Lora { name, can_download: false } => with("restored-lora", name),
        Lost::OtherLora { name } => with("restored-other-lora", name),
        Lost::Vae { name } => with("restored-vae", name),
        Lost::Sampler { name, used } => {
            tr_with("restored-sampler", &[("name", name.as_str().into()), ("used", used.label().into())])
        }
        Lost::Schedule { name } => with("restored-schedule", name),
        Lost::Steps { wanted, used } => {
            tr_with("restored-steps", &[("wanted", wanted.as_str().into()), ("used", used.to_string().into())])
        }
        Lost::Size { wanted } => with("restored-size", wanted),
        Lost::Number { key, value } => {
            tr_with("restored-number", &[("key", key.as_str().into()), ("value", value.as_str().into())])
        }
        Lost::Init => tr("restored-init").to_owned(),
        Lost::Setting { key, value } => {
            let value = if value.is_empty() { String::new() } else { format!(" {value}") };
            tr_with("restored-setting", &[("key", format!("{key}{value}").into())])
        }
    }
}
