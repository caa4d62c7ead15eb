use super::explain;
use crate::icons;
use crate::intent::{Fold, Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Cell, NumberField, caption, fold, segmented};
use egui::{Align2, Popup, Sense, Ui, WidgetInfo, vec2};
use fourstep_protocol::{Noise, Sampler, Size};
use fourstep_session::Action;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let open = view.session.settings().ui.advanced_open;
    let sampler = view.session.request().sampler;
    if fold(ui, "Advanced", sampler.label(), open) {
        view.want(Intent::Fold(Fold::Advanced));
    }
    if !open {
        return;
    }
    caption(ui, "Sampler");
    if let Some(chosen) = sampler_menu(ui, sampler) {
        view.act(Action::SetSampler(chosen));
    }
    ui.add_space(6.0);
    caption(ui, "Noise");
    let cells = [
        Cell::new("PyTorch CPU", "Noise of PyTorch's CPU generator, as in diffusers and ComfyUI"),
        Cell::new("Philox", "Noise of the CUDA generator, as in AUTOMATIC1111"),
    ];
    let kinds = [Noise::Torch, Noise::Philox];
    let current = view.session.request().noise;
    if let Some(i) = segmented(ui, &cells, kinds.iter().position(|k| *k == current)) {
        view.act(Action::SetNoise(kinds[i]));
    }
    ui.add_space(6.0);
    caption(ui, "Exact size");
    if let Some(size) = exact_size(ui, view.session.request().size) {
        view.act(Action::SetSize(size));
    }
    explain(ui, "Multiples of 8, from 64 to 4096 pixels.");
}

/// A field that opens the list of samplers; the one chosen.
fn sampler_menu(ui: &mut Ui, current: Sampler) -> Option<Sampler> {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::ComboBox, true, format!("Sampler {}", current.label())));
    let p = palette(ui);
    let fill = if response.hovered() { p.hover } else { p.control };
    ui.painter().rect_filled(rect, theme::RADIUS, fill);
    let left = rect.left_center() + vec2(12.0, 0.0);
    ui.painter().text(left, Align2::LEFT_CENTER, current.label(), theme::medium(13.0), p.text);
    let right = rect.right_center() - vec2(16.0, 0.0);
    ui.painter().text(right, Align2::CENTER_CENTER, icons::CARET_DOWN, theme::icon(13.0), p.secondary);
    let mut chosen = None;
    Popup::menu(&response).width(rect.width() - 12.0).accessible_name("Samplers").show(|ui| {
        ui.set_min_width(rect.width() - 12.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.spacing_mut().button_padding = vec2(10.0, 6.0);
        ui.visuals_mut().selection = egui::style::Selection { bg_fill: p.chosen, stroke: (1.0, p.text).into() };
        for sampler in Sampler::ALL {
            if ui.add(egui::Button::selectable(sampler == current, sampler.label())).clicked() {
                chosen = Some(sampler);
            }
        }
    });
    chosen
}

fn exact_size(ui: &mut Ui, size: Size) -> Option<Size> {
    ui.horizontal(|ui| {
        const CROSS: f32 = 24.0;
        ui.spacing_mut().item_spacing.x = 0.0;
        let width = ((ui.available_width() - CROSS) / 2.0).floor();
        let w = NumberField::new("Width in pixels", width).when_left().show(ui, u64::from(size.width));
        let (cross, _) = ui.allocate_exact_size(vec2(CROSS, theme::CONTROL), Sense::hover());
        ui.painter().text(cross.center(), Align2::CENTER_CENTER, "×", theme::regular(14.0), palette(ui).secondary);
        let h = NumberField::new("Height in pixels", width).when_left().show(ui, u64::from(size.height));
        let side = |typed: Option<u64>, now: u32| typed.map_or(now, |v| u32::try_from(v).unwrap_or(u32::MAX));
        (w.is_some() || h.is_some()).then(|| Size::new(side(w, size.width), side(h, size.height)))
    })
    .inner
}
