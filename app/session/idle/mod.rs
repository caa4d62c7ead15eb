//! What is painted while nothing else is wanted.
//!
//! An idle run is an ordinary run for the engine, which does one at a time and always the newest, so whatever the person
//! changes supersedes it. Here its events go to the [`Customer`] that asked for it, and to nobody else: pace, meter,
//! status and stage do not know of it.

mod axis;
mod grid;
mod grid_actions;
mod lane;
mod neighbours;
mod twin;
mod upscaling;
mod values;
mod without;

pub use axis::{AxisError, AxisKind, AxisSpec};
pub use grid::{Cell, CellState, Grid, Progress};
pub use grid_actions::GridAction;
pub(crate) use lane::Lane;
pub use twin::TwinState;
pub use upscaling::UpscaleState;
pub use without::LeftOut;

use crate::Session;
use fourstep_protocol::{Event, Request};

/// Somebody who wants pictures that can wait. A new one is a file here, a field of [`Lane`] and a place in
/// [`Lane::ORDER`].
pub(crate) trait Customer {
    /// Drops what belongs to something that is no more; after every action and event.
    fn follow(&mut self, session: &Session);

    /// What it wants painted next; `None` where there is nothing, or not now. Must validate against its model.
    fn next(&self, session: &Session) -> Option<Request>;

    /// Whether its run in progress, which is of `asked`, is still of use.
    fn keeps(&self, asked: &Request, session: &Session) -> bool {
        self.next(session).as_ref() == Some(asked)
    }

    /// Its run of `asked` said something. The last of a run is `Finished`, `Failed` or, where it was superseded and may be
    /// asked for again, `Stopped`.
    fn receive(&mut self, asked: &Request, event: Event);
}
