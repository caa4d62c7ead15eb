use crate::devices::{AdapterInfo, AdapterKind};
use crate::i18n::{tr, tr_with};
use crate::intent::View;
use crate::theme::palette;
use crate::widgets::{Cell, caption, dropdown, segmented};
use crate::words;
use egui::{RichText, Ui};
use fourstep_protocol::{DeviceChoice, DeviceInfo};
use fourstep_session::{Action, PreviewPlace};

/// What computes: chosen from a list, and what it is now.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let ink = palette(ui).secondary;
    caption(ui, tr("prefs-device"));
    let choices = choices(view);
    let names: Vec<String> = choices.iter().map(|choice| name(choice, view.adapters)).collect();
    let chosen = choices.iter().position(|choice| choice == view.session.device_choice());
    let current = chosen.map_or("", |index| &names[index]);
    if let Some(index) = dropdown(ui, tr("prefs-device"), current, &names, chosen) {
        view.act(Action::ChooseDevice(choices[index].clone()));
    }
    if let Some(device) = view.session.device() {
        ui.label(RichText::new(now(device)).small());
    }
    ui.add_space(4.0);
    ui.label(RichText::new(tr("prefs-device-why")).small().color(ink));
    ui.add_space(12.0);
    previews(ui, view);
}

const PLACES: [(PreviewPlace, &str); 3] = [
    (PreviewPlace::Auto, "prefs-previews-auto"),
    (PreviewPlace::Window, "prefs-previews-window"),
    (PreviewPlace::Processor, "prefs-previews-processor"),
];

/// What decodes previews.
fn previews(ui: &mut Ui, view: &mut View<'_>) {
    caption(ui, tr("prefs-previews"));
    let cells = PLACES.map(|(_, name)| Cell::new(tr(name), tr(name)));
    let place = view.session.settings().ui.previews;
    if let Some(index) = segmented(ui, &cells, PLACES.iter().position(|(known, _)| *known == place)) {
        view.change_ui(|ui| ui.previews = PLACES[index].0);
    }
    let ink = palette(ui).secondary;
    ui.label(RichText::new(tr("prefs-previews-why")).small().color(ink));
}

/// Everything there is, and what was chosen where that has gone.
fn choices(view: &View<'_>) -> Vec<DeviceChoice> {
    let adapters = view.adapters.iter().map(|adapter| DeviceChoice::Adapter(adapter.name.clone()));
    let mut choices: Vec<_> = [DeviceChoice::Auto, DeviceChoice::Processor].into_iter().chain(adapters).collect();
    let chosen = view.session.device_choice();
    if !choices.contains(chosen) {
        choices.push(chosen.clone());
    }
    choices
}

fn name(choice: &DeviceChoice, adapters: &[AdapterInfo]) -> String {
    let name = match choice {
        DeviceChoice::Auto => return tr("device-auto").to_owned(),
        DeviceChoice::Processor => return tr("device-processor").to_owned(),
        DeviceChoice::Adapter(name) => name,
    };
    let Some(adapter) = adapters.iter().find(|adapter| adapter.name == *name) else {
        return tr_with("device-gone", &[("name", name.as_str().into())]);
    };
    let kind = tr(match adapter.kind {
        AdapterKind::Discrete => "device-discrete",
        AdapterKind::Integrated => "device-integrated",
        AdapterKind::Virtual => "device-virtual",
        AdapterKind::Software => "device-software",
    });
    with_memory(format!("{name} · {kind}"), adapter.memory_bytes)
}

/// What computes at this moment, which need not be what was chosen.
fn now(device: &DeviceInfo) -> String {
    let DeviceInfo { device, precision, memory_bytes, .. } = device;
    let now = tr_with("device-now", &[("device", device.as_str().into()), ("precision", precision.as_str().into())]);
    with_memory(now, *memory_bytes)
}

fn with_memory(text: String, memory_bytes: Option<u64>) -> String {
    match memory_bytes {
        Some(count) => format!("{text} · {}", words::bytes(count)),
        None => text,
    }
}
