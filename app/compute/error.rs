/// What can go wrong while computing.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// The run was superseded; not a fault.
    #[error("cancelled")]
    Cancelled,
    /// A tensor does not have the shape an operation or a network needs.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which tensor: a checkpoint key or an operand.
        what: String,
        /// The shape needed.
        expected: String,
        /// The shape given.
        found: String,
    },
    /// A checkpoint lacks a tensor.
    #[error("tensor {0} is missing")]
    Missing(String),
    /// A weight is not a number, which would show as a black picture much later.
    #[error("tensor {0} holds values that are not numbers (NaN or infinity)")]
    NotFinite(String),
    /// The device or its library failed.
    #[error("{operation} failed on {device}: {message}")]
    Device {
        /// Which operation.
        operation: &'static str,
        /// Which device.
        device: String,
        /// What the library said.
        message: String,
    },
    /// The device is gone (taken out, reset by its driver after a fault, or its driver was replaced): nothing that is
    /// asked of it later will be done. Another one has to be opened.
    #[error("{device} was lost: {message}")]
    DeviceLost {
        /// Which device.
        device: String,
        /// What the library said.
        message: String,
    },
    /// A network cannot be built from this configuration.
    #[error("{0}")]
    Unsupported(String),
}

/// The result of everything that computes.
pub type Result<T, E = ComputeError> = std::result::Result<T, E>;

impl From<fourstep_kernels::Cancelled> for ComputeError {
    fn from(_: fourstep_kernels::Cancelled) -> Self {
        Self::Cancelled
    }
}
