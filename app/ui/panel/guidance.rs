use crate::i18n::{tr, tr_with};
use crate::intent::View;
use crate::theme::palette;
use crate::widgets::{Slider, caption_row};
use egui::Ui;
use fourstep_protocol::Guidance;
use fourstep_session::Action;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let (model, request) = (view.session.model(), view.session.request());
    let range = model.guidance_range(request.sampler);
    let value = request.guidance_scale;
    let p = palette(ui);
    let (name, note, ink) = match model.guidance {
        Guidance::ClassifierFree if view.session.cost_factor() == 2 => {
            ("guidance-cfg", cost(format!("{value:.2}"), 2), p.text)
        }
        Guidance::ClassifierFree => ("guidance-cfg", cost(format!("{value:.2}"), 1), p.text),
        Guidance::Embedded { .. } => ("guidance-trained", cost(format!("{value:.1}"), 1), p.text),
        Guidance::None => ("guidance-name", tr("guidance-none").to_owned(), p.secondary),
    };
    caption_row(ui, tr(name), &note, ink);
    let width = range.end() - range.start();
    let (step, fine) = if width <= 2.0 { (0.05, 0.01) } else { (0.5, 0.1) };
    let reset = model.live.guidance_scale.clamp(*range.start(), *range.end());
    let ticks = ticks(*range.start(), *range.end());
    let tooltip = tr(match model.guidance {
        Guidance::ClassifierFree => "guidance-tip",
        Guidance::Embedded { .. } => "guidance-trained-tip",
        Guidance::None => "guidance-none-tip",
    });
    let enabled = model.guidance != Guidance::None;
    let range = if enabled { range } else { 0.0..=2.0 };
    let moved = ui.add_enabled_ui(enabled, |ui| {
        Slider::new(tr("guidance-name"), range, step, fine).ticks(&ticks).reset(reset).tooltip(tooltip).show(ui, value)
    });
    if let Some(scale) = moved.inner {
        view.act(Action::SetGuidance(scale));
    }
}

fn cost(value: String, factor: u32) -> String {
    tr_with("guidance-cost", &[("value", value.into()), ("factor", factor.into())])
}

/// Values worth a mark: quarters of a short range, whole numbers of a long one.
fn ticks(start: f32, end: f32) -> Vec<f32> {
    let width = end - start;
    if width <= 0.0 {
        return Vec::new();
    }
    let every = if width <= 2.0 { 0.25 } else { 2.0 };
    let count = (width / every).floor() as usize;
    let mut ticks: Vec<f32> = (0..=count).map(|i| start + every * i as f32).collect();
    if ticks.last().is_some_and(|last| end - last > 1e-3) {
        ticks.push(end);
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_begin_and_end_with_the_range() {
        assert_eq!(ticks(1.0, 2.0), [1.0, 1.25, 1.5, 1.75, 2.0]);
        assert_eq!(ticks(3.0, 13.0), [3.0, 5.0, 7.0, 9.0, 11.0, 13.0]);
        assert_eq!(ticks(1.0, 15.0).last(), Some(&15.0));
        assert!(ticks(1.0, 1.0).is_empty());
    }
}
