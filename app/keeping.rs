//! Pictures that are kept, for the window: the timeline, and the folder of saved pictures.

use crate::loader::Loader;
use fourstep_gallery::{self as gallery, FrameId, Index, data_folder, default_folder};
use fourstep_protocol::{Failure, Finished, Latents, Picture, Request, RunId};
use fourstep_ui::{Gallery, GalleryListing, GalleryQuery, Kept, KeptFrame, Load, SavedPicture, Timeline, Waker};
use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

/// Thumbnails that stay in memory: more than a screen shows.
const THUMBNAILS: usize = 1024;
/// Whole pictures that stay in memory: neighbours of the one that is looked at.
const PICTURES: usize = 12;

/// The timeline of this machine.
pub(crate) struct TimelinePort {
    timeline: Arc<gallery::Timeline>,
    /// What the window was told, and what it was made of.
    told: RefCell<(Arc<gallery::Kept>, Arc<Kept>)>,
    thumbnails: Loader<u64, Picture>,
    frames: Loader<u64, Finished>,
}

impl TimelinePort {
    /// The timeline in the person's data folder.
    ///
    /// # Errors
    /// Where there is no such folder, or no thread.
    pub(crate) fn new(max_bytes: u64, waker: &Waker) -> io::Result<Self> {
        let folder = data_folder().ok_or_else(|| io::Error::other("the system names no home folder"))?;
        let wake = Arc::clone(waker);
        let timeline = gallery::Timeline::open(folder.join("timeline"), max_bytes, move || wake())?;
        let timeline = Arc::new(timeline);
        let (small, large) = (Arc::downgrade(&timeline), Arc::downgrade(&timeline));
        let find = |timeline: &std::sync::Weak<gallery::Timeline>, id: u64| {
            let kept = timeline.upgrade()?.kept();
            let place = kept.frames.binary_search_by_key(&FrameId(id), |frame| frame.id).ok()?;
            kept.frames.get(place).cloned()
        };
        let thumbnail = move |id: &u64| find(&small, *id)?.thumbnail().ok();
        let frame = move |id: &u64| find(&large, *id)?.open().ok().map(finished);
        Ok(Self {
            timeline,
            told: RefCell::default(),
            thumbnails: Loader::new("timeline thumbnails", THUMBNAILS, Arc::clone(waker), thumbnail),
            frames: Loader::new("timeline frames", PICTURES, Arc::clone(waker), frame),
        })
    }
}

fn finished(frame: gallery::KeptFrame) -> Finished {
    Finished {
        run: RunId(0),
        picture: Arc::new(frame.picture),
        latents: Arc::new(Latents { channels: 0, height: 0, width: 0, data: Vec::new() }),
        timings: frame.timings,
        request: Arc::new(frame.request),
    }
}

impl Timeline for TimelinePort {
    fn keep(&self, finished: &Finished, canonical: Request) {
        self.timeline.keep(finished, canonical);
    }

    fn kept(&self) -> Arc<Kept> {
        let kept = self.timeline.kept();
        let mut told = self.told.borrow_mut();
        if !Arc::ptr_eq(&told.0, &kept) {
            let frame =
                |frame: &gallery::Frame| KeptFrame { id: frame.id.0, starred: frame.starred, painted: frame.id.time() };
            let frames = kept.frames.iter().map(frame).collect();
            let new = Kept { frames, bytes: kept.bytes, failure: kept.failure.clone() };
            *told = (kept, Arc::new(new));
        }
        Arc::clone(&told.1)
    }

    fn star(&self, frame: u64, starred: bool) {
        self.timeline.star(FrameId(frame), starred);
    }

    fn set_max_bytes(&self, bytes: u64) {
        self.timeline.set_max_bytes(bytes);
    }

    fn thumbnail(&self, frame: u64) -> Load<Arc<Picture>> {
        self.thumbnails.get(&frame)
    }

    fn open(&self, frame: u64) -> Load<Arc<Finished>> {
        self.frames.get(&frame)
    }
}

/// Stands in where there can be no timeline: painting goes on without.
pub(crate) struct NoTimeline(Arc<Kept>);

impl NoTimeline {
    pub(crate) fn new(e: &io::Error) -> Self {
        let failure = Failure::machine("Pictures are not kept in the timeline", e, "Save those you want to keep.");
        Self(Arc::new(Kept { failure: Some(failure), ..Kept::default() }))
    }
}

impl Timeline for NoTimeline {
    fn keep(&self, _: &Finished, _: Request) {}

    fn kept(&self) -> Arc<Kept> {
        Arc::clone(&self.0)
    }

    fn star(&self, _: u64, _: bool) {}

    fn set_max_bytes(&self, _: u64) {}

    fn thumbnail(&self, _: u64) -> Load<Arc<Picture>> {
        Load::Gone
    }

    fn open(&self, _: u64) -> Load<Arc<Finished>> {
        Load::Gone
    }
}

/// The person's folder of saved pictures.
pub(crate) struct GalleryPort {
    /// `None` where there is no folder or no thread.
    index: Option<Arc<Index>>,
    told: RefCell<(Arc<gallery::Listing>, Arc<GalleryListing>)>,
    thumbnails: Loader<i64, Picture>,
    pictures: Loader<PathBuf, Picture>,
    failures: Arc<Mutex<VecDeque<Failure>>>,
    /// Deletions under way.
    deleting: RefCell<Vec<thread::JoinHandle<()>>>,
    waker: Waker,
}

