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

    /// Hands the page over to be kept, some moments after the last change to it.
    pub(crate) fn keep_page(&mut self, ctx: &Context, now: Moment) {
        match self.stage.keep_page_in(now) {
            Some(secs) if secs > 0.0 => ctx.request_repaint_after_secs(secs as f32),
            Some(_) => self.keep_page_now(),
            None => {}
        }
    }

    fn keep_page_now(&mut self) {
        if let Some(page) = self.stage.page_to_keep() {
            self.ports.pages.keep(page);
        }
    }

    /// Nothing is drawn after this.
    pub(crate) fn finish_page(&mut self, now: Moment) {
        if self.stage.keep_page_in(now).is_some() {
            self.keep_page_now();
        }
    }

    /// A larger picture is kept without being asked for: it took long, and its settings are those of the smaller one.
    pub(crate) fn take_upscaled(&mut self, ctx: &Context) {
        match self.session.take_upscaled() {
            Some(Ok(finished)) => {
                self.files.keep((*finished).clone(), self.session.settings().ui.jpeg_quality.get());
                self.stage.show_larger(ctx, finished);
            }
            Some(Err(failure)) => self.failure = Some(failure),
            None => {}
        }
    }
}
