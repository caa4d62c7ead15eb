//! Styles: kept words, applied with a click.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::View;
use crate::theme::{self, CONTROL, palette};
use crate::widgets::{Button, icon_button, name_it};
use egui::{Align, Id, Key, Layout, Margin, Popup, PopupCloseBehavior, RichText, ScrollArea, TextEdit, Ui};
use fourstep_session::Action;

/// Width of the menu, in points.
const WIDTH: f32 = 280.0;

/// The button; its list opens below.
pub(super) fn menu(ui: &mut Ui, view: &mut View<'_>) {
    let button = Button::new("").icon(icons::PALETTE).name(tr("styles-name")).quiet().low().show(ui);
    let popup = Popup::menu(&button).width(WIDTH).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    popup.accessible_name(tr("styles-name")).show(|ui| {
        ui.set_width(WIDTH);
        ui.spacing_mut().item_spacing.y = 2.0;
        list(ui, view);
        ui.separator();
        save(ui, view);
    });
}

fn list(ui: &mut Ui, view: &mut View<'_>) {
    let styles = view.session.styles();
    if styles.is_empty() {
        let ink = palette(ui).secondary;
        ui.label(RichText::new(tr("styles-none")).size(13.0).color(ink));
    }
    let (mut applied, mut deleted) = (None, None);
    ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
        for style in styles {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, icons::TRASH, &tr_with("styles-delete", &[("name", style.name.as_str().into())]), "")
                    .clicked()
                {
                    deleted = Some(style.name.clone());
                }
                let row = egui::Button::selectable(false, style.name.as_str()).truncate();
                let row = ui.add_sized([ui.available_width(), CONTROL], row).on_hover_text(&style.prompt);
                if row.clicked() {
                    applied = Some(style.name.clone());
                }
            });
        }
    });
    if let Some(name) = applied {
        view.act(Action::ApplyStyle(name));
        ui.close();
    }
    if let Some(name) = deleted {
        view.act(Action::DeleteStyle(name));
    }
}

/// A field for a name, and a button that keeps both prompts under it.
fn save(ui: &mut Ui, view: &mut View<'_>) {
    let id = Id::unique("style name");
    let mut name = ui.data(|d| d.get_temp::<String>(id)).unwrap_or_default();
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let can_save = !name.trim().is_empty() && !view.session.request().prompt.trim().is_empty();
        let clicked = ui.add_enabled_ui(can_save, |ui| {
            Button::new(tr("styles-save")).icon(icons::PLUS).name(tr("styles-save-name")).show(ui).clicked()
        });
        let edit = TextEdit::singleline(&mut name)
            .id(id.with("field"))
            .hint_text(tr("styles-hint"))
            .font(theme::regular(13.0))
            .margin(Margin::symmetric(8, 6));
        let response = ui.add_sized([ui.available_width(), CONTROL], edit);
        name_it(ui, &response, tr("styles-field"));
        let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        if can_save && (clicked.inner || entered) {
            view.act(Action::SaveStyle(std::mem::take(&mut name)));
        }
    });
    ui.data_mut(|d| d.insert_temp(id, name));
}
