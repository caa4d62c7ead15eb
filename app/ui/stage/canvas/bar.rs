use super::{
    Canvas, PAPER, STRENGTH,
    kit::{SIZES, Tool},
    page_menu,
};
use crate::i18n::tr;
use crate::icons;
use crate::intent::View;
use crate::theme::{CONTROL, RADIUS, palette};
use crate::widgets::{Button, Cell, Slider, caption, caption_row, icon_button, segmented, tip};
use egui::{
    Align, Color32, Layout, Popup, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, color_picker, vec2,
};
use fourstep_canvas::Layer;
use fourstep_protocol::Mask;

/// Below this many points, buttons are icons only and sliders narrow.
const NARROW: f32 = 700.0;

/// Height of the name above a control, in points.
const CAPTION: f32 = 20.0;

/// The column of tools, and what takes a stroke back.
pub(super) fn tools(ui: &mut Ui, canvas: &mut Canvas) {
    ui.spacing_mut().item_spacing.y = 2.0;
    for offer in Tool::ALL {
        let button = Button::new("").icon(offer.icon).name(tr(offer.name)).shortcut(offer.key.name()).quiet();
        if button.on(canvas.kit.tool == offer.tool).show(ui).clicked() {
            canvas.kit.tool = offer.tool;
        }
    }
    ui.add_space(6.0);
    let undo = ui.add_enabled_ui(canvas.document.can_undo(), |ui| {
        icon_button(ui, icons::UNDO, tr("canvas-undo"), "Ctrl+Z").clicked()
    });
    if undo.inner {
        canvas.document.undo();
    }
    let redo = ui.add_enabled_ui(canvas.document.can_redo(), |ui| {
        icon_button(ui, icons::REDO, tr("canvas-redo"), "Ctrl+Y").clicked()
    });
    if redo.inner {
        canvas.document.redo();
    }
}

/// How the tool draws, and below it what is painted of the page.
pub(super) fn settings(ui: &mut Ui, view: &mut View<'_>, canvas: &mut Canvas) {
    let narrow = ui.available_width() < NARROW;
    ui.spacing_mut().item_spacing = vec2(if narrow { 8.0 } else { 12.0 }, 4.0);
    ui.horizontal_top(|ui| match canvas.pasting {
        Some(_) => placing(ui, canvas),
        None => tool(ui, canvas, narrow),
    });
    ui.horizontal_top(|ui| painting(ui, view, canvas, narrow));
}

/// What becomes of a pasted picture.
fn placing(ui: &mut Ui, canvas: &mut Canvas) {
    ui.vertical(|ui| {
        caption(ui, tr("canvas-placing"));
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let place = Button::new(tr("canvas-place")).icon(icons::CHECK).shortcut("Enter").primary(true);
            if place.show(ui).clicked() {
                canvas.place();
            }
            if Button::new(tr("canvas-discard")).icon(icons::X).shortcut("Esc").show(ui).clicked() {
                canvas.pasting = None;
            }
        });
    });
}

fn tool(ui: &mut Ui, canvas: &mut Canvas, narrow: bool) {
    let kit = &mut canvas.kit;
    let width = if narrow { 94.0 } else { 120.0 };
    ui.vertical(|ui| {
        ui.set_width(3.0 * CONTROL + 12.0);
        caption(ui, tr("canvas-colors"));
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            swatch(ui, tr("canvas-color"), &mut kit.color);
            swatch(ui, tr("canvas-other-color"), &mut kit.other);
            if icon_button(ui, icons::SWAP, tr("canvas-swap-colors"), "X").clicked() {
                kit.swap_colors();
            }
        });
    });
    if kit.tool.has_width() {
        let text = format!("{:.0} px", kit.brush.size_px);
        // The root spreads narrow brushes over more of the slider.
        let range = SIZES.start().sqrt()..=SIZES.end().sqrt();
        let slider = Slider::new(tr("canvas-size"), range, 0.25, 0.05).tooltip(tr("canvas-size-tip")).reset(4.0);
        if let Some(root) = knob(ui, tr("canvas-size"), &text, width, slider, kit.brush.size_px.sqrt()) {
            kit.brush.size_px = (root * root).round().clamp(*SIZES.start(), *SIZES.end());
        }
        let slider = Slider::new(tr("canvas-hardness"), 0.0..=1.0, 0.05, 0.01).reset(0.9);
        let text = percent(kit.brush.hardness);
        if let Some(hardness) = knob(ui, tr("canvas-hardness"), &text, width, slider, kit.brush.hardness) {
            kit.brush.hardness = hardness;
        }
    }
    if kit.tool != Tool::Eyedropper {
        let slider = Slider::new(tr("canvas-opacity"), 0.05..=1.0, 0.05, 0.01).reset(1.0);
        let text = percent(kit.brush.opacity);
        if let Some(opacity) = knob(ui, tr("canvas-opacity"), &text, width, slider, kit.brush.opacity) {
            kit.brush.opacity = opacity;
        }
    }
    if kit.tool == Tool::Fill {
        let slider = Slider::new(tr("canvas-tolerance"), 0.0..=128.0, 4.0, 1.0).reset(24.0);
        let text = kit.tolerance.to_string();
        if let Some(tolerance) = knob(ui, tr("canvas-tolerance"), &text, width, slider, f32::from(kit.tolerance)) {
            kit.tolerance = tolerance.round() as u8;
        }
    }
    if matches!(kit.tool, Tool::Rectangle | Tool::Ellipse) {
        ui.vertical(|ui| {
            ui.add_space(CAPTION + ui.spacing().item_spacing.y);
            let button = Button::new(tr("canvas-filled")).name(tr("canvas-filled-name")).quiet().on(kit.filled);
            if button.show(ui).clicked() {
                kit.filled = !kit.filled;
            }
        });
    }
}

