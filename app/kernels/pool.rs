//! The threads that do a kernel's tasks.
#![expect(unsafe_code, reason = "threads outlive the closure they run, and tasks write parts of one slice")]

use std::{
    any::Any,
    marker::PhantomData,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a thread without work looks for some before it sleeps: longer than the pause between two operations of a
/// network, much shorter than the pause between two pictures.
const PATIENCE: Duration = Duration::from_micros(60);

/// Threads that wait for tasks: one fewer than work, for who asks works too.
///
/// One caller at a time has the threads; a second one meanwhile does its tasks alone.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    busy: AtomicBool,
}

#[derive(Default)]
struct Shared {
    /// The number of jobs begun, for threads that look without a lock.
    begun: AtomicUsize,
    state: Mutex<State>,
    /// There is a job, or an end.
    work: Condvar,
    /// Nobody is in the job any more.
    left: Condvar,
}

#[derive(Default)]
struct State {
    job: Option<Job>,
    /// Threads in the job, the caller not counted.
    inside: usize,
    end: bool,
}

/// What the caller wants done; lives on the caller's stack, who waits until nobody is inside any more.
#[derive(Clone, Copy)]
struct Job {
    body: *const Body<'static>,
    number: usize,
}

// SAFETY: a `Body` is shared between threads, and all of it may be.
unsafe impl Send for Job {}

struct Body<'a> {
    task: &'a (dyn Fn(usize) + Sync),
    tasks: usize,
    next: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Body<'_> {
    /// Takes tasks until there are none.
    fn work(&self) {
        loop {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            if i >= self.tasks {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.task)(i))) {
                self.next.store(self.tasks, Ordering::Relaxed);
                *lock(&self.panic) = Some(panic);
            }
        }
    }
}

impl Pool {
    /// So many threads, the caller's among them; each other one runs `start` first. One where none can be had.
    pub fn new(threads: usize, start: impl Fn() + Send + Sync + 'static) -> Self {
        let (shared, start) = (Arc::new(Shared::default()), Arc::new(start));
        let spawn = |i: usize| {
            let (shared, start) = (shared.clone(), start.clone());
            let body = move || {
                start();
                shared.serve();
            };
            thread::Builder::new().name(format!("kernel {i}")).spawn(body).ok()
        };
        let workers = (1..threads).filter_map(spawn).collect();
        Self { shared, workers, busy: AtomicBool::new(false) }
    }

    /// How many tasks are done at a time.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// `task(0)` … `task(tasks − 1)`, in any order; all are done when it returns. A panic of one is the caller's.
    pub fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        if tasks <= 1 || self.workers.is_empty() || self.busy.swap(true, Ordering::Acquire) {
            return (0..tasks).for_each(task);
        }
        let body = Body { task, tasks, next: AtomicUsize::new(0), panic: Mutex::new(None) };
        self.shared.begin(&body);
        body.work();
        self.shared.finish();
        self.busy.store(false, Ordering::Release);
        let panic = lock(&body.panic).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.shared.state).end = true;
        self.shared.begun.fetch_add(1, Ordering::Release);
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A worker does not panic: tasks are caught.
            let _ = worker.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.threads())
    }
}

impl Shared {
    fn begin(&self, body: &Body<'_>) {
        let mut state = lock(&self.state);
        let number = self.begun.load(Ordering::Relaxed) + 1;
        state.job = Some(Job { body: std::ptr::from_ref(body).cast(), number });
        self.begun.store(number, Ordering::Release);
        drop(state);
        self.work.notify_all();
    }

    /// Closes the job and waits until everybody has left it.
    fn finish(&self) {
        let mut state = lock(&self.state);
        state.job = None;
        let since = Instant::now();
        while state.inside > 0 && since.elapsed() < PATIENCE {
            drop(state);
            std::hint::spin_loop();
            state = lock(&self.state);
        }
        while state.inside > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A thread's life.
    fn serve(&self) {
        let mut done = 0;
        while let Some(job) = self.next(done) {
            done = job.number;
            // SAFETY: the caller of `run` keeps the body until `inside` is 0 again, and `next` counted this thread.
            unsafe { &*job.body }.work();
            let mut state = lock(&self.state);
            state.inside -= 1;
            if state.inside == 0 {
                self.left.notify_one();
            }
        }
    }

    /// The next job after number `done`, entered; `None` at the end.
    fn next(&self, done: usize) -> Option<Job> {
        let since = Instant::now();
        while self.begun.load(Ordering::Acquire) == done && since.elapsed() < PATIENCE {
            std::hint::spin_loop();
        }
        let mut state = lock(&self.state);
        loop {
            if state.end {
                return None;
            }
            if let Some(job) = state.job.filter(|job| job.number != done) {
                state.inside += 1;
                return Some(job);
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Nothing is left half done under these locks by a thread that panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A slice whose parts are written by different tasks.
pub(crate) struct Disjoint<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: it hands out parts of a slice that is borrowed for writing, and whoever takes one warrants it is the only one.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// # Safety
    /// No two parts in use at a time may overlap.
    ///
    /// # Panics
    /// Where the range is not inside the slice.
    #[expect(clippy::mut_from_ref, reason = "that is what it is for")]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "a part lies inside its slice");
        // SAFETY: inside the slice, as asserted, and not overlapping, as the caller warrants.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 5] {
            let pool = Pool::new(threads, || ());
            for tasks in [0, 1, 2, 7, 100] {
                let counts: Vec<AtomicU32> = (0..tasks).map(|_| AtomicU32::new(0)).collect();
                pool.run(tasks, &|i| {
                    counts[i].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1), "{threads} threads, {tasks} tasks");
            }
        }
    }

    #[test]
    fn a_panic_is_the_callers_and_the_pool_lives_on() {
        let pool = Pool::new(3, || ());
        let panicked = catch_unwind(AssertUnwindSafe(|| pool.run(50, &|i| assert_ne!(i, 13, "thirteen"))));
        assert!(panicked.is_err());
        let sum = AtomicUsize::new(0);
        pool.run(10, &|i| {
            sum.fetch_add(i, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 45);
    }

    #[test]
    fn a_task_may_run_tasks_and_two_may_ask_at_a_time() {
        let pool = Pool::new(2, || ());
        let sum = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..3 {
                s.spawn(|| {
                    pool.run(20, &|_| {
                        pool.run(5, &|i| {
                            sum.fetch_add(i, Ordering::Relaxed);
                        });
                    });
                });
            }
        });
        assert_eq!(sum.into_inner(), 3 * 20 * 10);
    }
}
