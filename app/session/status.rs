use fourstep_protocol::{Failure, Guidance, ModelRef, Sampler, Size};

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

/// Something the session did differently from what was asked; the window has the words.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The size was none that can be painted.
    Size {
        /// What was asked for.
        asked: Size,
        /// What it became.
        used: Size,
    },
    /// The sampler does not take so many steps, or so few.
    Steps {
        /// What was asked for.
        asked: u32,
        /// What it became.
        used: u32,
        /// Decides how many there may be.
        sampler: Sampler,
    },
    /// The guidance scale was out of range.
    Guidance {
        /// What was asked for.
        asked: f32,
        /// What it became.
        used: f32,
        /// Decides the range, with the sampler.
        guidance: Guidance,
        /// Decides the range, with the guidance.
        sampler: Sampler,
    },
    /// A mask that did not fit its picture, or was empty, is left out.
    Mask,
    /// A LoRA that was to be added is there and on.
    LoraInStack {
        /// What people call it.
        name: String,
    },
    /// The picture was painted with a model that is not here: its other settings are used with this one.
    UnknownModel {
        /// What it was painted with.
        missing: ModelRef,
        /// What people call the model that paints now.
        used: String,
    },
}
