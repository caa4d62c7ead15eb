//! A recording of a live session: every finished picture and how long it stayed.

use crate::ports::Shot;
use fourstep_protocol::{Picture, RunId};
use fourstep_session::{Moment, Session};
use std::sync::Arc;

/// The most pictures of a recording, and the most memory they take, in bytes; then it waits to be saved.
const MOST: usize = 600;
const MOST_BYTES: usize = 512 << 20;
/// How long a picture stays, in seconds: quick ones can be seen, pauses are not waited through.
const STAYS_SECS: std::ops::RangeInclusive<f64> = 0.06..=1.5;

/// The recording while it goes on.
#[derive(Default)]
pub(crate) struct Recorder {
    shots: Vec<(Arc<Picture>, Moment)>,
    bytes: usize,
    last: Option<RunId>,
}

impl Recorder {
    /// A recording that begins with what comes next.
    pub(crate) fn begin(session: &Session) -> Self {
        Self { last: session.shown().map(|finished| finished.run), ..Self::default() }
    }

    /// Takes the picture on the stage where it is a new one.
    pub(crate) fn note(&mut self, session: &Session, now: Moment) {
        let Some(finished) = session.shown().filter(|finished| self.last != Some(finished.run)) else { return };
        self.last = Some(finished.run);
        if self.is_full() {
            return;
        }
        self.bytes += finished.picture.rgb().len();
        self.shots.push((Arc::clone(&finished.picture), now));
    }

    /// Whether no more pictures are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.shots.len() >= MOST || self.bytes >= MOST_BYTES
    }

    /// Pictures so far.
    pub(crate) fn count(&self) -> usize {
        self.shots.len()
    }

    /// The recording; the last picture stays as long as any may.
    pub(crate) fn end(self) -> Vec<Shot> {
        let ends: Vec<Option<Moment>> = self.shots.iter().skip(1).map(|(_, at)| Some(*at)).chain([None]).collect();
        let stays = |(from, to): (Moment, Option<Moment>)| {
            let secs = to.map_or(*STAYS_SECS.end(), |to| to.since(from)).clamp(*STAYS_SECS.start(), *STAYS_SECS.end());
            (secs * 1e3) as u32
        };
        let shots = self.shots.into_iter().zip(ends);
        shots.map(|((picture, from), to)| Shot { picture, stays_ms: stays((from, to)) }).collect()
    }
}
