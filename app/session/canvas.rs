use crate::{Moment, Session, action::Edit, fit::fit_init};
use fourstep_protocol::{Init, Request};

impl Session {
    /// What is to be painted: the settings, from what the canvas shows while it is open.
    ///
    /// The canvas is no setting: it has its own undo, and a picture in each step of the settings' would take hundreds of
    /// megabytes.
    pub fn to_paint(&self) -> Request {
        self.on_canvas(self.spoken().request)
    }

    /// The same, for a request that was spoken already.
    pub(crate) fn on_canvas(&self, request: Request) -> Request {
        Request { init: self.canvas.clone().or(request.init), ..request }
    }

    /// Takes over what the canvas shows, a step of a stream of changes.
    pub(crate) fn set_canvas(&mut self, mut canvas: Option<Init>, now: Moment) {
        let canonical = self.canonical();
        canvas.as_mut().map(fit_init);
        self.canvas = canvas;
        self.note_difference(&canonical, Edit::Canvas, now);
    }
}
