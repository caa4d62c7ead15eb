//! Every finished frame of the live loop, in a ring on disk that survives whatever ends the program.
//!
//! Frames are appended to segments, each with a checksum, by a thread of their own. A frame is safe from a crash of the
//! program as soon as it is in [`Kept::frames`], and from a failure of power some seconds later. A process appends only
//! to segments that are its own; another's are dropped only when that process has ended.

mod frame;
mod record;
mod segment;
mod store;

pub use frame::{Frame, FrameId, KeptFrame};

use fourstep_protocol::{Failure, Finished, Request};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use store::Store;

/// How much of the disk the timeline takes where nobody says otherwise.
pub const DEFAULT_TIMELINE_BYTES: u64 = 512 << 20;

/// Frames that may wait for the disk: some seconds of painting.
const QUEUE: usize = 64;
/// What was written is made safe from a failure of power when nothing came for so long.
const SYNC_AFTER: Duration = Duration::from_secs(2);

/// The near end of the timeline's thread. Dropping it waits until what was given to it is written.
#[derive(Debug)]
pub struct Timeline {
    tasks: Option<SyncSender<Task>>,
    kept: Arc<Mutex<Arc<Kept>>>,
    thread: Option<JoinHandle<()>>,
}

/// What the timeline holds.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The oldest first.
    pub frames: Vec<Frame>,
    /// On disk, of all programs that write to this folder.
    pub bytes: u64,
    /// Why the last frame could not be kept.
    pub failure: Option<Failure>,
}

enum Task {
    Keep(Box<Finished>, Box<Request>),
    Star(FrameId, bool),
    Bound(u64),
}

type Changed = Box<dyn Fn() + Send>;

impl Timeline {
    /// Opens the timeline in `folder`, which is made when the first frame comes; what is there is read on the thread.
    /// `changed` is called on that thread whenever [`kept`](Self::kept) is another.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn open(folder: PathBuf, max_bytes: u64, changed: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (tasks, todo) = sync_channel(QUEUE);
        let kept = Arc::new(Mutex::new(Arc::default()));
        let writer = Writer {
            store: Store::new(folder.clone(), max_bytes),
            folder,
            kept: Kept::default(),
            shared: Arc::clone(&kept),
            changed: Box::new(changed),
        };
        let thread = thread::Builder::new().name("timeline".into()).spawn(move || writer.work(&todo))?;
        Ok(Self { tasks: Some(tasks), kept, thread: Some(thread) })
    }

    /// What is kept now: the same `Arc` until something changes.
    pub fn kept(&self) -> Arc<Kept> {
        Arc::clone(&locked(&self.kept))
    }

    /// Keeps a picture, unless the newest frame has the same `canonical` request. Returns at once.
    pub fn keep(&self, finished: &Finished, canonical: Request) {
        if self.send(Task::Keep(Box::new(finished.clone()), Box::new(canonical))).is_err() {
            let mut kept = locked(&self.kept);
            Arc::make_mut(&mut kept).failure = Some(Failure::machine(
                "A picture is not in the timeline",
                "the disk is slower than the painting",
                "Painting goes on; save the pictures you want to keep.",
            ));
        }
    }

    /// Gives a frame a star, or takes it away.
    pub fn star(&self, id: FrameId, starred: bool) {
        // Where the thread is gone, its failure is told already.
        let _ = self.send(Task::Star(id, starred));
    }

    /// How much of the disk it may take from now on.
    pub fn set_max_bytes(&self, max_bytes: u64) {
        let _ = self.send(Task::Bound(max_bytes));
    }

    fn send(&self, task: Task) -> Result<(), TrySendError<Task>> {
        self.tasks.as_ref().map_or(Ok(()), |tasks| tasks.try_send(task))
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was told when it happened.
            let _ = thread.join();
        }
    }
}

/// The thread's end.
struct Writer {
    store: Store,
    folder: PathBuf,
    kept: Kept,
    shared: Arc<Mutex<Arc<Kept>>>,
    changed: Changed,
}

impl Writer {
    fn work(mut self, todo: &Receiver<Task>) {
        match self.store.load() {
            Ok(frames) => self.kept.frames = frames,
            Err(e) => self.kept.failure = Some(self.failure(&e)),
        }
        self.publish();
        loop {
            let done = match todo.recv_timeout(SYNC_AFTER) {
                Ok(task) => self.carry_out(task),
                Err(RecvTimeoutError::Timeout) => self.store.sync().map(|()| false),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let failure = done.as_ref().err().map(|e| self.failure(e));
            // What failed is over only when something was written.
            let is_over = matches!(done, Ok(true)) && self.kept.failure.is_some();
            if failure.is_some() || is_over {
                self.kept.failure = failure;
            }
            if !matches!(done, Ok(false)) {
                self.publish();
            }
        }
        if let Err(e) = self.store.sync() {
            log::warn!("{}", self.failure(&e));
        }
    }

    /// Whether something changed.
    fn carry_out(&mut self, task: Task) -> io::Result<bool> {
        let frames = &mut self.kept.frames;
        match task {
            Task::Keep(finished, canonical) => self.store.add(&finished, &canonical, frames),
            Task::Star(id, starred) => self.store.star(id, starred, frames).map(|()| true),
            Task::Bound(max_bytes) => {
                self.store.set_max_bytes(max_bytes);
                self.store.make_room(frames).map(|()| true)
            }
        }
    }

    fn publish(&mut self) {
        self.kept.bytes = self.store.bytes();
        *locked(&self.shared) = Arc::new(self.kept.clone());
        (self.changed)();
    }

    fn failure(&self, e: &io::Error) -> Failure {
        let folder = self.folder.display();
        let remedy = match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("Painting goes on; free some space on the disk of {folder}.")
            }
            _ => {
                format!("Painting goes on; check that {folder} may be written, and save the pictures you want to keep.")
            }
        };
        Failure::machine("New pictures are not kept in the timeline", e, remedy)
    }
}

/// A panic elsewhere leaves a list that is still right.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
