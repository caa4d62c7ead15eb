use crate::{CancelFlag, Hub, Stop};
use fourstep_catalog::HubFile;
use fourstep_protocol::{DownloadProgress, Failure};
use std::{
    collections::HashMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

/// Downloads on a thread, one after another, for a window.
pub struct Downloads {
    queue: Option<Sender<Job>>,
    jobs: Jobs,
    thread: Option<JoinHandle<()>>,
}

/// How a download stands.
#[derive(Clone, Debug, PartialEq)]
pub enum DownloadState {
    /// It waits for its turn, or goes on.
    Running(DownloadProgress),
    /// All files are here.
    Done,
    /// It ended early; what arrived is kept.
    Failed(Failure),
}

struct Job {
    id: String,
    files: Vec<HubFile>,
    cancel: CancelFlag,
}

type Jobs = Arc<Mutex<HashMap<String, (DownloadState, CancelFlag)>>>;

impl Downloads {
    /// Calls `wake` whenever a [`state`](Self::state) changed, from the thread.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn new(hub: Hub, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (queue, jobs_to_do) = channel();
        let jobs = Jobs::default();
        let theirs = Arc::clone(&jobs);
        let work = move || work(&hub, &jobs_to_do, &theirs, &wake);
        let thread = thread::Builder::new().name("downloads".to_owned()).spawn(work)?;
        Ok(Self { queue: Some(queue), jobs, thread: Some(thread) })
    }

    /// Downloads files under a name of the caller's. One that runs already under it goes on.
    pub fn start(&self, id: &str, files: Vec<HubFile>) {
        let cancel = CancelFlag::default();
        let mut jobs = locked(&self.jobs);
        if matches!(jobs.get(id), Some((DownloadState::Running(_), _))) {
            return;
        }
        let job = Job { id: id.to_owned(), files, cancel: cancel.clone() };
        if self.queue.as_ref().is_some_and(|queue| queue.send(job).is_ok()) {
            jobs.insert(id.to_owned(), (DownloadState::Running(DownloadProgress::default()), cancel));
        }
    }

    /// Ends a download. What arrived is kept, and [`state`](Self::state) forgets it.
    pub fn cancel(&self, id: &str) {
        if let Some((_, cancel)) = locked(&self.jobs).remove(id) {
            cancel.cancel();
        }
    }

    /// How a download stands; `None` where none was started, or it was cancelled.
    pub fn state(&self, id: &str) -> Option<DownloadState> {
        locked(&self.jobs).get(id).map(|(state, _)| state.clone())
    }
}

impl Drop for Downloads {
    /// Ends what runs, within about 100 ms.
    fn drop(&mut self) {
        self.queue = None;
        for (_, cancel) in locked(&self.jobs).values() {
            cancel.cancel();
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread of downloads panicked");
        }
    }
}

fn work(hub: &Hub, jobs_to_do: &Receiver<Job>, jobs: &Jobs, wake: &dyn Fn()) {
    for Job { id, files, cancel } in jobs_to_do {
        // A job that was cancelled, or started again since, has another flag in its place.
        let tell = |state: DownloadState| {
            if let Some(there) = locked(jobs).get_mut(&id)
                && !cancel.is_cancelled()
            {
                there.0 = state;
            }
            wake();
        };
        let watch = |progress: &DownloadProgress| tell(DownloadState::Running(progress.clone()));
        // A download keeps nothing but files, so that the next one is none the worse for it.
        match catch_unwind(AssertUnwindSafe(|| hub.download(&files, &watch, &cancel))) {
            Ok(Ok(_)) => tell(DownloadState::Done),
            Ok(Err(Stop::Failed(failure))) => tell(DownloadState::Failed(failure)),
            Ok(Err(Stop::Cancelled)) => wake(),
            Err(_) => tell(DownloadState::Failed(Failure::machine(
                format!("{id} could not be downloaded"),
                "the download ran into a fault of the program",
                "Try again, and please report this. What arrived is kept.",
            ))),
        }
    }
}

/// A panic elsewhere leaves states that are still right.
fn locked(jobs: &Jobs) -> MutexGuard<'_, HashMap<String, (DownloadState, CancelFlag)>> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}
