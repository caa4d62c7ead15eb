//! What the window needs of the places where pictures are kept: the timeline and the folder of saved pictures.

use fourstep_protocol::{Failure, Finished, Picture, Request};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Something that is read by another thread, which wakes the window when it is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Load<T> {
    /// On its way.
    Asked,
    /// Here.
    Here(T),
    /// It cannot be read.
    Gone,
}

/// Every finished frame, in a ring on disk; written and read on threads of its own.
pub trait Timeline {
    /// Keeps a frame, unless the newest one has the same `canonical` request.
    fn keep(&self, finished: &Finished, canonical: Request);

    /// What is kept: the same `Arc` until something changes.
    fn kept(&self) -> Arc<Kept>;

    /// Gives a frame a star, or takes it away.
    fn star(&self, frame: u64, starred: bool);

    /// How much of the disk it may take, in bytes.
    fn set_max_bytes(&self, bytes: u64);

    /// A frame, small.
    fn thumbnail(&self, frame: u64) -> Load<Arc<Picture>>;

    /// A frame with its settings; its run is 0 and it has no latents.
    fn open(&self, frame: u64) -> Load<Arc<Finished>>;
}

/// What the timeline holds.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The oldest first.
    pub frames: Vec<KeptFrame>,
    /// On disk.
    pub bytes: u64,
    /// Why the last frame could not be kept.
    pub failure: Option<Failure>,
}

/// A frame of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptFrame {
    /// Names it; later frames have larger numbers.
    pub id: u64,
    /// It is never dropped.
    pub starred: bool,
    /// When it was painted.
    pub painted: SystemTime,
}

/// The folder of saved pictures, searched and changed on threads of its own.
pub trait Gallery {
    /// Looks for pictures that are new, changed or gone.
    fn look(&self);

    /// Changes what is listed.
    fn find(&self, query: GalleryQuery);

    /// What was found: the same `Arc` until something changes.
    fn listing(&self) -> Arc<GalleryListing>;

    /// A picture of the listing, small; by its [`SavedPicture::id`].
    fn thumbnail(&self, id: i64) -> Load<Arc<Picture>>;

    /// A picture as it is.
    fn picture(&self, path: &Path) -> Load<Arc<Picture>>;

    /// Gives a picture a star, or takes it away.
    fn star(&self, path: &Path, starred: bool);

    /// Puts a picture into the desktop's trash.
    fn delete(&self, path: &Path);

    /// Shows a picture in the desktop's file manager.
    fn reveal(&self, path: &Path);

    /// Why something that was asked for could not be done; each is told once.
    fn failure(&self) -> Option<Failure>;
}

/// Which saved pictures are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GalleryQuery {
    /// Beginnings of words of the prompts, the model's name and the file's.
    pub words: String,
    /// Only those with a star.
    pub starred: bool,
    /// Only those painted with this model, as [`GalleryListing::models`] names it.
    pub model: Option<String>,
    /// Only those that were saved since.
    pub since: Option<SystemTime>,
}

/// What is known of the folder of saved pictures.
#[derive(Clone, Debug, Default)]
pub struct GalleryListing {
    /// The answer to the newest query, the newest first.
    pub pictures: Vec<SavedPicture>,
    /// All models that pictures were painted with.
    pub models: Vec<String>,
    /// Pictures in the folder, as far as they were looked at.
    pub total: usize,
    /// Pictures that are still to be looked at.
    pub waiting: usize,
    /// Why they cannot be listed.
    pub failure: Option<Failure>,
}

/// A picture of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPicture {
    /// Names it within the listing.
    pub id: i64,
    /// Where it lies.
    pub path: PathBuf,
    /// In px.
    pub width: u32,
    /// In px.
    pub height: u32,
    /// When it was saved.
    pub saved: SystemTime,
    /// The person's mark.
    pub starred: bool,
    /// What was painted; empty where the file does not say.
    pub prompt: String,
    /// The model's name; empty where the file does not say.
    pub model: String,
}
