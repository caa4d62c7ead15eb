use super::{Large, SECOND_THOUGHTS_SECS, Wish};
use crate::app::App;
use crate::i18n::tr;
use egui::Context;
use fourstep_session::{Moment, Tab};
use std::path::PathBuf;
use std::time::SystemTime;

impl App {
    pub(crate) fn carry_out_gallery(&mut self, ctx: &Context, wish: Wish, now: Moment) {
        let port = &*self.ports.gallery;
        let gallery = &mut self.stage.gallery;
        match wish {
            Wish::Find => port.find(gallery.filter.query(SystemTime::now())),
            Wish::Look => port.look(),
            Wish::Open(path) => gallery.large = Some(Large { path, layer: None, gone: false }),
            Wish::Close => gallery.large = None,
            Wish::Step(by) => self.step_in_gallery(by),
            Wish::Star(path, starred) => port.star(&path, starred),
            Wish::ToggleStar => {
                if let Some(picture) = gallery.opened() {
                    port.star(&picture.path, !picture.starred);
                }
            }
            Wish::Use(path) => self.use_settings_of(path),
            Wish::UseOpened => {
                if let Some(path) = gallery.opened().map(|picture| picture.path.clone()) {
                    self.use_settings_of(path);
                }
            }
            Wish::Delete(path) => self.delete_in_gallery(path, now),
            Wish::Undelete => gallery.deleting = None,
            Wish::Reveal(path) => port.reveal(&path),
            Wish::CopyPath(path) => {
                ctx.copy_text(path.display().to_string());
                self.happening.say(tr("gallery-path-copied"), false, now);
            }
        }
    }

    fn use_settings_of(&mut self, path: PathBuf) {
        self.open_picture(path);
        self.session.ui_mut().tab = Tab::Picture;
    }

    fn step_in_gallery(&mut self, by: i32) {
        let gallery = &mut self.stage.gallery;
        let Some(opened) = gallery.opened().map(|picture| picture.path.clone()) else { return };
        let paths: Vec<&PathBuf> = gallery.shown().map(|picture| &picture.path).collect();
        let at = paths.iter().position(|path| **path == opened).unwrap_or_default();
        let to = at.saturating_add_signed(by as isize).min(paths.len() - 1);
        if to != at {
            let path = paths[to].clone();
            gallery.large = Some(Large { path, layer: None, gone: false });
        }
    }

    /// One at a time can be taken back; the one before is gone then.
    fn delete_in_gallery(&mut self, path: PathBuf, now: Moment) {
        self.finish_deleting();
        let gallery = &mut self.stage.gallery;
        let next =
            gallery.shown().skip_while(|picture| picture.path != path).nth(1).map(|picture| picture.path.clone());
        gallery.deleting = Some((path, now.after(SECOND_THOUGHTS_SECS)));
        let was_large = gallery.large.take().is_some();
        gallery.large = next.filter(|_| was_large).map(|path| Large { path, layer: None, gone: false });
    }

    /// Carries out a deletion at once, for example because the window closes.
    pub(crate) fn finish_deleting(&mut self) {
        if let Some((path, _)) = self.stage.gallery.deleting.take() {
            self.ports.gallery.delete(&path);
        }
    }
}
