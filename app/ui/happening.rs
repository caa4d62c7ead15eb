//! The last thing that happened, for the status bar.

use crate::i18n::tr_with;
use crate::top_bar::duration;
use fourstep_protocol::{Finished, RunId};
use fourstep_session::{Moment, Session};

/// What the person did stays readable this long, also while pictures are being painted.
const HOLD_SECS: f64 = 4.0;

/// A sentence for the status bar.
#[derive(Default)]
pub(crate) struct Happening {
    text: String,
    /// Something went differently from what was asked.
    pub warns: bool,
    held_until: Option<Moment>,
    run: Option<RunId>,
}

impl Happening {
    /// The sentence.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Says what the person's own doing led to.
    pub(crate) fn say(&mut self, text: impl Into<String>, warns: bool, now: Moment) {
        self.text = text.into();
        self.warns = warns;
        self.held_until = Some(now.after(HOLD_SECS));
    }

    /// Notices what the session did.
    pub(crate) fn update(&mut self, session: &Session, now: Moment) {
        if let Some(finished) = session.shown().filter(|f| self.run != Some(f.run)) {
            self.run = Some(finished.run);
            if self.held_until.is_none_or(|until| until <= now) {
                self.text = painted(finished);
                self.warns = false;
            }
        }
    }
}

fn painted(finished: &Finished) -> String {
    let t = &finished.timings;
    let steps: f64 = t.step_secs.iter().sum();
    let count = t.step_secs.len();
    let painted = tr_with(
        "bar-painted",
        &[
            ("total", duration(t.total_secs).into()),
            ("text", duration(t.text_secs).into()),
            ("n", count.into()),
            ("steps", duration(steps).into()),
            ("decode", duration(t.decode_secs).into()),
        ],
    );
    if t.load_secs < 0.001 {
        return painted;
    }
    tr_with("bar-painted-loaded", &[("painted", painted.into()), ("time", duration(t.load_secs).into())])
}
