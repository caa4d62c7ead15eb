//! What a prompt says beyond its words: AUTOMATIC1111's weights, `BREAK` and `<lora:name:weight>` tags, comments,
//! wildcards and styles.
//!
//! A typed prompt goes two ways. [`resolve`] takes comments, wildcards and tags out of it, before a request is sent; what
//! is left are words and weights, which [`pieces`] reads when they are encoded. [`highlight`] and [`reweigh`] serve the
//! editor. Plain values: no files, no chance but the seed.

mod attention;
mod comments;
mod highlight;
mod resolve;
mod reweigh;
mod scan;
mod style;
mod tags;
mod wildcards;
mod words;

pub use attention::{Part, Piece, pieces};
pub use highlight::{Mark, Span, highlight};
pub use resolve::{Problem, Resolved, resolve};
pub use reweigh::{Reweighed, reweigh};
pub use style::Style;
pub use tags::{LoraTag, lora_tags};
pub use wildcards::Wildcards;
pub use words::{without, word_at};
