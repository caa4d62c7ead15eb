use super::{Looked, Wish};
use crate::app::App;
use crate::i18n::tr;
use fourstep_protocol::{Event, Finished};
use fourstep_session::{Moment, Tab};

impl App {
    /// Takes in what the engine tells; a picture that is finished goes into the timeline.
    pub(crate) fn receive(&mut self, event: Event, now: Moment) {
        let before = self.session.shown().map(|finished| finished.run);
        self.session.receive(event, now);
        if let Some(finished) = self.session.shown().filter(|finished| Some(finished.run) != before) {
            let model = self.session.model();
            let is_its = finished.request.model == model.model;
            let canonical = if is_its { finished.request.canonical(model) } else { (*finished.request).clone() };
            self.ports.timeline.keep(finished, canonical);
        }
    }

    /// The finished picture that is on the stage: the live one, what it was made larger to, or a frame of the timeline.
    pub(crate) fn on_stage(&self) -> Option<&Finished> {
        let older = self.strip.older().map(|older| &*older.finished);
        let is_seen = self.session.settings().ui.tab == Tab::Picture;
        older.or_else(|| self.stage.larger().filter(|_| is_seen)).or(self.session.shown())
    }

    pub(crate) fn carry_out_timeline(&mut self, wish: Wish, now: Moment) {
        match wish {
            Wish::Look(id) => self.look_at_frame(id),
            Wish::Step(by) => {
                let to = self.strip.at().saturating_add_signed(by as isize);
                match self.strip.kept.frames.get(to) {
                    Some(frame) if to + 1 < self.strip.kept.frames.len() => self.look_at_frame(frame.id),
                    _ => self.strip.looked = None,
                }
            }
            Wish::Live => self.strip.looked = None,
            Wish::Star(id, starred) => self.ports.timeline.star(id, starred),
            Wish::ToggleStar => {
                if let Some(frame) = self.strip.kept.frames.get(self.strip.at()) {
                    self.ports.timeline.star(frame.id, !frame.starred);
                }
            }
            Wish::Branch => self.branch(now),
            Wish::Bound(megabytes) => {
                self.session.ui_mut().timeline_megabytes = Some(megabytes);
                self.ports.timeline.set_max_bytes(u64::from(megabytes) << 20);
            }
        }
    }

    fn look_at_frame(&mut self, id: u64) {
        let opened = self.strip.looked.take().and_then(|looked| looked.opened);
        let settings = self.session.request().clone();
        self.strip.looked = Some(Looked { id, settings, opened });
        self.session.ui_mut().tab = Tab::Picture;
    }

    /// Goes on from the frame on the stage; one step of undo.
    fn branch(&mut self, now: Moment) {
        if let Some(older) = self.strip.looked.take().and_then(|looked| looked.opened) {
            let request = (*older.finished.request).clone();
            self.restore(request, now);
            self.happening.say(tr("timeline-branched"), false, now);
        }
    }
}
