use super::tip;
use crate::theme::{self, CONTROL, RADIUS, palette};
use egui::{Align2, Color32, FontId, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};

/// Height of a button in a bar that is no higher than a control, in points.
const LOW: f32 = 28.0;

/// A button of fixed size: an icon, a word, or both.
#[must_use]
pub(crate) struct Button<'a> {
    icon: &'a str,
    text: &'a str,
    name: &'a str,
    shortcut: &'a str,
    width: f32,
    primary: bool,
    quiet: bool,
    low: bool,
    on: Option<bool>,
}

impl<'a> Button<'a> {
    /// A button that reads `text`.
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            icon: "",
            text,
            name: text,
            shortcut: "",
            width: 0.0,
            primary: false,
            quiet: false,
            low: false,
            on: None,
        }
    }

    /// An icon before the text.
    pub(crate) fn icon(self, icon: &'a str) -> Self {
        Self { icon, ..self }
    }

    /// What a screen reader and the tooltip say, where it is more than the text.
    pub(crate) fn name(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// Shown in the tooltip.
    pub(crate) fn shortcut(self, shortcut: &'a str) -> Self {
        Self { shortcut, ..self }
    }

    /// Fixed width in points, so that a change of text moves nothing.
    pub(crate) fn width(self, width: f32) -> Self {
        Self { width, ..self }
    }

    /// The one thing to do now.
    pub(crate) fn primary(self, primary: bool) -> Self {
        Self { primary, ..self }
    }

    /// Somewhat lower, for the status bar.
    pub(crate) fn low(self) -> Self {
        Self { low: true, ..self }
    }

    /// No fill at rest.
    pub(crate) fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// A button that stays pressed.
    pub(crate) fn on(self, on: bool) -> Self {
        Self { on: Some(on), ..self }
    }

    /// Draws it.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let font = theme::medium(13.0);
        let text_width = if self.text.is_empty() { 0.0 } else { text_width(ui, self.text, font.clone()) };
        let icon_width = if self.icon.is_empty() { 0.0 } else { 18.0 };
        let gap = if text_width > 0.0 && icon_width > 0.0 { 6.0 } else { 0.0 };
        let content = text_width + icon_width + gap;
        let padding = if self.text.is_empty() { 0.0 } else { 24.0 };
        let height = if self.low { LOW } else { CONTROL };
        let size = vec2(self.width.max(content + padding).max(CONTROL), height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| {
            let role = Role::Button;
            match self.on {
                Some(on) => WidgetInfo::selected(role, ui.is_enabled(), on, self.name),
                None => WidgetInfo::labeled(role, ui.is_enabled(), self.name),
            }
        });
        if ui.is_rect_visible(rect) {
            let (fill, ink) = self.colours(ui, &response);
            let painter = ui.painter();
            painter.rect_filled(rect, RADIUS, fill);
            if response.has_focus() {
                focus_ring(ui, rect);
            }
            let mut x = rect.center().x - content / 2.0;
            if !self.icon.is_empty() {
                let centre = pos2(x + icon_width / 2.0, rect.center().y);
                painter.text(centre, Align2::CENTER_CENTER, self.icon, theme::icon(18.0), ink);
                x += icon_width + gap;
            }
            painter.text(pos2(x, rect.center().y), Align2::LEFT_CENTER, self.text, font, ink);
        }
        tip(ui, response, self.name, self.shortcut)
    }

    fn colours(&self, ui: &Ui, response: &Response) -> (Color32, Color32) {
        let p = palette(ui);
        if !ui.is_enabled() {
            return (if self.quiet { Color32::TRANSPARENT } else { p.control }, p.disabled);
        }
        let down = response.is_pointer_button_down_on();
        if self.primary {
            let fill = if down {
                0.8
            } else if response.hovered() {
                0.9
            } else {
                1.0
            };
            return (p.accent.gamma_multiply(fill), p.on_accent);
        }
        if self.on == Some(true) {
            return (if response.hovered() { p.chosen.gamma_multiply(0.8) } else { p.chosen }, p.text);
        }
        let rest = if self.quiet { Color32::TRANSPARENT } else { p.control };
        let fill = if down {
            p.pressed
        } else if response.hovered() {
            p.hover
        } else {
            rest
        };
        (fill, if self.quiet && !response.hovered() { p.secondary } else { p.text })
    }
}

/// A square button without a word.
pub(crate) fn icon_button(ui: &mut Ui, icon: &str, name: &str, shortcut: &str) -> Response {
    Button::new("").icon(icon).name(name).shortcut(shortcut).quiet().show(ui)
}

/// The width of one line of text, in points.
pub(crate) fn text_width(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::WHITE).size().x
}

/// Marks the control that the keyboard acts on.
pub(super) fn focus_ring(ui: &Ui, rect: egui::Rect) {
    let stroke = Stroke::new(2.0, palette(ui).accent);
    ui.painter().rect_stroke(rect.expand2(Vec2::splat(1.0)), RADIUS, stroke, egui::StrokeKind::Outside);
}
