use super::{
    axis::{Axis, AxisKind, AxisSpec},
    grid::{Grid, Progress},
};
use crate::Session;
use fourstep_protocol::Request;

/// What the person does with a grid.
#[derive(Clone, Debug, PartialEq)]
pub enum GridAction {
    /// Paint a grid of these; ignored where one of the axes cannot be read.
    Start {
        /// What varies from column to column.
        columns: AxisSpec,
        /// What varies from row to row.
        rows: AxisSpec,
    },
    /// Paint what lies around the picture on the stage: seeds from left to right, this from top to bottom. `None` goes
    /// back to the grid.
    Neighbours(Option<AxisKind>),
    /// Paint no more of it; what is there stays.
    Stop,
    /// Go on where it was stopped.
    Resume,
    /// The pointer is on this cell.
    Point(Option<usize>),
}

impl Session {
    /// The grid that is looked at: the person's own, or the neighbourhood.
    pub fn grid(&self) -> &Grid {
        if self.neighbours().is_some() { &self.idle.neighbours.grid } else { &self.idle.grid }
    }

    /// What the rows of the neighbourhood vary, while that is looked at.
    pub fn neighbours(&self) -> Option<&AxisKind> {
        self.idle.neighbours.rows.as_ref()
    }

    /// How far the grid that is looked at is.
    pub fn grid_progress(&self) -> Progress {
        self.grid().progress(self)
    }

    pub(crate) fn act_on_grid(&mut self, action: GridAction) {
        match action {
            GridAction::Start { columns, rows } => {
                let read = [Axis::read(&columns, self), Axis::read(&rows, self)];
                if let [Ok(columns), Ok(rows)] = read {
                    let before = std::mem::take(&mut self.idle.grid);
                    let base = Request { typed: None, ..self.settings.request.clone() };
                    self.idle.grid = Grid::new(&base, [columns, rows], self, before);
                    self.idle.neighbours.rows = None;
                    // Whoever stopped the picture on the stage and starts a grid wants that to be painted.
                    self.declined = false;
                }
            }
            GridAction::Neighbours(rows) => self.idle.neighbours.rows = rows,
            GridAction::Stop => self.shown_grid().stopped = true,
            GridAction::Resume => self.shown_grid().stopped = false,
            GridAction::Point(cell) => self.shown_grid().pointed = cell,
        }
    }

    fn shown_grid(&mut self) -> &mut Grid {
        if self.idle.neighbours.rows.is_some() { &mut self.idle.neighbours.grid } else { &mut self.idle.grid }
    }
}
