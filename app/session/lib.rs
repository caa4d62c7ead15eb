//! What the person wants now: state machine, pacing, undo. No clock, no thread, no IO.
//!
//! A [`Session`] takes [`Action`]s from the window and events from the engine, and yields commands for the engine.
//! The time is an argument, so every rule here is a plain test.

mod act;
mod action;
mod blend;
mod bond;
mod canvas;
mod device;
mod few_step;
mod fit;
mod governor;
mod history;
mod idle;
mod inspect;
mod library;
mod loras;
mod meter;
mod moment;
mod pace;
mod prompts;
mod receive;
mod run;
mod session;
mod settings;
mod status;
mod styles;
mod tab;
mod view;

pub use action::Action;
pub use blend::{parts_at, place_of};
pub use bond::Bond;
pub use few_step::FewStep;
pub use governor::{Draft, LATENCY_TARGETS_MS};
pub use idle::{
    AxisError, AxisKind, AxisSpec, Cell, CellState, Grid, GridAction, LeftOut, Progress, TwinState, UpscaleState,
};
pub use loras::{LoraTrouble, Misfit};
pub use meter::Metrics;
pub use moment::Moment;
pub use prompts::{PromptTrouble, Spoken, speak, tag_name};
pub use run::Step;
pub use session::Session;
pub use settings::{
    JpegQuality, Language, Letters, PreviewPlace, SAMPLE_PROMPT, Settings, Shortcuts, ThemeChoice, UiSettings,
};
pub use status::{NegativeEffect, Notice, Status};
pub use tab::Tab;
