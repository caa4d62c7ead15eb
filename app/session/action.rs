use crate::Bond;
use crate::GridAction;
use fourstep_protocol::{Blended, DeviceChoice, Init, ModelRef, Noise, Request, Sampler, Size};
use std::ops::Range;

/// What the person did in the window.
///
/// Numbers may be anything: the session clamps and snaps them to what the model and the sampler take.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Typed into the prompt; the whole text.
    SetPrompt(String),
    /// Typed into the negative prompt; the whole text.
    SetNegativePrompt(String),
    /// Changed the prompts that are mixed into the first, or their parts.
    SetBlend(Vec<Blended>),
    /// Points at a word of the prompt, in bytes: the picture is painted without it while nothing else is wanted.
    LeaveOut(Option<Range<usize>>),
    /// Added the words of a style to both prompts.
    ApplyStyle(String),
    /// Kept both prompts as a style of this name.
    SaveStyle(String),
    /// Threw a style away.
    DeleteStyle(String),
    /// Typed or dragged the seed.
    SetSeed(u64),
    /// Rolled the dice: a random value from the caller, since the session has no source of chance.
    NewSeed(u64),
    /// Went some seeds up or down.
    NudgeSeed(i64),
    /// With the seed locked, [`Paint`](Self::Paint) never takes a fresh one.
    LockSeed(bool),
    /// Moved the guidance slider.
    SetGuidance(f32),
    /// Chose a number of steps.
    SetSteps(u32),
    /// Chose a size.
    SetSize(Size),
    /// Chose a sampler.
    SetSampler(Sampler),
    /// Chose a noise generator.
    SetNoise(Noise),
    /// Moved the slider of a LoRA.
    SetLora {
        /// Which of the request's LoRAs; one that does not exist is ignored.
        index: usize,
        /// −2 … 2.
        weight: f32,
    },
    /// Added a LoRA to the stack, or switched on one that is in it.
    AddLora(String),
    /// Took a LoRA out of the stack; one that does not exist is ignored.
    RemoveLora(usize),
    /// Dragged a LoRA to another place of the stack.
    MoveLora {
        /// Which of the request's LoRAs.
        from: usize,
        /// Its place afterwards.
        to: usize,
    },
    /// Switched a LoRA on or off; it keeps its weight.
    EnableLora {
        /// Which of the request's LoRAs.
        index: usize,
        /// On or off.
        on: bool,
    },
    /// Turned the LCM-LoRA of this model on, with all it needs, or off; where its file is not here yet, as soon as it is.
    SetFewStep(bool),
    /// Keeps the first steps of the picture that is shown, or its composition during so many steps; `None` lets go.
    Follow {
        /// How.
        bond: Bond,
        /// Clamped to 1 … steps − 1.
        steps: Option<u32>,
    },
    /// Chose an autoencoder; `None` is the model's own.
    SetVae(Option<String>),
    /// Chose a model: one of the list, or any path, which is then inspected first.
    ChooseModel(ModelRef),
    /// Chose what computes, or that it is tried again.
    ChooseDevice(DeviceChoice),
    /// Chose within how many milliseconds a change is to be seen while things move, or not.
    SetLatencyTarget(Option<u32>),
    /// Turned live painting on or off.
    SetLive(bool),
    /// Pressed Enter: paint now; where nothing changed and the seed is not locked, paint another seed.
    Paint {
        /// A random value from the caller.
        fresh_seed: u64,
    },
    /// Stop painting.
    Stop,
    /// Try again what failed.
    Retry,
    /// Put the failure away.
    DismissFailure,
    /// Put the notice away.
    DismissNotice,
    /// Take back the last change of settings.
    Undo,
    /// Take back the last [`Undo`](Self::Undo).
    Redo,
    /// Did something with the grid.
    Grid(GridAction),
    /// Drew on the canvas: what it looks like now, or `None` where it was left.
    SetCanvas(Option<Box<Init>>),
    /// Paint the picture on the stage twice as large.
    Upscale,
    /// Stop painting it larger.
    CancelUpscale,
    /// Take over the settings of a picture.
    Restore(Box<Request>),
}

/// What an edit changes; edits of one kind in quick succession are one step of undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Prompt,
    NegativePrompt,
    Blend,
    Style,
    Seed,
    NudgeSeed,
    NewSeed,
    Guidance,
    Steps,
    Size,
    Sampler,
    Noise,
    Lora(usize),
    Stack,
    Vae,
    Bond(Bond),
    Model,
    Restore,
    Canvas,
    History,
}

impl Edit {
    /// A single deliberate choice, in contrast to a stream of edits such as typing or dragging.
    pub(crate) fn is_choice(self) -> bool {
        !matches!(
            self,
            Self::Prompt
                | Self::NegativePrompt
                | Self::Blend
                | Self::Seed
                | Self::Guidance
                | Self::Lora(_)
                | Self::Canvas
        )
    }

    /// Each of these may have led to a picture worth going back to, however quickly they follow each other.
    pub(crate) fn is_undone_alone(self) -> bool {
        matches!(self, Self::NewSeed | Self::Model | Self::Stack | Self::Restore)
    }
}
