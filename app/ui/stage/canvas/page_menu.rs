use super::{Canvas, bar};
use crate::i18n::tr;
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, CONTROL, RADIUS, palette};
use crate::widgets::{Button, NumberField, caption};
use egui::{Align2, Popup, PopupCloseBehavior, Role, Sense, Ui, ViewportCommand, WidgetInfo, pos2, vec2};
use fourstep_canvas::{Layer, Margins};

/// What one does with the page as a whole.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, canvas: &mut Canvas) {
    let name = tr("canvas-page-menu");
    let response = Button::new("").icon(icons::PAGE).name(name).show(ui);
    let popup = Popup::menu(&response).width(260.0).accessible_name(name);
    popup.close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| contents(ui, view, canvas));
}

fn contents(ui: &mut Ui, view: &mut View<'_>, canvas: &mut Canvas) {
    ui.spacing_mut().item_spacing.y = 2.0;
    if entry(ui, icons::PAGE, tr("canvas-new"), true) {
        bar::new_page(canvas, false);
    }
    if entry(ui, icons::FILL, tr("canvas-new-colored"), true) {
        bar::new_page(canvas, true);
    }
    if entry(ui, icons::FOLDER_OPEN, tr("canvas-open"), true) {
        view.want(Intent::ImportPicture);
    }
    if entry(ui, icons::CLIPBOARD, tr("canvas-paste"), true) {
        ui.ctx().send_viewport_cmd(ViewportCommand::RequestPaste);
    }
    let shown = view.session.shown();
    if entry(ui, icons::IMAGE, tr("canvas-over-shown"), shown.is_some())
        && let Some(finished) = shown
    {
        canvas.import(&finished.picture);
    }
    ui.separator();
    if entry(ui, icons::TRASH, tr("canvas-clear-sketch"), !canvas.document.is_layer_blank(Layer::Sketch)) {
        canvas.document.clear_layer(Layer::Sketch);
    }
    if entry(ui, icons::TRASH, tr("canvas-clear-mask"), !canvas.document.is_layer_blank(Layer::Mask)) {
        canvas.document.clear_layer(Layer::Mask);
    }
    if entry(ui, icons::INVERT, tr("canvas-invert-mask"), true) {
        canvas.document.invert_mask();
    }
    ui.separator();
    enlarge(ui, view, canvas);
}

/// Fields for what is added on each side.
fn enlarge(ui: &mut Ui, view: &mut View<'_>, canvas: &mut Canvas) {
    caption(ui, tr("canvas-enlarge-by"));
    let Margins { left, top, right, bottom } = &mut canvas.margins;
    let sides = [
        ("canvas-left", "canvas-left-name", left),
        ("canvas-top", "canvas-top-name", top),
        ("canvas-right", "canvas-right-name", right),
        ("canvas-bottom", "canvas-bottom-name", bottom),
    ];
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for (text, name, px) in sides {
            ui.vertical(|ui| {
                ui.set_width(58.0);
                caption(ui, tr(text));
                if let Some(value) = NumberField::new(tr(name), 58.0).show(ui, u64::from(*px)) {
                    *px = value.min(u64::from(Margins::MOST_PX)) as u32;
                }
            });
        }
    });
    ui.add_space(4.0);
    let button = Button::new(tr("canvas-enlarge")).icon(icons::ENLARGE).name(tr("canvas-enlarge-name")).width(250.0);
    let can = !canvas.margins.is_empty();
    if ui.add_enabled_ui(can, |ui| button.show(ui).clicked()).inner {
        canvas.document.enlarge(canvas.margins, view.session.request().seed);
        ui.close();
    }
}

/// A line of the menu; whether it was clicked.
fn entry(ui: &mut Ui, icon: &str, text: &str, enabled: bool) -> bool {
    let show = |ui: &mut Ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), CONTROL), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), text));
        let p = palette(ui);
        if ui.is_enabled() && (response.hovered() || response.has_focus()) {
            ui.painter().rect_filled(rect, RADIUS, p.hover);
        }
        let (ink, quiet) = if ui.is_enabled() { (p.text, p.secondary) } else { (p.disabled, p.disabled) };
        let at = pos2(rect.left() + 18.0, rect.center().y);
        ui.painter().text(at, Align2::CENTER_CENTER, icon, theme::icon(16.0), quiet);
        let at = pos2(rect.left() + 36.0, rect.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, text, theme::medium(13.0), ink);
        response.clicked()
    };
    let clicked = ui.add_enabled_ui(enabled, show).inner;
    if clicked {
        ui.close();
    }
    clicked
}
