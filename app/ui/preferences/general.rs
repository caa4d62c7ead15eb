use crate::i18n::{tr, tr_with};
use crate::intent::View;
use crate::theme::palette;
use crate::widgets::{Cell, Slider, caption, caption_row, segmented};
use egui::{RichText, Ui};
use fourstep_session::{Action, JpegQuality, LATENCY_TARGETS_MS, Language, Letters, ThemeChoice};

/// Per cent that letters grow by with a key.
pub(crate) const LETTERS_STEP: i16 = 10;

/// Each language in its own words, so that one finds it in a window one cannot read.
const LANGUAGES: [(Language, &str); 2] = [(Language::English, "English"), (Language::TraditionalChinese, "繁體中文")];
const THEMES: [(ThemeChoice, &str); 3] =
    [(ThemeChoice::Dark, "prefs-dark"), (ThemeChoice::Light, "prefs-light"), (ThemeChoice::System, "prefs-system")];

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    language(ui, view);
    ui.add_space(12.0);
    caption(ui, tr("prefs-theme"));
    let cells = THEMES.map(|(_, name)| Cell::new(tr(name), tr(name)));
    let theme = view.session.settings().ui.theme;
    let chosen = THEMES.iter().position(|(known, _)| *known == theme);
    // One of its cells is called as one of the languages'.
    if let Some(index) = ui.push_id("theme", |ui| segmented(ui, &cells, chosen)).inner {
        view.change_ui(|ui| ui.theme = THEMES[index].0);
    }
    ui.add_space(12.0);
    letters(ui, view);
    ui.add_space(12.0);
    jpeg(ui, view);
    ui.add_space(12.0);
    latency(ui, view);
}

/// Within which time a change is to be seen, or as asked for however long that takes.
fn latency(ui: &mut Ui, view: &mut View<'_>) {
    caption(ui, tr("prefs-latency"));
    let names = LATENCY_TARGETS_MS.map(|ms| tr_with("prefs-latency-ms", &[("n", ms.into())]));
    let off = tr("prefs-latency-off");
    let texts = std::iter::once(off).chain(names.iter().map(String::as_str));
    let cells: Vec<Cell<'_>> = texts.map(|text| Cell::new(text, text)).collect();
    let choices = [None].into_iter().chain(LATENCY_TARGETS_MS.map(Some));
    let choices: Vec<Option<u32>> = choices.collect();
    let current = view.session.settings().latency_target_ms;
    if let Some(index) = segmented(ui, &cells, choices.iter().position(|choice| *choice == current)) {
        view.act(Action::SetLatencyTarget(choices[index]));
    }
    let ink = palette(ui).secondary;
    ui.label(RichText::new(tr("prefs-latency-why")).small().color(ink));
}

fn jpeg(ui: &mut Ui, view: &mut View<'_>) {
    let quality = view.session.settings().ui.jpeg_quality.get();
    caption_row(ui, tr("prefs-jpeg"), &quality.to_string(), palette(ui).text);
    let (least, most) = (f32::from(*JpegQuality::RANGE.start()), f32::from(*JpegQuality::RANGE.end()));
    let slider = Slider::new(tr("prefs-jpeg"), least..=most, 1.0, 1.0).ticks(&[50.0, 75.0, 92.0, 100.0]).reset(92.0);
    if let Some(quality) = slider.tooltip(tr("prefs-jpeg-tip")).show(ui, f32::from(quality)) {
        view.change_ui(|ui| ui.jpeg_quality = JpegQuality::new(quality as u8));
    }
}

fn language(ui: &mut Ui, view: &mut View<'_>) {
    caption(ui, tr("prefs-language"));
    let current = view.session.settings().ui.language;
    let choices = [(Language::System, tr("prefs-system"))].into_iter().chain(LANGUAGES);
    let choices: Vec<(Language, &str)> = choices.collect();
    let cells: Vec<Cell<'_>> = choices.iter().map(|(_, name)| Cell::new(name, name)).collect();
    if let Some(index) = segmented(ui, &cells, choices.iter().position(|(language, _)| *language == current)) {
        view.change_ui(|ui| ui.language = choices[index].0);
    }
}

fn letters(ui: &mut Ui, view: &mut View<'_>) {
    let percent = view.session.settings().ui.letters.percent();
    let note = tr_with("prefs-percent", &[("n", percent.into())]);
    caption_row(ui, tr("prefs-letters"), &note, palette(ui).text);
    let (least, most) = (f32::from(*Letters::PERCENT.start()), f32::from(*Letters::PERCENT.end()));
    let slider =
        Slider::new(tr("prefs-letters"), least..=most, 5.0, 5.0).ticks(&[80.0, 100.0, 125.0, 150.0]).reset(100.0);
    // What is dragged must not move away under the hand: it counts when it is let go.
    let id = ui.scope_id().with("letters");
    let shown = ui.data(|d| d.get_temp::<f32>(id)).unwrap_or_else(|| f32::from(percent));
    let moved = slider.tooltip(tr("prefs-letters-tip")).show(ui, shown);
    let value = moved.unwrap_or(shown);
    if ui.input(|i| i.pointer.any_down()) {
        ui.data_mut(|d| d.insert_temp(id, value));
        return;
    }
    ui.data_mut(|d| d.remove::<f32>(id));
    if value != f32::from(percent) {
        view.change_ui(|ui| ui.letters = Letters::new(value as u16));
    }
}