fn painting(ui: &mut Ui, view: &mut View<'_>, canvas: &mut Canvas, narrow: bool) {
    ui.vertical(|ui| {
        ui.set_width(if narrow { 120.0 } else { 148.0 });
        caption(ui, tr("canvas-layer"));
        layers(ui, canvas);
    });
    let width = if narrow { 84.0 } else { 120.0 };
    let slider = Slider::new(tr("canvas-strength"), 0.1..=1.0, 0.05, 0.01).reset(STRENGTH);
    let slider = slider.tooltip(tr("canvas-strength-tip"));
    let text = percent(canvas.strength);
    if let Some(strength) = knob(ui, tr("canvas-strength"), &text, width, slider, canvas.strength) {
        canvas.strength = strength;
    }
    if canvas.kit.layer == Layer::Mask || !canvas.document.is_layer_blank(Layer::Mask) {
        margin(ui, ("canvas-grow", "canvas-grow-tip"), if narrow { 68.0 } else { 88.0 }, &mut canvas.grow_px);
        margin(ui, ("canvas-feather", "canvas-feather-tip"), if narrow { 86.0 } else { 96.0 }, &mut canvas.feather_px);
    }
    let mut rest = ui.available_rect_before_wrap();
    rest.min.y += CAPTION + ui.spacing().item_spacing.y;
    let builder = UiBuilder::new().max_rect(rest).layout(Layout::right_to_left(Align::Min));
    let mut right = ui.new_child(builder);
    right.spacing_mut().item_spacing.x = 6.0;
    page_menu::show(&mut right, view, canvas);
    keep(&mut right, view, canvas, narrow);
}

fn layers(ui: &mut Ui, canvas: &mut Canvas) {
    const LAYERS: [Layer; 2] = [Layer::Sketch, Layer::Mask];
    let cells = [
        Cell::new(tr("canvas-sketch"), tr("canvas-sketch-name")),
        Cell::new(tr("canvas-mask"), tr("canvas-mask-name")),
    ];
    let chosen = LAYERS.iter().position(|layer| *layer == canvas.kit.layer);
    if let Some(clicked) = segmented(ui, &cells, chosen) {
        canvas.kit.layer = LAYERS[clicked];
    }
}

fn margin(ui: &mut Ui, (name, tooltip): (&'static str, &'static str), width: f32, px: &mut u32) {
    let most = (*Mask::MARGIN_PX.end()).min(64) as f32;
    let slider = Slider::new(tr(name), 0.0..=most, 2.0, 1.0).tooltip(tr(tooltip)).reset(8.0);
    if let Some(value) = knob(ui, tr(name), &format!("{px} px"), width, slider, *px as f32) {
        *px = value.round() as u32;
    }
}

/// What is painted becomes what is painted over.
fn keep(ui: &mut Ui, view: &mut View<'_>, canvas: &mut Canvas, narrow: bool) {
    let painted = view.session.shown().filter(|finished| finished.request.init.is_some());
    ui.add_enabled_ui(painted.is_some(), |ui| {
        let text = if narrow { "" } else { tr("canvas-keep") };
        let button = Button::new(text).icon(icons::CHECK).name(tr("canvas-keep-name"));
        if let Some(finished) = painted.filter(|_| button.show(ui).clicked()) {
            canvas.document.keep(&finished.picture);
        }
    });
}

/// A slider below its name and value.
fn knob(ui: &mut Ui, name: &str, text: &str, width: f32, slider: Slider<'_>, value: f32) -> Option<f32> {
    let show = |ui: &mut Ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 0.0;
        caption_row(ui, name, text, palette(ui).text);
        slider.compact().show(ui, value)
    };
    ui.vertical(show).inner
}

fn percent(share: f32) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A colour; a click opens the picker.
fn swatch(ui: &mut Ui, name: &str, color: &mut [u8; 3]) {
    let [r, g, b] = *color;
    let (rect, response) = ui.allocate_exact_size(vec2(CONTROL, CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ColorWell, true, format!("{name} #{r:02x}{g:02x}{b:02x}")));
    ui.painter().rect_filled(rect, RADIUS, Color32::from_rgb(r, g, b));
    let line = if response.hovered() || response.has_focus() { palette(ui).accent } else { palette(ui).outline };
    ui.painter().rect_stroke(rect, RADIUS, Stroke::new(2.0, line), StrokeKind::Inside);
    let response = tip(ui, response, name, "");
    Popup::menu(&response).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        let mut picked = Color32::from_rgb(r, g, b);
        ui.spacing_mut().slider_width = 220.0;
        if color_picker::color_picker_color32(ui, &mut picked, color_picker::Alpha::Opaque) {
            *color = [picked.r(), picked.g(), picked.b()];
        }
    });
}

/// Blank paper in the colour in hand.
pub(super) fn new_page(canvas: &mut Canvas, colored: bool) {
    canvas.pasting = None;
    canvas.document.clear(if colored { canvas.kit.color } else { PAPER });
}