impl GalleryPort {
    pub(crate) fn new(waker: &Waker) -> Self {
        let file = data_folder().map(|folder| folder.join("gallery.sqlite"));
        let wake = Arc::clone(waker);
        let opened = file.clone().zip(default_folder()).map(|(file, folder)| Index::open(file, folder, move || wake()));
        let index = opened.and_then(|opened| opened.inspect_err(|e| log::error!("no gallery: {e}")).ok()).map(Arc::new);
        let mut thumbnail = gallery::thumbnails(file.unwrap_or_default());
        let open = |path: &PathBuf| gallery::open(path).ok().map(|opened| opened.picture);
        Self {
            index,
            told: RefCell::default(),
            thumbnails: Loader::new("gallery thumbnails", THUMBNAILS, Arc::clone(waker), move |id| thumbnail(*id)),
            pictures: Loader::new("gallery pictures", PICTURES, Arc::clone(waker), open),
            failures: Arc::default(),
            deleting: RefCell::default(),
            waker: Arc::clone(waker),
        }
    }

    /// Does something that may take its time.
    fn apart(&self, job: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Option<thread::JoinHandle<()>> {
        let (failures, waker) = (Arc::clone(&self.failures), Arc::clone(&self.waker));
        let work = move || {
            if let Err(failure) = job() {
                failures.lock().unwrap_or_else(PoisonError::into_inner).push_back(failure);
            }
            waker();
        };
        thread::Builder::new().name("gallery job".into()).spawn(work).ok()
    }
}

impl Gallery for GalleryPort {
    fn look(&self) {
        // A picture that was saved again under its name is another one.
        self.thumbnails.forget();
        self.pictures.forget();
        if let Some(index) = &self.index {
            index.look();
        }
    }

    fn find(&self, query: GalleryQuery) {
        let GalleryQuery { words, starred, model, since } = query;
        if let Some(index) = &self.index {
            index.find(gallery::Query { words, starred, model, since });
        }
    }

    fn listing(&self) -> Arc<GalleryListing> {
        let Some(index) = &self.index else { return Arc::default() };
        let listing = index.listing();
        let mut told = self.told.borrow_mut();
        if !Arc::ptr_eq(&told.0, &listing) {
            let new = GalleryListing {
                pictures: listing.entries.iter().map(saved).collect(),
                models: listing.models.clone(),
                total: listing.total,
                waiting: listing.waiting,
                failure: listing.failure.clone(),
            };
            *told = (listing, Arc::new(new));
        }
        Arc::clone(&told.1)
    }

    fn thumbnail(&self, id: i64) -> Load<Arc<Picture>> {
        self.thumbnails.get(&id)
    }

    fn picture(&self, path: &Path) -> Load<Arc<Picture>> {
        self.pictures.get(&path.to_owned())
    }

    fn star(&self, path: &Path, starred: bool) {
        if let Some(index) = &self.index {
            index.star(path.to_owned(), starred);
        }
    }

    fn delete(&self, path: &Path) {
        let (path, index) = (path.to_owned(), self.index.clone());
        let job = move || {
            let deleted = trash::delete(&path).map_err(|e| {
                let what = format!("{} could not be moved to the trash", path.display());
                Failure::machine(what, e, "Delete it in the file manager.")
            });
            if let Some(index) = index {
                index.look();
            }
            deleted
        };
        let mut deleting = self.deleting.borrow_mut();
        deleting.retain(|job| !job.is_finished());
        deleting.extend(self.apart(job));
    }

    fn reveal(&self, path: &Path) {
        let path = path.to_owned();
        self.apart(move || {
            reveal(&path).map_err(|e| {
                let why = format!("the file manager cannot be started ({e})");
                Failure::machine("The folder could not be shown", why, format!("It is {}.", path.display()))
            })
        });
    }

    fn failure(&self) -> Option<Failure> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Drop for GalleryPort {
    /// What was to be deleted is in the trash when the program ends.
    fn drop(&mut self) {
        for job in self.deleting.take() {
            let _ = job.join();
        }
    }
}

fn saved(entry: &gallery::Entry) -> SavedPicture {
    let after = Duration::from_secs(entry.saved_secs.unsigned_abs());
    SavedPicture {
        id: entry.id,
        path: entry.path.clone(),
        width: entry.width,
        height: entry.height,
        saved: SystemTime::UNIX_EPOCH + after,
        starred: entry.starred,
        prompt: entry.prompt.clone(),
        model: entry.model.clone(),
    }
}

/// Opens the folder of a file in the desktop's file manager, with the file chosen where the desktop can.
fn reveal(path: &Path) -> io::Result<()> {
    let mut command = if cfg!(target_os = "macos") {
        let mut open = Command::new("open");
        open.arg("-R").arg(path);
        open
    } else if cfg!(windows) {
        let mut explorer = Command::new("explorer");
        explorer.arg("/select,").arg(path);
        explorer
    } else {
        let mut open = Command::new("xdg-open");
        open.arg(path.parent().unwrap_or(path));
        open
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().map(drop)
}
