//! The cells: pictures, and what stands at their rows and columns.

use super::GridView;
use crate::i18n::{self, tr, tr_with};
use crate::icons;
use crate::intent::View;
use crate::theme::{self, palette};
use crate::top_bar::duration;
use crate::widgets::{line, text_width, tip};
use egui::{Align2, Color32, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};
use fourstep_session::{Action, Cell, CellState, GridAction};

/// Between cells, in points.
const GAP: f32 = 4.0;
/// Height of the labels above.
const ABOVE: f32 = 22.0;
/// Labels beside take no more than this.
const WIDEST: f32 = 120.0;
/// A cell is no smaller than this; where they do not fit, they scroll.
const SMALLEST: f32 = 64.0;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, grid: &mut GridView) {
    let area = ui.available_rect_before_wrap();
    let session = view.session;
    let cells = session.grid().cells();
    if cells.is_empty() {
        return empty(ui, area, if session.neighbours().is_some() { tr("grid-none-around") } else { tr("grid-none") });
    }
    let [columns, rows] = session.grid().labels();
    let font = || theme::medium(12.0);
    let widest = rows.iter().map(|label| text_width(ui, label, font())).fold(0.0, f32::max);
    let beside = if widest > 0.0 { widest.min(WIDEST) + 10.0 } else { 0.0 };
    let cell = cell_size(area.size() - vec2(beside, ABOVE), [columns.len(), rows.len()], &cells[0]);
    let mut pointed = None;
    ScrollArea::both().id_salt("grid").auto_shrink(false).show(ui, |ui| {
        let counts = vec2(columns.len() as f32, rows.len() as f32);
        let size = vec2(beside, ABOVE) + (cell + Vec2::splat(GAP)) * counts - Vec2::splat(GAP);
        let (room, _) = ui.allocate_exact_size(size.max(vec2(area.width(), 0.0)), Sense::hover());
        let whole = Rect::from_min_size(pos2(room.center().x - size.x / 2.0, room.top()), size);
        let origin = whole.min + vec2(beside, ABOVE);
        let ink = palette(ui).secondary;
        for (x, label) in columns.iter().enumerate() {
            let place =
                Rect::from_min_size(pos2(origin.x + x as f32 * (cell.x + GAP), whole.top()), vec2(cell.x, ABOVE));
            line(ui, place, label, font(), ink);
        }
        for (y, label) in rows.iter().enumerate() {
            let top = origin.y + y as f32 * (cell.y + GAP);
            let place = Rect::from_min_size(pos2(whole.left(), top), vec2(beside - 10.0, cell.y));
            line(ui, place, label, font(), ink);
        }
        for (index, one) in cells.iter().enumerate() {
            let (x, y) = (index % columns.len(), index / columns.len());
            let at = origin + (cell + Vec2::splat(GAP)) * vec2(x as f32, y as f32);
            let place = Rect::from_min_size(at, cell);
            let name = format!("{} {}", columns[x], rows[y]);
            if show_cell(ui, view, grid, place, (index, one), name.trim()) {
                pointed = Some(index);
            }
        }
    });
    if grid.pointed != pointed {
        grid.pointed = pointed;
        view.act(Action::Grid(GridAction::Point(pointed)));
    }
}

/// As large as fits, with the shape of the pictures.
fn cell_size(area: Vec2, [columns, rows]: [usize; 2], cell: &Cell) -> Vec2 {
    let aspect = cell.request.size.width as f32 / cell.request.size.height.max(1) as f32;
    let width = (area.x + GAP) / columns as f32 - GAP;
    let height = (area.y + GAP) / rows as f32 - GAP;
    let width = width.min(height * aspect).max(SMALLEST * aspect.max(1.0));
    vec2(width, width / aspect).floor()
}

/// Draws a cell; whether the pointer is on it.
fn show_cell(
    ui: &Ui,
    view: &mut View<'_>,
    grid: &GridView,
    place: Rect,
    (index, cell): (usize, &Cell),
    name: &str,
) -> bool {
    let p = palette(ui);
    let response = ui.interact(place, ui.scope_id().with(("cell", index)), Sense::click());
    let state = words(cell);
    let label = tr_with("grid-cell", &[("name", name.into()), ("state", state.as_str().into())]);
    let is_current = *view.session.request() == cell.request;
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_current, &label));
    if ui.is_rect_visible(place) {
        let painter = ui.painter();
        let centre = |icon: &str, ink: Color32| {
            painter.text(place.center(), Align2::CENTER_CENTER, icon, theme::icon(20.0), ink);
        };
        match (&cell.state, grid.textures.get(index).and_then(Option::as_ref)) {
            (CellState::Finished { .. }, Some((_, texture))) => {
                let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
                let size = texture.size_vec2();
                let fitted = size * (place.width() / size.x).min(place.height() / size.y);
                painter.image(texture.id(), Rect::from_center_size(place.center(), fitted), whole, Color32::WHITE);
            }
            (CellState::Failed(_), _) => centre(icons::WARNING, p.error),
            (CellState::Impossible(_), _) => centre(icons::PROHIBIT, p.disabled),
            _ => {
                painter.rect_stroke(place, 2.0, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
            }
        }
        if let CellState::Painting(fraction) = cell.state {
            let bar = Rect::from_center_size(place.center(), vec2(place.width() * 0.6, 5.0));
            painter.rect_filled(bar, 2.5, p.outline);
            painter.rect_filled(bar.with_max_x(bar.left() + bar.width() * fraction), 2.5, p.accent);
        }
        if is_current || response.hovered() || response.has_focus() {
            let ink = if is_current { p.accent } else { p.text };
            painter.rect_stroke(place, 2.0, Stroke::new(2.0, ink), StrokeKind::Inside);
        }
    }
    let pointed = response.contains_pointer();
    if response.clicked() {
        view.act(Action::Restore(Box::new(cell.request.clone())));
    }
    tip(ui, response, &label, tr("grid-cell-tip"));
    pointed
}

fn words(cell: &Cell) -> String {
    match &cell.state {
        CellState::Waiting => tr("grid-waiting").to_owned(),
        CellState::Painting(_) => tr("grid-painting").to_owned(),
        CellState::Finished { timings, .. } => duration(timings.total_secs),
        CellState::Failed(failure) => i18n::failure(failure).to_string(),
        CellState::Impossible(why) => why.clone(),
    }
}

fn empty(ui: &Ui, area: Rect, text: &str) {
    let p = palette(ui);
    let galley = ui.painter().layout(text.to_owned(), theme::regular(14.0), p.secondary, area.width().min(420.0));
    let place = Align2::CENTER_CENTER.anchor_size(area.center(), galley.size());
    ui.painter().galley(place.min, galley, p.secondary);
}
