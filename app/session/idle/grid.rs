//! Pictures in rows and columns, each with a setting of its own.

use super::{Customer, axis::Axis};
use crate::{AxisKind, Session, Tab};
use fourstep_protocol::{Event, Failure, LoraRef, ModelRef, Picture, Request, Timings};
use std::sync::Arc;

/// A grid: cells row by row.
#[derive(Debug, Default)]
pub struct Grid {
    axes: Option<[Axis; 2]>,
    cells: Vec<Cell>,
    /// The cell under the pointer.
    pub(super) pointed: Option<usize>,
    pub(super) stopped: bool,
    /// The model and LoRAs of the last cell that was painted: going on with them saves loading.
    loaded: Option<Weights>,
}

type Weights = (ModelRef, Vec<LoraRef>);

/// One picture of a grid.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its settings, as they would be typed.
    pub request: Request,
    /// What is painted.
    pub(super) spoken: Request,
    /// How far it is.
    pub state: CellState,
}

/// How far a cell is.
#[derive(Clone, Debug)]
pub enum CellState {
    /// It is painted when there is nothing else to do.
    Waiting,
    /// Its model is being loaded, or it is being painted: 0 … 1.
    Painting(f32),
    /// It is there.
    Finished {
        /// What it looks like.
        picture: Arc<Picture>,
        /// Where its time went.
        timings: Timings,
    },
    /// It could not be painted.
    Failed(Failure),
    /// These settings do not go together; a sentence without a full stop.
    Impossible(String),
}

/// How far a grid is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Cells with nothing more to come.
    pub done: usize,
    /// All cells.
    pub total: usize,
    /// Seconds that the others will take, where it can be told.
    pub secs_left: Option<f64>,
    /// It was stopped before it was whole.
    pub stopped: bool,
}

impl Grid {
    /// Around `base`, with pictures of `before` where they are the same.
    pub(super) fn new(base: &Request, axes: [Axis; 2], session: &Session, before: Self) -> Self {
        let mut cells = Vec::new();
        for row in &axes[1].values {
            for column in &axes[0].values {
                let mut request = base.clone();
                let mut values = [column, row];
                values.sort_by_key(|value| value.rank());
                values.iter().for_each(|value| value.apply(&mut request, session));
                cells.push(Cell::new(request, session));
            }
        }
        for old in before.cells.into_iter().filter(|cell| matches!(cell.state, CellState::Finished { .. })) {
            for cell in cells.iter_mut().filter(|cell| cell.spoken == old.spoken) {
                cell.state = old.state.clone();
            }
        }
        Self { axes: Some(axes), cells, pointed: None, stopped: false, loaded: before.loaded }
    }

    /// What the columns vary, and what the rows.
    pub fn kinds(&self) -> Option<[&AxisKind; 2]> {
        self.axes.as_ref().map(|axes| axes.each_ref().map(|axis| &axis.kind))
    }

    /// What stands above the columns, and what beside the rows.
    pub fn labels(&self) -> [Vec<&str>; 2] {
        let labels = |axis: usize| {
            let axis = self.axes.as_ref().map(|axes| &axes[axis]);
            axis.into_iter().flat_map(|axis| &axis.values).map(|value| value.label.as_str()).collect()
        };
        [labels(0), labels(1)]
    }

    /// Row by row; none where there is no grid yet.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// How far it is.
    pub fn progress(&self, session: &Session) -> Progress {
        let (mut left, mut secs, mut painted, mut done) = (0.0, 0.0, 0.0, 0);
        for cell in &self.cells {
            let work = cell.work(session);
            match &cell.state {
                CellState::Waiting => left += work,
                CellState::Painting(fraction) => left += work * f64::from(1.0 - fraction),
                CellState::Finished { timings, .. } => {
                    secs += timings.total_secs;
                    painted += work;
                    done += 1;
                }
                CellState::Failed(_) | CellState::Impossible(_) => done += 1,
            }
        }
        let secs_left = (painted > 0.0 && left > 0.0).then(|| left * secs / painted);
        let total = self.cells.len();
        Progress { done, total, secs_left, stopped: self.stopped && done < total }
    }

