//! Pictures that come to the canvas, and those that were painted larger.

use crate::app::App;
use crate::i18n::tr_with;
use egui::Context;
use fourstep_protocol::{Picture, Request};
use fourstep_session::{Action, Moment, Tab};
use std::path::Path;

impl App {
    /// Takes over the settings of a picture; what it was painted from comes to the canvas, where it can be seen.
    pub(crate) fn restore(&mut self, mut request: Request, now: Moment) {
        let init = request.init.take();
        self.session.act(Action::Restore(Box::new(request)), now);
        if let Some(init) = init {
            self.stage.take_over(&init, self.session.request().size);
            self.session.ui_mut().tab = Tab::Canvas;
        }
    }

    /// Paints over a picture from a file.
    pub(crate) fn import(&mut self, path: &Path, picture: &Picture, now: Moment) {
        self.failure = None;
        self.stage.canvas(self.session.request().size).import(picture);
        self.session.ui_mut().tab = Tab::Canvas;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        self.happening.say(tr_with("canvas-imported", &[("name", name.into())]), false, now);
    }

    /// A larger picture is kept without being asked for: it took long, and its settings are those of the smaller one.
    pub(crate) fn take_upscaled(&mut self, ctx: &Context) {
        match self.session.take_upscaled() {
            Some(Ok(finished)) => {
                self.stage.show_larger(ctx, &finished);
                self.files.keep(*finished, self.session.settings().ui.jpeg_quality.get());
            }
            Some(Err(failure)) => self.failure = Some(failure),
            None => {}
        }
    }
}
