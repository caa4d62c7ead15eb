//! Which models the program knows and where their files are.
//!
//! [`Catalog`] answers for both kinds of names a [`ModelRef`](fourstep_protocol::ModelRef) can hold: ids listed in
//! `models.toml`, and paths of folders in the diffusers layout.

mod catalog;
mod embedded;
mod entry;
mod folder;
mod hub_cache;
mod hub_file;
mod places;

pub use catalog::{Catalog, Location, LoraLocation};
pub use entry::{LoraEntry, ModelEntry, Source};
pub use hub_cache::{cache_dir, repo_dir, snapshot_dir, snapshot_file};
pub use hub_file::HubFile;
pub use places::config_dir;
