use super::{Age, Gallery, Wish};
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, dropdown, icon_button, name_it};
use egui::{Align, Align2, Id, Layout, Margin, RichText, TextEdit, Ui, vec2};

const HEIGHT: f32 = 44.0;
/// Below this many points the menus are narrower.
const NARROW: f32 = 640.0;

/// What is searched for.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, gallery: &mut Gallery) {
    let before = gallery.filter.clone();
    let size = vec2(ui.available_width(), HEIGHT);
    let menu = if size.x < NARROW { 112.0 } else { 148.0 };
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if icon_button(ui, icons::REFRESH, tr("gallery-look-again"), "").clicked() {
            view.want(Intent::Gallery(Wish::Look));
        }
        let starred = gallery.filter.starred;
        let button = Button::new("").icon(icons::STAR).name(tr("gallery-only-starred")).quiet().on(starred);
        if button.show(ui).clicked() {
            gallery.filter.starred = !starred;
        }
        ui.allocate_ui(vec2(menu, theme::CONTROL), |ui| age(ui, gallery));
        ui.allocate_ui(vec2(menu, theme::CONTROL), |ui| model(ui, gallery));
        search(ui, gallery);
    });
    if gallery.filter != before {
        view.want(Intent::Gallery(Wish::Find));
    }
    if gallery.deleting.is_some() {
        second_thoughts(ui, view, gallery);
    }
}

fn age(ui: &mut Ui, gallery: &mut Gallery) {
    let options = Age::ALL.map(|age| match age {
        Age::Any => tr("gallery-any-time"),
        Age::Day => tr("gallery-day"),
        Age::Week => tr("gallery-week"),
        Age::Month => tr("gallery-month"),
        Age::Year => tr("gallery-year"),
    });
    let chosen = Age::ALL.iter().position(|age| *age == gallery.filter.age).unwrap_or_default();
    if let Some(i) = dropdown(ui, tr("gallery-age"), options[chosen], &options, Some(chosen)) {
        gallery.filter.age = Age::ALL[i];
    }
}

fn model(ui: &mut Ui, gallery: &mut Gallery) {
    let all = tr("gallery-all-models");
    let options: Vec<&str> = std::iter::once(all).chain(gallery.listing.models.iter().map(String::as_str)).collect();
    let chosen = gallery.filter.model.as_deref().unwrap_or(all);
    let place = options.iter().position(|option| *option == chosen);
    if let Some(i) = dropdown(ui, tr("gallery-model"), chosen, &options, place) {
        gallery.filter.model = (i > 0).then(|| options[i].to_owned());
    }
}

fn search(ui: &mut Ui, gallery: &mut Gallery) {
    let hint = RichText::new(tr("gallery-search-hint")).color(palette(ui).disabled);
    let edit = TextEdit::singleline(&mut gallery.filter.words)
        .id(Id::unique("gallery search"))
        .hint_text(hint)
        .margin(Margin { left: 34, right: 10, top: 7, bottom: 7 })
        .desired_width(f32::INFINITY);
    let response = ui.add_sized(vec2(ui.available_width(), theme::CONTROL), edit);
    let at = response.rect.left_center() + vec2(18.0, 0.0);
    ui.painter().text(at, Align2::CENTER_CENTER, icons::SEARCH, theme::icon(16.0), palette(ui).secondary);
    name_it(ui, &response, tr("gallery-search"));
}

/// A picture was deleted a moment ago.
pub(super) fn second_thoughts(ui: &mut Ui, view: &mut View<'_>, gallery: &Gallery) {
    let Some((path, _)) = &gallery.deleting else { return };
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    ui.horizontal(|ui| {
        let text = tr_with("gallery-deleted", &[("name", name.into())]);
        ui.label(RichText::new(text).size(13.0).color(palette(ui).text));
        if Button::new(tr("gallery-undelete")).icon(icons::UNDO).low().show(ui).clicked() {
            view.want(Intent::Gallery(Wish::Undelete));
        }
    });
}
