//! Which models the program knows and where their files are.
//!
//! [`Catalog`] answers for both kinds of names a [`ModelRef`](fourstep_protocol::ModelRef) can hold: ids listed in
//! `models.toml`, and paths of folders in the diffusers layout.

mod catalog;
mod embedded;
mod entry;
mod folder;
mod places;

pub use catalog::{Catalog, Location, LoraLocation};
pub use entry::{LoraEntry, ModelEntry, Source};
pub use places::config_dir;
