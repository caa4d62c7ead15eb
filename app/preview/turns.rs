use crate::DecodeError;
use fourstep_compute::{
    CancelToken,
    gpu::{Recording, Tensor},
};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What the card may be kept busy with at a time, in seconds: the window's own drawing waits for no more than this.
const SLICE_SECS: f64 = 0.003;
/// How often somebody who waits looks whether it is still wanted.
const GLANCE: Duration = Duration::from_millis(5);

/// Work for the card that draws a window, done in turns by the thread that draws it. Nobody else may hand in anything there:
/// a window whose size changes waits until its card has nothing to do, and ends where that does not come.
#[derive(Clone)]
pub struct Turns(Arc<Shared>);

struct Shared {
    desk: Mutex<Desk>,
    changed: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Desk {
    /// What is being computed.
    work: Option<Work>,
    /// What is done, and how it ended.
    done: Option<(Recorded, Result<(), DecodeError>)>,
}

/// Operations that were recorded, and the latents that they begin with.
pub(crate) struct Recorded {
    pub(crate) recording: Recording,
    pub(crate) latents: Tensor,
}

struct Work {
    recorded: Recorded,
    /// Not yet handed in.
    values: Option<Vec<f32>>,
}

impl Turns {
    /// `wake` asks the window to draw a frame, and with it to take a turn.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { desk: Mutex::default(), changed: Condvar::new(), wake: Box::new(wake) }))
    }

    /// Hands in a slice of what is to be done; whether there is more. Called by the thread that draws, once in a frame.
    pub fn take(&self) -> bool {
        let mut desk = self.0.desk();
        let Some(mut work) = desk.work.take() else { return false };
        match work.advance() {
            Ok(false) => desk.work = Some(work),
            ended => {
                desk.done = Some((work.recorded, ended.map(drop)));
                self.0.changed.notify_all();
            }
        }
        desk.work.is_some()
    }

    /// Has this computed, and waits for it; gives it back, to be computed again.
    pub(crate) fn compute(
        &self,
        recorded: Recorded,
        values: Vec<f32>,
        cancel: &CancelToken,
    ) -> (Recorded, Result<(), DecodeError>) {
        let mut desk = self.0.desk();
        *desk = Desk { work: Some(Work { recorded, values: Some(values) }), done: None };
        (self.0.wake)();
        loop {
            if let Some(done) = desk.done.take() {
                return done;
            }
            if cancel.is_cancelled()
                && let Some(Work { recorded, .. }) = desk.work.take()
            {
                return (recorded, Err(DecodeError::Cancelled));
            }
            let waited = self.0.changed.wait_timeout(desk, GLANCE);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Work {
    /// Whether that was the last slice.
    fn advance(&mut self) -> Result<bool, DecodeError> {
        let Recorded { recording, latents } = &mut self.recorded;
        if let Some(values) = self.values.take() {
            recording.write_image(latents, &values)?;
        }
        Ok(recording.advance(SLICE_SECS)?.is_break())
    }
}

impl Shared {
    /// What panics while it is held is a driver's doing; the desk is as it was.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
