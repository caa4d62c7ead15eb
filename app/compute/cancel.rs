use crate::{ComputeError, Result};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Below this number all work is cancelled. One floor is shared by whoever asks for work and whoever does it, so that
/// asking for run 8 ends run 7 between two operations without a message being read.
#[derive(Clone, Debug, Default)]
pub struct CancelFloor(Arc<AtomicU64>);

impl CancelFloor {
    /// Cancels every ticket below `ticket`. The floor never sinks.
    pub fn raise(&self, ticket: u64) {
        self.0.fetch_max(ticket, Ordering::Release);
    }

    /// A token that the next [`raise`](Self::raise) to a higher number cancels.
    pub fn token_until_raised(&self) -> CancelToken {
        self.token(self.0.load(Ordering::Acquire))
    }

    /// The token for the work with this number.
    pub fn token(&self, ticket: u64) -> CancelToken {
        CancelToken { floor: self.clone(), ticket }
    }
}

/// Tells one piece of work whether it is still wanted.
#[derive(Clone, Debug)]
pub struct CancelToken {
    floor: CancelFloor,
    ticket: u64,
}

impl CancelToken {
    /// A token that is never cancelled.
    pub fn never() -> Self {
        CancelFloor::default().token(u64::MAX)
    }

    /// Whether the work is no longer wanted.
    pub fn is_cancelled(&self) -> bool {
        self.floor.0.load(Ordering::Acquire) > self.ticket
    }

    /// [`ComputeError::Cancelled`] where the work is no longer wanted.
    ///
    /// # Errors
    /// Only that one.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(ComputeError::Cancelled) } else { Ok(()) }
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::never()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_the_floor_cancels_older_tickets_only() {
        let floor = CancelFloor::default();
        let (old, new) = (floor.token(7), floor.token(8));
        floor.raise(8);
        assert!(old.is_cancelled() && !new.is_cancelled());
        floor.raise(3);
        assert!(old.is_cancelled(), "the floor never sinks");
        assert!(!CancelToken::never().is_cancelled());
    }
}
