//! What varies, and painting it.

use super::words;
use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, CONTROL, palette};
use crate::widgets::{Button, Cell, dropdown, line, name_it, progress, segmented, tip};
use egui::{Align, Color32, Layout, Margin, Rect, Role, Sense, TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use fourstep_session::{Action, AxisKind, AxisSpec, CellState, GridAction, Session};

/// Height of a row, in points.
const ROW: f32 = 40.0;
/// The line that says what is wrong, or how many pictures there will be.
const NOTE: f32 = 24.0;

/// Both axes as they are typed.
pub(super) struct Setup {
    axes: [AxisSpec; 2],
}

impl Setup {
    fn new(session: &Session) -> Self {
        let axis = |kind: AxisKind| AxisSpec { text: session.axis_values(&kind), kind };
        Self { axes: [axis(AxisKind::Seed), axis(AxisKind::Steps)] }
    }
}

/// The rows above the grid.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, setup: &mut Option<Setup>) {
    let setup = setup.get_or_insert_with(|| Setup::new(view.session));
    let around = view.session.neighbours().cloned();
    let row = next(ui, ROW);
    inside(ui, row, |ui| {
        modes(ui, view, around.is_some());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| buttons(ui, view, setup, around.is_some()));
    });
    let row = next(ui, ROW);
    match &around {
        Some(rows) => inside(ui, row, |ui| neighbours(ui, view, rows)),
        None => {
            axes(ui, view, row, setup);
            let row = next(ui, NOTE);
            note(ui, view, row, setup);
        }
    }
}

fn next(ui: &mut Ui, height: f32) -> Rect {
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover()).0
}

fn inside(ui: &mut Ui, row: Rect, add: impl FnOnce(&mut Ui)) {
    let layout = Layout::left_to_right(Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(row).layout(layout), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        add(ui);
    });
}

fn modes(ui: &mut Ui, view: &mut View<'_>, around: bool) {
    let cells =
        [Cell::new(tr("grid-own"), tr("grid-own-name")), Cell::new(tr("grid-neighbours"), tr("grid-neighbours-name"))];
    ui.allocate_ui(vec2(200.0, CONTROL), |ui| {
        let clicked = segmented(ui, &cells, Some(usize::from(around)));
        let rows = view.session.neighbour_kinds().into_iter().next();
        match clicked {
            Some(0) => view.act(Action::Grid(GridAction::Neighbours(None))),
            Some(_) => view.act(Action::Grid(GridAction::Neighbours(rows))),
            None => {}
        }
    });
}

/// From the right edge inwards.
fn buttons(ui: &mut Ui, view: &mut View<'_>, setup: &Setup, around: bool) {
    let cells = view.session.grid().cells();
    let any = cells.iter().any(|cell| matches!(cell.state, CellState::Finished { .. }));
    let save = Button::new("").icon(icons::DOWNLOAD).name(tr("grid-save"));
    if ui.add_enabled_ui(any, |ui| save.show(ui).clicked()).inner {
        view.want(Intent::SaveGrid);
    }
    if !around {
        let read = setup.axes.each_ref().map(|axis| view.session.read_axis(axis).is_ok());
        let paint = Button::new(tr("grid-paint")).icon(icons::BRUSH).primary(cells.is_empty());
        if ui.add_enabled_ui(read == [true; 2], |ui| paint.show(ui).clicked()).inner {
            let [columns, rows] = setup.axes.clone();
            view.act(Action::Grid(GridAction::Start { columns, rows }));
        }
    }
    let far = view.session.grid_progress();
    if far.done == far.total {
        return;
    }
    let (text, icon, action) = match far.stopped {
        true => (tr("grid-resume"), icons::PLAY, GridAction::Resume),
        false => (tr("grid-stop"), icons::STOP, GridAction::Stop),
    };
    if Button::new("").icon(icon).name(text).show(ui).clicked() {
        view.act(Action::Grid(action));
    }
}

