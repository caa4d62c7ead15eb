//! Prompt to picture: tokens, noise, samplers, pipeline, worker thread.
//!
//! [`Engine`] is the near end: a [`Client`](fourstep_protocol::Client) whose far end is a thread that owns the device,
//! the models and all caches.

mod base;
pub mod chunks;
mod composition;
mod denoise;
mod engine;
mod far_end;
mod fault;
mod init_image;
mod loading;
mod loras;
mod lru;
mod mailbox;
mod mask;
mod memory;
mod model;
mod models;
mod network_set;
mod networks;
pub mod noise;
mod noise_tape;
mod options;
mod pipeline;
pub mod samplers;
mod text;
mod tiny_decoder;
pub mod tokenizer;
mod vae;
mod way;
mod worker;

pub use engine::Engine;
pub use fourstep_compute::{
    Precision,
    cpu::{Isa, Profiler},
};
pub use memory::{AvailableBytes, available_bytes};
pub use options::{BackendChoice, DeviceOptions, EngineOptions, OpenDevice};
pub use tiny_decoder::open_tiny_decoder;
