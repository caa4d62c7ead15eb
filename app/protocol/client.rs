use crate::{Command, Event};

/// The near end of an engine, wherever the engine is: a thread here, a double in a test, later another machine.
pub trait Client: Send {
    /// Hands over a command and returns at once. A newer [`Command::Generate`] supersedes an older one.
    ///
    /// # Errors
    /// [`ClientClosed`] where the engine is gone for good.
    fn send(&self, command: Command) -> Result<(), ClientClosed>;

    /// The next event, if one is waiting.
    fn try_event(&self) -> Option<Event>;
}

/// The engine behind a [`Client`] is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the inference thread has ended")]
pub struct ClientClosed;
