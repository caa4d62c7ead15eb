//! The saved pictures: found, looked at, and used again.

mod bar;
mod carry_out;
mod grid;
mod large;

use crate::intent::View;
use crate::keeping::{Gallery as GalleryPort, GalleryListing, GalleryQuery, Load, SavedPicture};
use crate::layer::Layer;
use crate::textures::Textures;
use egui::{Context, Ui};
use fourstep_protocol::RunId;
use fourstep_session::Moment;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What the person wants of the gallery.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    /// Search again, as the bar says.
    Find,
    /// Look through the folder again.
    Look,
    /// Show this picture large.
    Open(PathBuf),
    /// Back to the grid.
    Close,
    /// The picture so many places later.
    Step(i32),
    /// Give a picture a star, or take it away.
    Star(PathBuf, bool),
    /// Star the large picture, or take its star away.
    ToggleStar,
    /// Take over the settings of a picture.
    Use(PathBuf),
    /// Take over those of the large one.
    UseOpened,
    /// Put a picture into the trash, in a moment.
    Delete(PathBuf),
    /// Do not, after all.
    Undelete,
    /// Show a picture in the file manager.
    Reveal(PathBuf),
    /// Put a picture's path on the clipboard.
    CopyPath(PathBuf),
}

/// How long a deletion can be taken back.
const SECOND_THOUGHTS_SECS: f64 = 8.0;

/// The tab's state.
#[derive(Default)]
pub(crate) struct Gallery {
    listing: Arc<GalleryListing>,
    filter: Filter,
    textures: Textures<i64>,
    large: Option<Large>,
    /// Hidden, and put into the trash when this moment has passed.
    deleting: Option<(PathBuf, Moment)>,
    /// The folder was looked through since the tab was opened.
    looked: bool,
}

/// What the bar says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    words: String,
    starred: bool,
    model: Option<String>,
    age: Age,
}

/// How old pictures may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Age {
    #[default]
    Any,
    Day,
    Week,
    Month,
    Year,
}

impl Age {
    const ALL: [Self; 5] = [Self::Any, Self::Day, Self::Week, Self::Month, Self::Year];

    fn limit(self) -> Option<Duration> {
        let days = match self {
            Self::Any => return None,
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Year => 365,
        };
        Some(Duration::from_secs(days * 86_400))
    }
}

impl Filter {
    fn query(&self, now: std::time::SystemTime) -> GalleryQuery {
        GalleryQuery {
            words: self.words.clone(),
            starred: self.starred,
            model: self.model.clone(),
            since: self.age.limit().and_then(|limit| now.checked_sub(limit)),
        }
    }
}

/// A picture that fills the stage.
struct Large {
    path: PathBuf,
    layer: Option<Layer>,
    gone: bool,
}

impl Gallery {
    /// Takes over what was found, and carries out a deletion that was not taken back.
    pub(crate) fn update(&mut self, ctx: &Context, port: &dyn GalleryPort, is_open: bool, now: Moment) {
        if let Some((path, _)) = self.deleting.take_if(|(_, until)| *until <= now) {
            port.delete(&path);
        } else if let Some((_, until)) = &self.deleting {
            ctx.request_repaint_after_secs(until.since(now) as f32);
        }
        if !is_open {
            // What was saved elsewhere shows when the tab is opened again.
            self.looked = false;
            return;
        }
        if !std::mem::replace(&mut self.looked, true) {
            port.look();
        }
        self.listing = port.listing();
        if let Some(large) = self.large.as_mut().filter(|large| large.layer.is_none() && !large.gone) {
            match port.picture(&large.path) {
                Load::Asked => {}
                Load::Gone => large.gone = true,
                Load::Here(picture) => large.layer = Some(Layer::new(ctx, picture, RunId(0), None)),
            }
        }
    }

    /// What is to be seen: everything that was found but what is being deleted.
    fn shown(&self) -> impl Iterator<Item = &SavedPicture> {
        let deleting = self.deleting.as_ref().map(|(path, _)| path);
        self.listing.pictures.iter().filter(move |picture| Some(&picture.path) != deleting)
    }

    fn opened(&self) -> Option<&SavedPicture> {
        let large = self.large.as_ref()?;
        self.shown().find(|picture| picture.path == large.path)
    }

    /// Whether a picture fills the stage.
    pub(crate) fn is_large(&self) -> bool {
        self.large.is_some()
    }
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, gallery: &mut Gallery, port: &dyn GalleryPort) {
    match gallery.opened().cloned() {
        Some(picture) => large::show(ui, view, gallery, &picture),
        None => {
            gallery.large = None;
            bar::show(ui, view, gallery);
            grid::show(ui, view, gallery, port);
        }
    }
}
