//! Styles: kept words, applied with a click.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::View;
use crate::panel::explain;
use crate::theme::{self, CONTROL, RADIUS, palette};
use crate::widgets::{Button, icon_button, line, name_it, tip};
use egui::{
    Align, Id, Key, Layout, Margin, Popup, PopupCloseBehavior, Role, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, vec2,
};
use fourstep_prompt::Style;
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
        // A menu stretches its lines.
        ui.with_layout(Layout::top_down(Align::LEFT), |ui| explain(ui, tr("styles-none")));
    }
    let (mut applied, mut deleted) = (None, None);
    ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
        for style in styles {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                if row(ui, style) {
                    applied = Some(style.name.clone());
                }
                let name = tr_with("styles-delete", &[("name", style.name.as_str().into())]);
                if icon_button(ui, icons::TRASH, &name, "").clicked() {
                    deleted = Some(style.name.clone());
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

/// A style's name and the beginning of its words; whether it was clicked.
fn row(ui: &mut Ui, style: &Style) -> bool {
    let size = vec2(ui.available_width() - CONTROL - 2.0, CONTROL);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = tr_with("styles-apply", &[("name", style.name.as_str().into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let p = palette(ui);
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, RADIUS, p.hover);
    }
    let text = rect.shrink2(vec2(10.0, 0.0));
    let drawn = line(ui, text, &style.name, theme::medium(13.0), p.text);
    let rest = text.with_min_x((drawn.right + 8.0).min(text.right()));
    line(ui, rest, &style.prompt, theme::regular(13.0), p.secondary);
    tip(ui, response, &style.prompt, "").clicked()
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
