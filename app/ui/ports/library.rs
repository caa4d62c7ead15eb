use fourstep_prompt::Wildcards;
use fourstep_protocol::{Failure, LibraryItem};
use std::path::PathBuf;
use std::sync::Arc;

/// What is here to paint with and what can be downloaded; looks and downloads on threads of its own.
pub trait Library {
    /// The newest list: the same `Arc` until something changes, which wakes the window. The order of what was there
    /// stays, so that no row moves away under the pointer.
    fn items(&self) -> Arc<Vec<LibraryItem>>;

    /// Looks through all folders again.
    fn refresh(&self);

    /// Whether folders are being looked through.
    fn is_looking(&self) -> bool;

    /// Downloads what is not here; what arrived before is kept. How far it is stands in [`items`](Self::items).
    fn download(&self, id: &str);

    /// Ends a download; what arrived is kept.
    fn cancel(&self, id: &str);

    /// Asks what lies at a path that the person dropped or named; the answer comes from [`seen`](Self::seen).
    fn look_at(&self, path: PathBuf);

    /// The next answer, in the order of the questions. What it names is in [`items`](Self::items) by then.
    fn seen(&self) -> Option<Seen>;
}

/// The person's lists of words, from files; read on a thread of its own.
pub trait WildcardFiles {
    /// The newest lists: the same `Arc` until something changes, which wakes the window.
    fn newest(&self) -> Arc<Wildcards>;

    /// Looks whether the files have changed.
    fn refresh(&self);
}

/// What lies at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Something to paint with.
    Item(Box<LibraryItem>),
    /// A folder of models, for example of `ComfyUI`, which belongs to the library from now on.
    Folder {
        /// Which.
        path: PathBuf,
        /// Models in it.
        models: usize,
        /// LoRAs in it.
        loras: usize,
    },
    /// Nothing to paint with: what it is, and what to do instead.
    Failed(Failure),
}
