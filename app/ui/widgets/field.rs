use crate::i18n::tr_with;
use crate::icons;
use crate::theme::{self, CONTROL, RADIUS, palette};
use egui::{Align2, Color32, Key, Margin, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

/// The name of a control, above it.
pub(crate) fn caption(ui: &mut Ui, name: &str) {
    caption_row(ui, name, "", palette(ui).secondary);
}

/// The name of a control and, at the right, what it is set to or costs.
pub(crate) fn caption_row(ui: &mut Ui, name: &str, value: &str, ink: Color32) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    let p = palette(ui);
    let painter = ui.painter();
    painter.text(rect.left_center(), Align2::LEFT_CENTER, name, theme::medium(12.0), p.secondary);
    if !value.is_empty() {
        painter.text(rect.right_center(), Align2::RIGHT_CENTER, value, theme::medium(12.0), ink);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {value}")));
    }
}

/// The head of a part that folds; whether it was clicked.
pub(crate) fn fold(ui: &mut Ui, name: &str, note: &str, open: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), CONTROL), Sense::click());
    response.widget_info(|| {
        let key = if open { "panel-hide" } else { "panel-show" };
        WidgetInfo::selected(Role::Button, true, open, tr_with(key, &[("name", name.into())]))
    });
    let p = palette(ui);
    let painter = ui.painter();
    let ink = if response.hovered() { p.text } else { p.secondary };
    let caret = if open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
    painter.text(pos2(rect.left() + 6.0, rect.center().y), Align2::CENTER_CENTER, caret, theme::icon(13.0), ink);
    painter.text(rect.left_center() + vec2(20.0, 0.0), Align2::LEFT_CENTER, name, theme::medium(13.0), ink);
    painter.text(rect.right_center(), Align2::RIGHT_CENTER, note, theme::regular(12.0), p.secondary);
    if response.has_focus() {
        super::button::focus_ring(ui, rect.shrink2(vec2(0.0, 3.0)));
    }
    response.clicked()
}

/// A field for a whole number.
#[must_use]
pub(crate) struct NumberField<'a> {
    name: &'a str,
    width: f32,
    /// Only a finished number counts, because a half-typed one means something else.
    when_left: bool,
}

impl<'a> NumberField<'a> {
    /// A field called `name`, `width` points wide.
    pub(crate) fn new(name: &'a str, width: f32) -> Self {
        Self { name, width, when_left: false }
    }

    /// Gives the number only when Enter is pressed or the field is left.
    pub(crate) fn when_left(self) -> Self {
        Self { when_left: true, ..self }
    }

    /// Draws it; the new number where it was changed.
    pub(crate) fn show(self, ui: &mut Ui, value: u64) -> Option<u64> {
        let id = ui.scope_id().with(("number", self.name));
        let had_focus = ui.memory(|m| m.has_focus(id));
        let mut text = value.to_string();
        if had_focus && let Some(typed) = ui.data(|d| d.get_temp::<String>(id)) {
            text = typed;
        }
        let response = self.edit(ui, id, &mut text);
        text.retain(|c| c.is_ascii_digit());
        text.truncate(20);
        let number = text.parse::<u64>().ok();
        let left = response.lost_focus();
        if left {
            ui.data_mut(|d| d.remove::<String>(id));
        } else {
            ui.data_mut(|d| d.insert_temp(id, text));
        }
        let cancelled = ui.input(|i| i.key_pressed(Key::Escape));
        let counts = if self.when_left { left && !cancelled } else { response.changed() };
        number.filter(|n| counts && *n != value)
    }

    fn edit(&self, ui: &mut Ui, id: egui::Id, text: &mut String) -> Response {
        let edit = egui::TextEdit::singleline(text)
            .id(id)
            .margin(Margin::symmetric(8, 4))
            .align(Align2::CENTER_CENTER)
            .desired_width(self.width)
            .min_size(Vec2::new(self.width, CONTROL));
        let response = ui.add_sized([self.width, CONTROL], edit);
        name_it(ui, &response, self.name);
        response
    }
}

/// Gives a text field the name that a screen reader says.
pub(crate) fn name_it(ui: &Ui, response: &Response, name: &str) {
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name));
}

/// The frame of a text field that scrolls.
pub(crate) fn field_frame(ui: &Ui, focused: bool) -> egui::Frame {
    let p = palette(ui);
    let line = if focused { p.accent } else { p.outline };
    egui::Frame::new().fill(p.field).stroke((1.0, line)).corner_radius(RADIUS).inner_margin(Margin::symmetric(10, 8))
}
