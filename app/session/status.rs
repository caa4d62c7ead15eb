use fourstep_protocol::Failure;

/// What is going on, as the window shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// The engine has not said anything yet.
    Starting,
    /// Nothing to do.
    Idle,
    /// A change is held back until the person pauses.
    Waiting {
        /// 0 … 1 of the pause has passed.
        fraction: f32,
    },
    /// A model is being opened or inspected.
    Loading {
        /// Which.
        what: String,
        /// 0 … 1; 0 where it is not known.
        fraction: f32,
    },
    /// A run is in progress.
    Painting {
        /// Steps done, 0 … steps.
        step: u32,
        /// Steps of the run.
        steps: u32,
    },
    /// Live painting is off and nothing is being painted.
    Paused,
    /// The last run, or opening a model, failed.
    Failed(Failure),
}

/// Whether the negative prompt does anything, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegativeEffect {
    /// An unconditional pass runs and takes the negative prompt.
    Active,
    /// Guidance is 1: no unconditional pass runs.
    NoUnconditionalPass,
    /// Guidance is trained into the network: there is only one pass.
    GuidanceEmbedded,
    /// The model has no guidance at all.
    NoGuidance,
}

/// Something the session did differently from what was asked; a sentence for the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// Plain text: `Guidance was 7.0, now 2.0: …`.
    pub text: String,
}

/// What a [`Notice`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// A value was out of range and was brought into it.
    Adjusted,
    /// The picture was painted with a model that is not here.
    UnknownModel,
}