    /// The picture of these settings is there already.
    pub(super) fn fill_in(&mut self, spoken: &Request, picture: &Arc<Picture>, timings: &Timings) {
        for cell in self.cells.iter_mut().filter(|cell| cell.spoken == *spoken) {
            cell.state = CellState::Finished { picture: Arc::clone(picture), timings: timings.clone() };
        }
    }

    /// Around the pointer first; else what needs nothing to be loaded, then in the order of reading.
    fn choose(&self) -> Option<&Cell> {
        let columns = self.axes.as_ref().map_or(1, |axes| axes[0].values.len());
        let place = |index: usize| ((index % columns) as i64, (index / columns) as i64);
        let rank = |(index, cell): &(usize, &Cell)| {
            let loads = self.loaded.as_ref().is_some_and(|loaded| *loaded != weights(&cell.spoken));
            let Some(pointed) = self.pointed else { return (2, loads, 0, *index) };
            let ((x, y), (px, py)) = (place(*index), place(pointed));
            let (dx, dy) = ((x - px).abs(), (y - py).abs());
            (dx.max(dy).min(2), loads, dx * dx + dy * dy, *index)
        };
        let waiting = |cell: &Cell| matches!(cell.state, CellState::Waiting | CellState::Painting(_));
        let cells = self.cells.iter().enumerate().filter(|(_, cell)| waiting(cell));
        cells.min_by_key(rank).map(|(_, cell)| cell)
    }

    fn wants(&self, session: &Session) -> bool {
        !self.stopped && (session.settings.live || session.settings.ui.tab == Tab::Grid)
    }
}

impl Customer for Grid {
    /// What a grid was made of is in its cells: it stays as it is, whatever is changed.
    fn follow(&mut self, _: &Session) {}

    fn next(&self, session: &Session) -> Option<Request> {
        self.choose().filter(|_| self.wants(session)).map(|cell| cell.spoken.clone())
    }

    fn keeps(&self, asked: &Request, session: &Session) -> bool {
        let is_open = |cell: &Cell| matches!(cell.state, CellState::Waiting | CellState::Painting(_));
        self.wants(session) && self.cells.iter().any(|cell| cell.spoken == *asked && is_open(cell))
    }

    fn receive(&mut self, asked: &Request, event: Event) {
        let state = match event {
            Event::Loading { .. } | Event::Started { .. } => CellState::Painting(0.0),
            Event::Step { step, steps, .. } => CellState::Painting(step as f32 / steps.max(1) as f32),
            Event::Finished(finished) => {
                self.loaded = Some(weights(asked));
                CellState::Finished { picture: finished.picture, timings: finished.timings }
            }
            Event::Failed { failure, .. } => CellState::Failed(failure),
            Event::Stopped { .. } => CellState::Waiting,
            Event::Ready(_) | Event::DeviceFailed(_) | Event::Inspected(_) | Event::Merged { .. } => return,
        };
        for cell in self.cells.iter_mut().filter(|cell| cell.spoken == *asked) {
            cell.state = state.clone();
        }
    }
}

impl Cell {
    fn new(request: Request, session: &Session) -> Self {
        let spoken = session.spoken_of(&request);
        let info = session.models.iter().find(|info| info.model == spoken.model);
        let invalid = info.and_then(|info| spoken.validate(info).err());
        let state = invalid.map_or(CellState::Waiting, |why| CellState::Impossible(why.to_string()));
        Self { request, spoken, state }
    }

    /// What its time is about proportional to.
    fn work(&self, session: &Session) -> f64 {
        let info = session.models.iter().find(|info| info.model == self.spoken.model);
        let twice = info.is_some_and(|info| info.runs_unconditional(self.spoken.guidance_scale));
        f64::from(self.spoken.steps) * if twice { 2.0 } else { 1.0 }
    }
}

fn weights(request: &Request) -> Weights {
    (request.model.clone(), request.loras.clone())
}