fn axes(ui: &mut Ui, view: &View<'_>, row: Rect, setup: &mut Setup) {
    let names = [tr("grid-columns"), tr("grid-rows")];
    let (left, right) = row.split_left_right_at_x(row.center().x);
    for (i, place) in
        [left.with_max_x(left.right() - 6.0), right.with_min_x(right.left() + 6.0)].into_iter().enumerate()
    {
        inside(ui, place, |ui| axis(ui, view, names[i], &mut setup.axes[i]));
    }
}

fn axis(ui: &mut Ui, view: &View<'_>, name: &'static str, spec: &mut AxisSpec) {
    let kinds = view.session.axis_kinds();
    let labels: Vec<String> = kinds.iter().map(|kind| words::kind(kind, view.session)).collect();
    let chosen = kinds.iter().position(|kind| *kind == spec.kind);
    let width = (ui.available_width() * 0.42).min(168.0);
    ui.allocate_ui(vec2(width, CONTROL), |ui| {
        let shown = words::kind(&spec.kind, view.session);
        if let Some(at) = dropdown(ui, name, &shown, &labels, chosen) {
            *spec = AxisSpec { kind: kinds[at].clone(), text: view.session.axis_values(&kinds[at]) };
        }
    });
    ui.add_enabled_ui(spec.kind != AxisKind::Nothing, |ui| {
        let edit = TextEdit::singleline(&mut spec.text).margin(Margin::symmetric(8, 7)).desired_width(f32::INFINITY);
        let response = ui.add_sized(vec2(ui.available_width(), CONTROL), edit);
        name_it(ui, &response, &tr_with("grid-values", &[("axis", name.into())]));
        tip(ui, response, words::hint(&spec.kind), "");
    });
}

fn neighbours(ui: &mut Ui, view: &mut View<'_>, rows: &AxisKind) {
    let kinds = view.session.neighbour_kinds();
    let labels: Vec<String> = kinds.iter().map(|kind| words::kind(kind, view.session)).collect();
    let chosen = kinds.iter().position(|kind| kind == rows);
    ui.label(egui::RichText::new(tr("grid-around")).font(theme::regular(13.0)).color(palette(ui).secondary));
    ui.allocate_ui(vec2(168.0, CONTROL), |ui| {
        let shown = words::kind(rows, view.session);
        if let Some(at) = dropdown(ui, tr("grid-rows"), &shown, &labels, chosen) {
            view.act(Action::Grid(GridAction::Neighbours(Some(kinds[at].clone()))));
        }
    });
    let rest = ui.available_rect_before_wrap();
    far(ui, view, rest);
}

/// What is wrong with what is typed; else how far the grid is, or how large it will be.
fn note(ui: &Ui, view: &View<'_>, row: Rect, setup: &Setup) {
    let read = setup.axes.each_ref().map(|axis| view.session.read_axis(axis));
    if let Some(error) = read.iter().find_map(|counted| counted.as_ref().err()) {
        say(ui, row, &words::error(error), palette(ui).error);
    } else if !far(ui, view, row)
        && let [Ok(columns), Ok(rows)] = read
    {
        let text = tr_with("grid-size", &[("columns", columns.into()), ("rows", rows.into())]);
        say(ui, row, &text, palette(ui).secondary);
    }
}

/// How far a grid is that is not whole yet; whether there is one.
fn far(ui: &Ui, view: &View<'_>, place: Rect) -> bool {
    let far = view.session.grid_progress();
    if far.done == far.total {
        return false;
    }
    let counts = tr_with("grid-progress", &[("done", far.done.into()), ("total", far.total.into())]);
    let length = (place.width() * 0.3).min(160.0);
    let bar = Rect::from_min_size(pos2(place.left(), place.center().y - 3.0), vec2(length, 6.0));
    progress(ui, bar, &counts, far.done as f32 / far.total as f32);
    let left = far.secs_left.filter(|_| !far.stopped);
    let text = left.map_or(counts.clone(), |secs| format!("{counts} · {}", crate::words::time_left(secs)));
    say(ui, place.with_min_x(bar.right() + 12.0), &text, palette(ui).secondary);
    true
}

fn say(ui: &Ui, place: Rect, text: &str, ink: Color32) {
    let response = ui.interact(place, ui.scope_id().with("note"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, text));
    line(ui, place, text, theme::regular(12.0), ink);
}
