use super::{Gallery, Wish, bar, grid::title};
use crate::i18n::tr;
use crate::icons;
use crate::intent::{Intent, View};
use crate::keeping::SavedPicture;
use crate::shortcuts::{Command, keys as shortcut};
use crate::stage::Zoom;
use crate::theme::{self, palette};
use crate::widgets::{Button, icon_button, line};
use crate::words;
use egui::{Align, Align2, Color32, Key, Layout, Modifiers, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use std::time::SystemTime;

const HEIGHT: f32 = 44.0;
/// Of the two lines below the picture, in points.
const WORDS: f32 = 52.0;

/// One picture as large as it can be, and what one does with it.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, gallery: &mut Gallery, picture: &SavedPicture) {
    keys(ui, view, picture);
    buttons(ui, view, picture);
    if gallery.deleting.is_some() {
        bar::second_thoughts(ui, view, gallery);
    }
    let p = palette(ui);
    let size = vec2(ui.available_width(), (ui.available_height() - WORDS).max(64.0));
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = title(picture);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let large = gallery.large.as_ref();
    match large.and_then(|large| large.layer.as_ref()) {
        Some(layer) => {
            let place = Zoom::Fit.rect(rect, vec2(layer.width_px, layer.height_px));
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(layer.texture(), place, whole, Color32::WHITE);
        }
        None if large.is_some_and(|large| large.gone) => {
            let text = tr("gallery-unreadable");
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, theme::regular(14.0), p.secondary);
        }
        None => {}
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), WORDS - 8.0), Sense::hover());
    let (upper, lower) = rect.split_top_bottom_at_fraction(0.5);
    line(ui, upper, &name, theme::regular(13.0), p.text);
    let ago = words::ago(picture.saved, SystemTime::now());
    let facts = [format!("{} × {}", picture.width, picture.height), picture.model.clone(), ago];
    let path = picture.path.display().to_string();
    let facts: Vec<String> = facts.into_iter().chain([path]).filter(|fact| !fact.is_empty()).collect();
    line(ui, lower, &facts.join(" · "), theme::regular(12.0), p.secondary);
}

/// Where nothing else has the keyboard. The others are shortcuts that can be changed.
fn keys(ui: &Ui, view: &mut View<'_>, picture: &SavedPicture) {
    let free = ui.memory(|m| m.focused().is_none() && m.top_modal_layer().is_none());
    if free && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Delete)) {
        view.want(Intent::Gallery(Wish::Delete(picture.path.clone())));
    }
}

fn buttons(ui: &mut Ui, view: &mut View<'_>, picture: &SavedPicture) {
    let path = || picture.path.clone();
    let size = vec2(ui.available_width(), HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let mut wish = None;
        let back = Button::new(tr("gallery-back")).icon(icons::CARET_LEFT).name(tr("gallery-back-tip")).shortcut("Esc");
        if back.show(ui).clicked() {
            wish = Some(Wish::Close);
        }
        if icon_button(ui, icons::CARET_LEFT, tr("gallery-previous"), &shortcut(Command::OlderPicture)).clicked() {
            wish = Some(Wish::Step(-1));
        }
        if icon_button(ui, icons::CARET_RIGHT, tr("gallery-next"), &shortcut(Command::NewerPicture)).clicked() {
            wish = Some(Wish::Step(1));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let key = shortcut(Command::GoOn);
            let button = Button::new(tr("gallery-use")).icon(icons::BRANCH).name(tr("gallery-use-tip")).shortcut(&key);
            if button.primary(true).show(ui).clicked() {
                wish = Some(Wish::Use(path()));
            }
            if icon_button(ui, icons::TRASH, tr("gallery-delete"), "Del").clicked() {
                wish = Some(Wish::Delete(path()));
            }
            if icon_button(ui, icons::FOLDER_OPEN, tr("gallery-reveal"), "").clicked() {
                wish = Some(Wish::Reveal(path()));
            }
            if icon_button(ui, icons::COPY, tr("gallery-copy-path"), "").clicked() {
                wish = Some(Wish::CopyPath(path()));
            }
            let name = tr(if picture.starred { "timeline-unstar" } else { "timeline-star" });
            let key = shortcut(Command::Star);
            let star = Button::new("").icon(icons::STAR).name(name).shortcut(&key).quiet().on(picture.starred);
            if star.show(ui).clicked() {
                wish = Some(Wish::Star(path(), !picture.starred));
            }
        });
        if let Some(wish) = wish {
            view.want(Intent::Gallery(wish));
        }
    });
}
