//! The library behind the window: the catalog looks through folders on a thread, the hub downloads on another.

mod look;

use fourstep_catalog::Catalog;
use fourstep_hub::{DownloadState, Downloads, Hub};
use fourstep_protocol::{Availability, DownloadPhase, DownloadProgress, Failure, LibraryItem};
use fourstep_ui::{Library, Seen, Waker};
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
};

/// Fills the window's port.
pub(crate) struct CatalogLibrary {
    catalog: Catalog,
    tasks: Sender<Task>,
    shared: Arc<Shared>,
    downloads: Result<Downloads, Failure>,
    /// Downloads that were asked for, and how they stand.
    asked: RefCell<HashMap<String, Asked>>,
    /// The list with its downloads, and the list and change it was made of.
    made: RefCell<(Arc<Vec<LibraryItem>>, u64)>,
}

/// What the threads tell the window.
struct Shared {
    /// Without downloads.
    items: Mutex<Arc<Vec<LibraryItem>>>,
    seen: Mutex<VecDeque<Seen>>,
    /// Looks that were asked for, and the newest that is done.
    asked: AtomicU64,
    done: AtomicU64,
    looking: AtomicBool,
    /// Grows with every change of items or downloads.
    changes: AtomicU64,
    waker: Waker,
}

enum Task {
    /// Everything, as the look of this number.
    Look(u64),
    At(PathBuf),
}

#[derive(Clone, Debug)]
enum Asked {
    Running,
    /// It is here, and shows as soon as this look is done.
    Done(u64),
    Refused(Failure),
}

impl CatalogLibrary {
    /// Begins to look through the folders at once.
    pub(crate) fn new(catalog: Catalog, waker: Waker) -> Self {
        let shared = Arc::new(Shared::new(waker));
        let theirs = Arc::clone(&shared);
        let downloads = Hub::from_env().and_then(|hub| downloads(hub, move || theirs.note_change()));
        Self::with(catalog, shared, downloads)
    }

    fn with(catalog: Catalog, shared: Arc<Shared>, downloads: Result<Downloads, Failure>) -> Self {
        let (tasks, todo) = channel();
        let (theirs, looker) = (Arc::clone(&shared), catalog.clone());
        // It ends with the sender; nobody waits for it, since a look at slow disks may take long.
        let spawned = thread::Builder::new().name("library".into()).spawn(move || look::work(&looker, &theirs, &todo));
        if let Err(e) = spawned {
            log::error!("there is no library: {e}");
            shared.looking.store(false, Ordering::Relaxed);
        }
        let (asked, made) = (RefCell::default(), RefCell::new((Arc::default(), 0)));
        let library = Self { catalog, tasks, shared, downloads, asked, made };
        library.look();
        library
    }

    fn look(&self) -> u64 {
        let number = self.shared.asked.fetch_add(1, Ordering::Relaxed) + 1;
        // Without its thread the library stays as it is.
        let _ = self.tasks.send(Task::Look(number));
        number
    }

    /// How an item stands that was asked for; `None` where its files say it.
    fn standing(&self, id: &str, asked: &mut Asked) -> Option<Availability> {
        if let Asked::Refused(failure) = asked {
            return Some(Availability::Failed(failure.clone()));
        }
        if let Asked::Done(look) = asked {
            let is_over = self.shared.done.load(Ordering::Acquire) >= *look;
            return (!is_over).then(checked);
        }
        match self.downloads.as_ref().ok()?.state(id)? {
            DownloadState::Running(progress) => Some(Availability::Downloading(progress)),
            DownloadState::Failed(failure) => Some(Availability::Failed(failure)),
            DownloadState::Done => {
                *asked = Asked::Done(self.look());
                Some(checked())
            }
        }
    }

    fn with_downloads(&self) -> Arc<Vec<LibraryItem>> {
        let items = Arc::clone(&locked(&self.shared.items));
        let mut asked = self.asked.borrow_mut();
        let mut standing = HashMap::new();
        asked.retain(|id, state| {
            let now = self.standing(id, state);
            let stays = now.is_some();
            standing.extend(now.map(|now| (id.clone(), now)));
            stays
        });
        if standing.is_empty() {
            return items;
        }
        let with = |item: &LibraryItem| match standing.get(&item.id) {
            Some(now) if item.availability != Availability::Ready => {
                LibraryItem { availability: now.clone(), ..item.clone() }
            }
            _ => item.clone(),
        };
        Arc::new(items.iter().map(with).collect())
    }
}

impl Library for CatalogLibrary {
    fn items(&self) -> Arc<Vec<LibraryItem>> {
        let change = self.shared.changes.load(Ordering::Acquire);
        if self.made.borrow().1 != change {
            let items = self.with_downloads();
            *self.made.borrow_mut() = (items, change);
        }
        Arc::clone(&self.made.borrow().0)
    }

    fn refresh(&self) {
        self.look();
    }

    fn is_looking(&self) -> bool {
        self.shared.looking.load(Ordering::Relaxed)
    }

    fn download(&self, id: &str) {
        let started = self.catalog.files(id).and_then(|files| match &self.downloads {
            Ok(downloads) => {
                downloads.start(id, files);
                Ok(Asked::Running)
            }
            Err(failure) => Err(failure.clone()),
        });
        self.asked.borrow_mut().insert(id.to_owned(), started.unwrap_or_else(Asked::Refused));
        self.shared.note_change();
    }

    fn cancel(&self, id: &str) {
        if let Ok(downloads) = &self.downloads {
            downloads.cancel(id);
        }
        self.asked.borrow_mut().remove(id);
        self.shared.note_change();
        // What has arrived is counted anew.
        self.look();
    }

    fn look_at(&self, path: PathBuf) {
        if self.tasks.send(Task::At(path)).is_err() {
            let why = "the thread that looks at files is not there";
            let failure = Failure::machine("The file could not be looked at", why, "Start Fourstep again.");
            locked(&self.shared.seen).push_back(Seen::Failed(failure));
        }
    }

    fn seen(&self) -> Option<Seen> {
        locked(&self.shared.seen).pop_front()
    }
}

impl Shared {
    /// Before the first look, which is already on.
    fn new(waker: Waker) -> Self {
        Self {
            items: Mutex::default(),
            seen: Mutex::default(),
            asked: AtomicU64::new(0),
            done: AtomicU64::new(0),
            looking: AtomicBool::new(true),
            changes: AtomicU64::new(1),
            waker,
        }
    }

    fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        (self.waker)();
    }

    fn publish(&self, items: Vec<LibraryItem>) {
        let mut shown = locked(&self.items);
        *shown = Arc::new(look::in_order(&shown, items));
        drop(shown);
        self.note_change();
    }
}

fn downloads(hub: Hub, wake: impl Fn() + Send + 'static) -> Result<Downloads, Failure> {
    Downloads::new(hub, wake).map_err(|e| {
        Failure::machine("Nothing can be downloaded", e, "Start Fourstep again, with fewer programs open.")
    })
}

/// All bytes are here; the list does not say it yet.
fn checked() -> Availability {
    let phase = DownloadPhase::Verifying;
    Availability::Downloading(DownloadProgress { done_bytes: 1, total_bytes: 1, phase, ..DownloadProgress::default() })
}

/// A panic elsewhere leaves lists that are still right.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "library/tests.rs"]
mod tests;
