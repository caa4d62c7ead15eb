//! What failed, why, and what now: over the lower edge of the stage, so that nothing moves when it comes or goes.

use crate::i18n::{self, tr};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, icon_button};
use egui::{Align, Frame, Layout, Margin, Rect, RichText, Ui, UiBuilder, pos2, vec2};
use fourstep_protocol::Failure;
use fourstep_session::Action;

/// Draws it where something failed.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>, stage: Rect) {
    let Some(failure) = view.failure.or_else(|| view.session.failure()).cloned() else { return };
    let width = (stage.width() - 32.0).min(760.0);
    let height_id = ui.scope_id().with("error height");
    let height: f32 = ui.data(|d| d.get_temp(height_id)).unwrap_or(88.0);
    let min = pos2(stage.center().x - width / 2.0, stage.bottom() - height - 16.0);
    let area = Rect::from_min_size(min, vec2(width, height));
    let builder = UiBuilder::new().max_rect(area).layout(Layout::top_down(Align::Min));
    let drawn = ui.scope_builder(builder, |ui| card(ui, view, &failure)).response.rect.height();
    if (drawn - height).abs() > 0.5 {
        ui.data_mut(|d| d.insert_temp(height_id, drawn));
        ui.ctx().request_discard("the error bar found its height");
    }
}

fn card(ui: &mut Ui, view: &mut View<'_>, failure: &Failure) {
    let p = palette(ui);
    let frame = Frame::new()
        .fill(p.error_fill)
        .stroke((1.0, p.error))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin { left: 16, right: 10, top: 10, bottom: 10 });
    frame.show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.set_min_width(ui.available_width());
            if icon_button(ui, icons::X, tr("error-dismiss"), "").clicked() {
                match view.failure {
                    Some(_) => view.want(Intent::DismissFailure),
                    None => view.act(Action::DismissFailure),
                }
            }
            // What the window failed at, for example saving, is asked for again where it was.
            if view.failure.is_none() && Button::new(tr("error-retry")).width(76.0).show(ui).clicked() {
                view.act(Action::Retry);
            }
            if Button::new(tr("error-log")).show(ui).clicked() {
                view.want(Intent::ShowLog);
            }
            ui.add_space(8.0);
            ui.with_layout(Layout::top_down(Align::Min), |ui| text(ui, failure));
        });
    });
}

/// A cause with a capital and a full stop; paths stay as they are.
fn sentence(cause: &str) -> String {
    let mut letters = cause.trim_end_matches('.').chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn text(ui: &mut Ui, failure: &Failure) {
    let failure = &i18n::failure(failure);
    let p = palette(ui);
    ui.style_mut().interaction.selectable_labels = true;
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label(RichText::new(icons::WARNING).font(theme::icon(18.0)).color(p.error));
        ui.label(RichText::new(&failure.what).font(theme::semibold(14.0)).color(p.text));
    });
    ui.label(RichText::new(sentence(&failure.why)).size(13.0).color(p.text));
    ui.label(RichText::new(&failure.remedy).size(13.0).color(p.text));
}
