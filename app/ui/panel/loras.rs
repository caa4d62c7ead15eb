use super::explain;
use crate::intent::{Fold, Intent, View};
use crate::theme::palette;
use crate::widgets::{Slider, caption_row, fold};
use egui::Ui;
use fourstep_session::Action;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let loras = &view.session.request().loras;
    let open = view.session.settings().ui.loras_open;
    let note = match loras.len() {
        0 => "none".to_owned(),
        n => n.to_string(),
    };
    if fold(ui, "LoRAs", &note, open) {
        view.want(Intent::Fold(Fold::Loras));
    }
    if !open {
        return;
    }
    if loras.is_empty() {
        explain(ui, "This model paints without LoRAs.");
    }
    for (index, lora) in loras.iter().enumerate() {
        let name = short(&lora.source);
        let ink = if lora.weight == 0.0 { palette(ui).secondary } else { palette(ui).text };
        let value = if lora.weight == 0.0 { "off".to_owned() } else { format!("{:.2}", lora.weight) };
        caption_row(ui, name, &value, ink);
        let label = format!("Weight of {name}");
        let slider = Slider::new(&label, -2.0..=2.0, 0.05, 0.01).ticks(&[-2.0, -1.0, 0.0, 1.0, 2.0]).reset(1.0);
        if let Some(weight) = slider.tooltip("1 is as trained, 0 is off").show(ui, lora.weight) {
            view.act(Action::SetLora { index, weight });
        }
    }
}

/// A path's last part without its ending; an id as it is.
fn short(source: &str) -> &str {
    let name = source.rsplit(['/', '\\']).next().unwrap_or(source);
    name.strip_suffix(".safetensors").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_are_shortened() {
        assert_eq!(super::short("/models/lora/ink.safetensors"), "ink");
        assert_eq!(super::short("sticker-lcm"), "sticker-lcm");
    }
}
