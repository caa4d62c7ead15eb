use super::button::focus_ring;
use super::tip;
use crate::theme::{self, CONTROL, RADIUS, palette};
use egui::{Align2, Color32, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// One choice of a [`segmented`] control.
#[derive(Clone, Debug)]
pub(crate) struct Cell<'a> {
    /// What it reads.
    pub text: &'a str,
    /// What a screen reader and the tooltip say.
    pub name: &'a str,
    /// Shown in the tooltip.
    pub shortcut: &'a str,
    /// Width / height of a little frame drawn above the text.
    pub aspect: Option<f32>,
}

impl<'a> Cell<'a> {
    /// A cell that reads `text` and is called `name`.
    pub(crate) fn new(text: &'a str, name: &'a str) -> Self {
        Self { text, name, shortcut: "", aspect: None }
    }
}

/// A row of cells as wide as the panel, of which at most one is chosen; the index of the one clicked.
pub(crate) fn segmented(ui: &mut Ui, cells: &[Cell<'_>], chosen: Option<usize>) -> Option<usize> {
    let p = palette(ui);
    let framed = cells.iter().any(|c| c.aspect.is_some());
    let height = if framed { 48.0 } else { CONTROL };
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    ui.painter().rect_filled(rect, RADIUS, p.field);
    let width = rect.width() / cells.len().max(1) as f32;
    let mut clicked = None;
    for (i, cell) in cells.iter().enumerate() {
        let left = rect.left() + width * i as f32;
        let area = Rect::from_min_size(pos2(left, rect.top()), vec2(width, height));
        if show_cell(ui, area, cell, chosen == Some(i)) {
            clicked = Some(i);
        }
    }
    ui.painter().rect_stroke(rect, RADIUS, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    clicked
}

fn show_cell(ui: &mut Ui, area: Rect, cell: &Cell<'_>, chosen: bool) -> bool {
    let p = palette(ui);
    let id = ui.scope_id().with(("cell", cell.name));
    let response = ui.interact(area, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, cell.name));
    let inner = area.shrink(3.0);
    let fill = match (chosen, response.hovered() && ui.is_enabled()) {
        (true, _) => p.chosen,
        (false, true) => p.control,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(inner, 4.0, fill);
    if chosen {
        ui.painter().rect_stroke(inner, 4.0, Stroke::new(1.0, p.accent), StrokeKind::Inside);
    }
    if response.has_focus() {
        focus_ring(ui, inner);
    }
    let ink = match (ui.is_enabled(), chosen) {
        (false, _) => p.disabled,
        (true, true) => p.text,
        (true, false) => p.secondary,
    };
    let mut centre = area.center();
    if let Some(aspect) = cell.aspect {
        let side = 14.0;
        let size = if aspect >= 1.0 { vec2(side, side / aspect) } else { vec2(side * aspect, side) };
        let frame = Rect::from_center_size(pos2(centre.x, area.top() + 16.0), size);
        ui.painter().rect_stroke(frame, 1.5, Stroke::new(1.5, ink), StrokeKind::Middle);
        centre.y = area.bottom() - 14.0;
    }
    let tight = area.width() < 52.0 && cell.text.chars().count() > 4;
    let font = theme::medium(if tight { 12.0 } else { 13.0 });
    ui.painter().text(centre, Align2::CENTER_CENTER, cell.text, font, ink);
    tip(ui, response, cell.name, cell.shortcut).clicked()
}
