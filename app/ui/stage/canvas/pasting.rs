use super::page::Sheet;
use crate::theme::palette;
use egui::{
    Color32, ColorImage, CursorIcon, Mesh, Painter, Pos2, Response, Shape, Stroke, TextureHandle, TextureOptions, Ui,
    pos2,
};
use fourstep_canvas::{Pasted, Placement};

/// A pasted picture that is being placed: dragged, and at its handles scaled and turned.
pub(super) struct Pasting {
    pasted: Pasted,
    pub(super) placement: Placement,
    texture: Option<TextureHandle>,
    held: Option<Held>,
}

/// What the pointer holds, and how things were when it took hold.
#[derive(Clone, Copy)]
struct Held {
    handle: Handle,
    from: (f32, f32),
    before: Placement,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Handle {
    Inside,
    Corner,
    Turn,
}

/// How near to a handle the pointer must be, in points.
const REACH: f32 = 14.0;
/// From the upper edge to the handle that turns, in points.
const STEM: f32 = 26.0;
/// With Shift, it turns by steps of this many degrees.
const TURN_STEP_DEGREES: f32 = 15.0;

impl Pasting {
    pub(super) fn new(pasted: Pasted, placement: Placement) -> Self {
        Self { pasted, placement, texture: None, held: None }
    }

    pub(super) fn pasted(&self) -> &Pasted {
        &self.pasted
    }

    pub(super) fn show(&mut self, ui: &Ui, response: &Response, painter: &Painter, sheet: Sheet) {
        self.follow(ui, response, sheet);
        self.draw(ui, painter, sheet);
    }

    fn follow(&mut self, ui: &Ui, response: &Response, sheet: Sheet) {
        let Some(at) = response.interact_pointer_pos().or(response.hover_pos()) else { return };
        let handle = self.handle(at, sheet);
        let icon = match self.held.map(|held| held.handle).or(handle) {
            Some(Handle::Inside) => CursorIcon::Move,
            Some(Handle::Corner) => CursorIcon::ResizeNwSe,
            Some(Handle::Turn) => CursorIcon::Alias,
            None => CursorIcon::Default,
        };
        ui.ctx().set_cursor_icon(icon);
        let down = response.is_pointer_button_down_on() && ui.input(|i| i.pointer.primary_down());
        if !down {
            self.held = None;
        } else if let Some(held) = self.held {
            let by_steps = ui.input(|i| i.modifiers.shift);
            self.placement = held.moved(sheet.to_page(at), by_steps);
        } else if ui.input(|i| i.pointer.primary_pressed()) {
            let from = sheet.to_page(at);
            self.held = handle.map(|handle| Held { handle, from, before: self.placement });
        }
    }

    fn handle(&self, at: Pos2, sheet: Sheet) -> Option<Handle> {
        if self.turn(sheet).distance(at) < REACH {
            return Some(Handle::Turn);
        }
        if self.corners(sheet).iter().any(|corner| corner.distance(at) < REACH) {
            return Some(Handle::Corner);
        }
        let (x, y) = self.placement.to_picture(sheet.to_page(at));
        let size = self.pasted.size();
        (x.abs() <= size.width as f32 / 2.0 && y.abs() <= size.height as f32 / 2.0).then_some(Handle::Inside)
    }

    fn corners(&self, sheet: Sheet) -> [Pos2; 4] {
        self.pasted.corners(&self.placement).map(|corner| sheet.to_window(corner))
    }

    /// Above the middle of what was the upper edge.
    fn turn(&self, sheet: Sheet) -> Pos2 {
        let [a, b, ..] = self.corners(sheet);
        let up =
            (a - sheet.to_window(self.placement.centre) + (b - sheet.to_window(self.placement.centre))).normalized();
        a + (b - a) / 2.0 + up * STEM
    }

    fn draw(&mut self, ui: &Ui, painter: &Painter, sheet: Sheet) {
        let corners = self.corners(sheet);
        let texture = self.texture.get_or_insert_with(|| {
            let size = self.pasted.size();
            let pixels = self.pasted.pixels().iter();
            let pixels = pixels.map(|&[r, g, b, a]| Color32::from_rgba_premultiplied(r, g, b, a)).collect();
            let image = ColorImage::new([size.width as usize, size.height as usize], pixels);
            ui.ctx().load_texture("pasted", image, TextureOptions::LINEAR)
        });
        let mut mesh = Mesh::with_texture(texture.id());
        let uv = [pos2(0.0, 0.0), pos2(1.0, 0.0), pos2(1.0, 1.0), pos2(0.0, 1.0)];
        for (pos, uv) in corners.into_iter().zip(uv) {
            mesh.vertices.push(egui::epaint::Vertex { pos, uv, color: Color32::WHITE });
        }
        mesh.indices.extend([0, 1, 2, 0, 2, 3]);
        painter.add(Shape::mesh(mesh));
        let p = palette(ui);
        painter.add(Shape::closed_line(corners.to_vec(), Stroke::new(1.5, p.accent)));
        let turn = self.turn(sheet);
        painter.line_segment([corners[0] + (corners[1] - corners[0]) / 2.0, turn], Stroke::new(1.5, p.accent));
        for handle in corners.into_iter().chain([turn]) {
            painter.circle(handle, 5.0, p.panel, Stroke::new(1.5, p.accent));
        }
    }
}

impl Held {
    /// Where the picture lies when the pointer has gone to `to`.
    fn moved(&self, to: (f32, f32), by_steps: bool) -> Placement {
        let Self { handle, from, before } = *self;
        let from_middle = |(x, y): (f32, f32)| (x - before.centre.0, y - before.centre.1);
        let (then, now) = (from_middle(from), from_middle(to));
        match handle {
            Handle::Inside => {
                let centre = (before.centre.0 + to.0 - from.0, before.centre.1 + to.1 - from.1);
                Placement { centre, ..before }
            }
            Handle::Corner => {
                let scale = before.scale * now.0.hypot(now.1) / then.0.hypot(then.1).max(1e-3);
                let scale = scale.clamp(*Placement::SCALES.start(), *Placement::SCALES.end());
                Placement { scale, ..before }
            }
            Handle::Turn => {
                let angle = before.angle + now.1.atan2(now.0) - then.1.atan2(then.0);
                let step = TURN_STEP_DEGREES.to_radians();
                Placement { angle: if by_steps { (angle / step).round() * step } else { angle }, ..before }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Placement = Placement { centre: (50.0, 40.0), scale: 2.0, angle: 0.0 };

    fn moved(handle: Handle, from: (f32, f32), to: (f32, f32)) -> Placement {
        Held { handle, from, before: BEFORE }.moved(to, false)
    }

    #[test]
    fn handles_move_scale_and_turn_about_the_middle() {
        assert_eq!(moved(Handle::Inside, (0.0, 0.0), (5.0, -3.0)).centre, (55.0, 37.0));
        assert_eq!(moved(Handle::Corner, (60.0, 40.0), (50.0, 60.0)).scale, 4.0);
        assert_eq!(moved(Handle::Corner, (60.0, 40.0), (50.0, 40.0)).scale, *Placement::SCALES.start());
        let quarter = moved(Handle::Turn, (50.0, 20.0), (70.0, 40.0)).angle;
        assert!((quarter - std::f32::consts::FRAC_PI_2).abs() < 1e-5, "{quarter}");
        let held = Held { handle: Handle::Turn, from: (50.0, 20.0), before: BEFORE };
        assert!((held.moved((66.0, 24.0), true).angle.to_degrees() - 45.0).abs() < 0.1);
    }
}
