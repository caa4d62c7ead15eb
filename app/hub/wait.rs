use crate::{CancelFlag, problem::Problem};
use std::{
    future::Future,
    pin::pin,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Why an attempt ended early.
#[derive(Debug)]
pub(crate) enum Halt {
    Cancelled,
    Problem(Problem),
}

impl<P: Into<Problem>> From<P> for Halt {
    fn from(problem: P) -> Self {
        Self::Problem(problem.into())
    }
}

/// How often a waiting download looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// Waits for `future`, for at most `limit`, as long as it is wanted; `tick` is called meanwhile.
///
/// # Errors
/// [`Halt::Cancelled`], or [`Problem::Stalled`] after `limit`.
pub(crate) async fn wait<T>(
    future: impl Future<Output = T>,
    limit: Duration,
    cancel: &CancelFlag,
    mut tick: impl FnMut(),
) -> Result<T, Halt> {
    let begun = Instant::now();
    let mut future = pin!(future);
    loop {
        if cancel.is_cancelled() {
            return Err(Halt::Cancelled);
        }
        let left = limit.saturating_sub(begun.elapsed());
        match timeout(left.min(LOOK), future.as_mut()).await {
            Ok(output) => return Ok(output),
            Err(_) if begun.elapsed() >= limit => return Err(Problem::Stalled { limit }.into()),
            Err(_) => tick(),
        }
    }
}
