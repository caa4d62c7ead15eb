use crate::{
    DeviceChoice, DeviceInfo, Failure, Latents, LoraReport, ModelInfo, ModelRef, Picture, PromptReading, Request,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Names one run; later runs have larger numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

/// What a client asks of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Paint this; whatever was being painted is abandoned.
    Generate {
        /// Larger than every run asked for before.
        run: RunId,
        /// What to paint.
        request: Arc<Request>,
    },
    /// Abandon the run in progress.
    Stop,
    /// Say what this model is, without loading its weights.
    Inspect(ModelRef),
    /// Compute on this from the next run on; [`Event::Ready`] says when it is so.
    Compute(DeviceChoice),
}

/// What the engine tells.
#[derive(Clone, Debug)]
pub enum Event {
    /// The engine is up and computes on this; told again whenever the device has changed.
    Ready(DeviceInfo),
    /// What computed failed, or what was chosen could not be opened. The processor goes on, as the next
    /// [`Ready`](Self::Ready) says; a run that was in progress begins again there.
    DeviceFailed(Failure),
    /// Answer to [`Command::Inspect`].
    Inspected(Box<ModelInfo>),
    /// Something long is being prepared for this run.
    Loading {
        /// For which run.
        run: RunId,
        /// What: `Sticker`.
        what: String,
        /// 0 … 1.
        fraction: f32,
    },
    /// The LoRAs of this run were merged into the model's networks.
    Merged {
        /// For which run.
        run: RunId,
        /// One for each LoRA of the request whose weight is not 0, in its order.
        reports: Vec<LoraReport>,
    },
    /// The run's first step begins.
    Started {
        /// Which run.
        run: RunId,
        /// Steps that it will take.
        steps: u32,
        /// How the prompt is read.
        prompt: Arc<PromptReading>,
    },
    /// A step is done.
    Step {
        /// Which run.
        run: RunId,
        /// 1 … steps.
        step: u32,
        /// Steps of the run.
        steps: u32,
        /// What the network takes the picture to be after this step.
        denoised: Arc<Latents>,
        /// Time since the run was picked up.
        elapsed_secs: f64,
    },
    /// The picture is there.
    Finished(Box<Finished>),
    /// The run was abandoned.
    Stopped {
        /// Which run.
        run: RunId,
    },
    /// The run, or an inspection (`run` is `None`), failed; the engine lives on.
    Failed {
        /// Which run.
        run: Option<RunId>,
        /// What, why, what now.
        failure: Failure,
    },
}

impl Event {
    /// The run this event belongs to.
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::Ready(_) | Self::DeviceFailed(_) | Self::Inspected(_) => None,
            Self::Loading { run, .. }
            | Self::Merged { run, .. }
            | Self::Started { run, .. }
            | Self::Step { run, .. }
            | Self::Stopped { run } => Some(*run),
            Self::Finished(finished) => Some(finished.run),
            Self::Failed { run, .. } => *run,
        }
    }
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Which run.
    pub run: RunId,
    /// What was painted, as it was asked for.
    pub request: Arc<Request>,
    /// The picture.
    pub picture: Arc<Picture>,
    /// The latents it was decoded from.
    pub latents: Arc<Latents>,
    /// Where the time went.
    pub timings: Timings,
}

/// Where the time of a run went, in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// Opening the model and packing its weights; 0 where it was loaded already.
    pub load_secs: f64,
    /// Tokenising and encoding the prompts; next to 0 where they were cached.
    pub text_secs: f64,
    /// Each step.
    pub step_secs: Vec<f64>,
    /// Latents to picture.
    pub decode_secs: f64,
    /// Everything but loading.
    pub total_secs: f64,
}
