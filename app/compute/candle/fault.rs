use crate::ComputeError;

/// What ends an operation while it runs, before the backend has put its name and device to it.
pub(super) enum Fault {
    /// candle failed; becomes [`ComputeError::Device`].
    Candle(candle_core::Error),
    /// Already says what it has to.
    Compute(ComputeError),
}

impl Fault {
    /// As the caller sees it.
    pub(super) fn named(self, operation: &'static str, device: &str) -> ComputeError {
        match self {
            Self::Candle(e) => ComputeError::Device { operation, device: device.into(), message: e.to_string() },
            Self::Compute(e) => e,
        }
    }
}

impl From<candle_core::Error> for Fault {
    fn from(e: candle_core::Error) -> Self {
        Self::Candle(e)
    }
}

impl From<ComputeError> for Fault {
    fn from(e: ComputeError) -> Self {
        Self::Compute(e)
    }
}

/// The result of the parts of an operation.
pub(super) type Outcome<T> = std::result::Result<T, Fault>;
