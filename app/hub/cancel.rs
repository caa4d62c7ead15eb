use fourstep_protocol::Failure;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Ends a download from another thread. Clones are one flag.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Asks for the end; what arrived is kept.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the end was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Why files did not all arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The person did not want them any more.
    #[error("stopped")]
    Cancelled,
    /// They could not be fetched.
    #[error(transparent)]
    Failed(#[from] Failure),
}
