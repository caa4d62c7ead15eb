//! Which models the program knows and where their files are.
//!
//! [`Catalog`] answers for both kinds of names a [`ModelRef`](fourstep_protocol::ModelRef) can hold: ids listed in
//! `models.toml`, the program's own or a person's, and paths of folders and files. It lists what can be had
//! ([`Catalog::items`]) and what lies about on this machine ([`Catalog::scan`]), and asks no network for anything.

mod add;
mod catalog;
mod details;
mod embedded;
mod entry;
mod hub_cache;
mod inspect;
mod items;
mod location;
mod needs;
mod own;
mod places;
mod recipes;
mod repository;
mod scan;

pub use add::{Added, Addition, ListFiles};
pub use catalog::Catalog;
pub use details::{LoraDetails, ModelDetails, NetworkDetails};
pub use hub_cache::{cache_dir, repo_dir, snapshot_dir, snapshot_file};
pub use location::{HubFile, Location, LoraLocation};
pub use own::FolderKind;
pub use places::{Places, config_dir, scratch_dir};
