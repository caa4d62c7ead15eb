//! What is in the folder of saved pictures, found by words, model, star and date.
//!
//! The folder is the truth. The index is a file of `SQLite` beside it, in the data folder, that is filled by looking at what
//! is new or changed (by time and size); it can be deleted at any time. Stars lie in the folder of pictures.

mod database;
mod scan;
mod stars;

pub use database::thumbnails;

use database::Database;
use fourstep_protocol::Failure;
use scan::Scan;
use stars::Stars;
use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread,
    time::SystemTime,
};

/// Which pictures are wanted; everything by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Each of these words begins a word of the prompts, the model's name or the file's.
    pub words: String,
    /// Only those with a star.
    pub starred: bool,
    /// Only those painted with this model, as [`Entry::model`] names it.
    pub model: Option<String>,
    /// Only those that were saved since.
    pub since: Option<SystemTime>,
}

/// A picture of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names it within the index.
    pub id: i64,
    /// Where it lies.
    pub path: PathBuf,
    /// In px.
    pub width: u32,
    /// In px.
    pub height: u32,
    /// When it was saved, in seconds since 1970.
    pub saved_secs: i64,
    /// The person's mark.
    pub starred: bool,
    /// What was painted; empty where the file does not say.
    pub prompt: String,
    /// The file name of the model, without its ending; empty where the file does not say.
    pub model: String,
}

/// What the index knows.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The answer to the newest query, the newest first.
    pub entries: Vec<Entry>,
    /// All models that pictures were painted with.
    pub models: Vec<String>,
    /// Pictures in the folder, as far as they were looked at.
    pub total: usize,
    /// Pictures that are still to be looked at.
    pub waiting: usize,
    /// Why the folder or the index cannot be used.
    pub failure: Option<Failure>,
}

/// The near end of the index's thread.
#[derive(Debug)]
pub struct Index {
    tasks: Sender<Task>,
    listing: Arc<Mutex<Arc<Listing>>>,
}

enum Task {
    Look,
    Find(Query),
    Star(PathBuf, bool),
}

impl Index {
    /// Opens or makes the index at `file` for the pictures in `folder`; neither is touched before [`look`](Self::look).
    /// `changed` is called on the index's thread whenever [`listing`](Self::listing) is another.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn open(file: PathBuf, folder: PathBuf, changed: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (tasks, todo) = channel();
        let listing = Arc::new(Mutex::new(Arc::default()));
        let keeper = Keeper {
            stars: Stars::new(&folder),
            file,
            folder,
            query: Query::default(),
            listing: Listing::default(),
            shared: Arc::clone(&listing),
            changed: Box::new(changed),
        };
        thread::Builder::new().name("gallery".into()).spawn(move || keeper.work(&todo))?;
        Ok(Self { tasks, listing })
    }

    /// What was found: the same `Arc` until something changes.
    pub fn listing(&self) -> Arc<Listing> {
        Arc::clone(&self.listing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks for pictures that are new, changed or gone.
    pub fn look(&self) {
        self.send(Task::Look);
    }

    /// Changes what is listed.
    pub fn find(&self, query: Query) {
        self.send(Task::Find(query));
    }

    /// Gives a picture a star, or takes it away.
    pub fn star(&self, path: PathBuf, starred: bool) {
        self.send(Task::Star(path, starred));
    }

    fn send(&self, task: Task) {
        // Without its thread the listing stays as it is; a panic there was told when it happened.
        let _ = self.tasks.send(task);
    }
}

/// The thread's end.
struct Keeper {
    file: PathBuf,
    folder: PathBuf,
    stars: Stars,
    query: Query,
    listing: Listing,
    shared: Arc<Mutex<Arc<Listing>>>,
    changed: Box<dyn Fn() + Send>,
}

impl Keeper {
    fn work(mut self, todo: &Receiver<Task>) {
        let mut database = None;
        let mut scan: Option<Scan> = None;
        loop {
            // Between two pictures of a look, whoever searches is answered.
            let task = match scan {
                None => todo.recv().map_err(|_| TryRecvError::Disconnected),
                Some(_) => todo.try_recv(),
            };
            if database.is_none() && task.is_ok() {
                database = self.open_database();
            }
            let done = match (task, &mut database) {
                (Err(TryRecvError::Disconnected), _) => return,
                (Err(TryRecvError::Empty), Some(db)) => self.go_on(&mut scan, db),
                (Ok(task), Some(db)) => self.carry_out(task, &mut scan, db),
                (_, None) => {
                    scan = None;
                    Ok(())
                }
            };
            if let Err(failure) = done {
                scan = None;
                self.listing.waiting = 0;
                self.listing.failure = Some(failure);
                self.publish();
            }
        }
    }

    fn open_database(&mut self) -> Option<Database> {
        match Database::open(&self.file, &self.folder) {
            Ok(database) => Some(database),
            Err(e) => {
                self.listing.failure = Some(unusable(&self.file, &e));
                self.publish();
                None
            }
        }
    }

    fn carry_out(&mut self, task: Task, scan: &mut Option<Scan>, db: &mut Database) -> Result<(), Failure> {
        match task {
            Task::Look => {
                self.stars.read();
                let begun = Scan::begin(&self.folder, &self.stars, db).map_err(|e| self.explain(e))?;
                self.listing.failure = None;
                *scan = Some(begun);
                self.list(scan.as_ref(), db)
            }
            Task::Find(query) => {
                self.query = query;
                self.list(scan.as_ref(), db)
            }
            Task::Star(path, starred) => {
                self.stars.set(&path, starred)?;
                db.star(&path, starred).map_err(|e| unusable(&self.file, &e))?;
                self.list(scan.as_ref(), db)
            }
        }
    }

    /// Some more pictures of a look.
    fn go_on(&mut self, scan: &mut Option<Scan>, db: &mut Database) -> Result<(), Failure> {
        let Some(going) = scan else { return Ok(()) };
        let is_over = going.go_on(&self.stars, db).map_err(|e| unusable(&self.file, &e))?;
        if is_over {
            *scan = None;
        }
        self.list(scan.as_ref(), db)
    }

    fn list(&mut self, scan: Option<&Scan>, db: &Database) -> Result<(), Failure> {
        let failed = |e| unusable(&self.file, &e);
        self.listing.entries = db.find(&self.query).map_err(failed)?;
        self.listing.models = db.models().map_err(failed)?;
        self.listing.total = db.count().map_err(failed)?;
        self.listing.waiting = scan.map_or(0, Scan::waiting);
        self.publish();
        Ok(())
    }

    fn publish(&self) {
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(self.listing.clone());
        (self.changed)();
    }

    fn explain(&self, e: scan::Problem) -> Failure {
        match e {
            scan::Problem::Index(e) => unusable(&self.file, &e),
            scan::Problem::Folder(e) => {
                let what = format!("The pictures in {} cannot be listed", self.folder.display());
                Failure::machine(what, e, "Check that the folder may be read.")
            }
        }
    }
}

fn unusable(file: &Path, e: &dyn Display) -> Failure {
    let remedy =
        format!("Check that {} may be written; if it is damaged, delete it and it is made again.", file.display());
    Failure::machine("Saved pictures cannot be searched", e, remedy)
}

#[cfg(test)]
mod tests;
