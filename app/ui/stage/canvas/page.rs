use super::{Canvas, kit::Tool};
use crate::i18n::tr;
use crate::stage::{Zoom, picture::wheel};
use crate::theme::palette;
use egui::{
    Color32, CursorIcon, Event, Id, PointerButton, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, TouchPhase,
    Ui, Vec2, WidgetInfo, vec2,
};
use fourstep_canvas::{Dab, Shape};

/// The page's place among the controls.
pub(super) fn id() -> Id {
    Id::unique("canvas page")
}

/// Where the page lies, to go between the window's points and its pixels.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
    place: Rect,
    scale: f32,
}

impl Sheet {
    pub(super) fn to_page(self, at: Pos2) -> (f32, f32) {
        let Vec2 { x, y } = (at - self.place.min) / self.scale;
        (x, y)
    }

    pub(super) fn to_window(self, (x, y): (f32, f32)) -> Pos2 {
        self.place.min + vec2(x, y) * self.scale
    }
}

pub(super) fn show(ui: &mut Ui, canvas: &mut Canvas, zoom: &mut Zoom, area: Rect) {
    let size = canvas.document.size();
    let size = vec2(size.width as f32, size.height as f32);
    let response = ui.interact(area, id(), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, tr("canvas-page")));
    look(ui, &response, area, zoom, size);
    let sheet = Sheet { place: zoom.rect(area, size), scale: zoom.scale(area, size) };
    let painter = ui.painter().with_clip_rect(area);
    canvas.skin.draw(&painter, sheet.place);
    painter.rect_stroke(sheet.place, 0.0, (1.0, palette(ui).hairline), StrokeKind::Outside);
    if let Some(pasting) = &mut canvas.pasting {
        pasting.show(ui, &response, &painter, sheet);
        return;
    }
    draw(ui, &response, canvas, sheet);
    if let Some(at) = response.hover_pos().filter(|_| response.contains_pointer()) {
        cursor(ui, canvas, at, sheet.scale);
    }
}

/// The wheel zooms; the middle button drags.
fn look(ui: &Ui, response: &Response, area: Rect, zoom: &mut Zoom, size: Vec2) {
    if response.dragged_by(PointerButton::Middle) {
        *zoom = zoom.panned(area, size, response.drag_delta());
    }
    wheel(ui, response, area, zoom, size);
}

/// Follows every movement of the pointer since the last frame, not only where it is now: a quick stroke stays round.
fn draw(ui: &Ui, response: &Response, canvas: &mut Canvas, sheet: Sheet) {
    let begins = response.is_pointer_button_down_on();
    if begins && ui.input(|i| i.pointer.primary_pressed()) {
        // Keys are the canvas's from here on, and the window's shortcuts where it has none.
        ui.memory_mut(|m| m.focused().inspect(|focused| m.surrender_focus(*focused)));
    }
    let mut pressure = canvas.pressure;
    ui.input(|i| {
        for event in &i.events {
            match event {
                Event::Touch { force, phase, .. } => {
                    let over = matches!(phase, TouchPhase::End | TouchPhase::Cancel);
                    pressure = force.filter(|force| !over && *force > 0.0);
                }
                Event::PointerButton { pos, button: PointerButton::Primary, pressed: true, .. } if begins => {
                    begin(canvas, sheet.to_page(*pos), pressure);
                }
                Event::PointerMoved(pos) => go_on(canvas, sheet.to_page(*pos), pressure),
                Event::PointerButton { pos, button: PointerButton::Primary, pressed: false, .. } => {
                    go_on(canvas, sheet.to_page(*pos), pressure);
                    canvas.begun = None;
                    canvas.document.end();
                }
                Event::PointerGone => {
                    canvas.begun = None;
                    canvas.document.end();
                }
                _ => {}
            }
        }
    });
    canvas.pressure = pressure;
}

fn begin(canvas: &mut Canvas, at: (f32, f32), pressure: Option<f32>) {
    let kit = &mut canvas.kit;
    canvas.begun = Some(at);
    match kit.tool {
        Tool::Eyedropper => kit.color = canvas.document.color_at(at.0, at.1).unwrap_or(kit.color),
        Tool::Fill => canvas.document.fill(kit.layer, at, kit.ink(), kit.brush.opacity, kit.tolerance),
        _ => {
            canvas.document.begin(kit.layer, kit.ink(), kit.brush);
            go_on(canvas, at, pressure);
        }
    }
}

fn go_on(canvas: &mut Canvas, at: (f32, f32), pressure: Option<f32>) {
    let Some(from) = canvas.begun else { return };
    let kit = &mut canvas.kit;
    match kit.tool.shape() {
        Some(kind) => canvas.document.shape(&Shape { kind, from, to: at, filled: kit.filled }),
        None if kit.tool == Tool::Eyedropper => {
            kit.color = canvas.document.color_at(at.0, at.1).unwrap_or(kit.color);
        }
        None => canvas.document.sweep(Dab { x: at.0, y: at.1, pressure: pressure.unwrap_or(1.0) }),
    }
}

/// How wide the tool is, in black and white to be seen on everything.
fn cursor(ui: &Ui, canvas: &Canvas, at: Pos2, scale: f32) {
    ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
    let radius = canvas.kit.brush.size_px * scale / 2.0;
    if canvas.kit.tool.has_width() && radius > 3.0 {
        ui.painter().circle_stroke(at, radius, Stroke::new(2.0, Color32::from_black_alpha(120)));
        ui.painter().circle_stroke(at, radius, Stroke::new(1.0, Color32::from_white_alpha(220)));
    }
}
