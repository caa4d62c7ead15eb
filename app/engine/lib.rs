//! Prompt to picture: tokens, noise, samplers, pipeline, worker thread.
//!
//! [`Engine`] is the near end: a [`Client`](fourstep_protocol::Client) whose far end is a thread that owns the device,
//! the models and all caches.

mod engine;
mod fault;
mod init_image;
mod lru;
mod mailbox;
mod model;
pub mod noise;
mod noise_tape;
mod observed;
mod options;
mod pipeline;
pub mod samplers;
mod text;
pub mod tokenizer;
mod worker;

pub use engine::Engine;
pub use fourstep_compute::candle::Precision;
pub use model::open_tiny_decoder;
pub use options::{BackendChoice, EngineOptions};
