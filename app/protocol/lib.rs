//! What the rooms say to each other: requests, commands, events, pictures.
//!
//! Plain values with `serde`, no behaviour beyond checking themselves, so that a window, a command line, a saved
//! PNG and (later) a remote worker all speak of the same thing.

mod anchor;
mod base64;
mod client;
mod device;
mod failure;
mod family;
mod library;
mod lora;
mod lost;
mod mask;
mod message;
mod model;
mod picture;
mod prompt;
mod request;
mod sampler;

pub use anchor::Anchor;
pub use client::{Client, ClientClosed};
pub use device::{DeviceChoice, DeviceInfo};
pub use failure::{Failure, FailureKind};
pub use family::Family;
pub use library::{Availability, DownloadPhase, DownloadProgress, ItemKind, LibraryItem, Origin};
pub use lora::{LoraInfo, LoraRef, LoraReport};
pub use lost::Lost;
pub use mask::{Coverage, Mask};
pub use message::{Command, Event, Finished, RunId, Timings};
pub use model::{Guidance, ModelInfo, ModelRef, Recipe};
pub use picture::{Latents, NotAPicture, Picture};
pub use prompt::{Blended, PromptReading, TokenCount, Typed};
pub use request::{Init, Invalid, Request, Size};
pub use sampler::{Noise, Sampler};
