//! Files of models from a hub into the Hugging Face cache.
//!
//! [`Hub`] fetches the [`HubFile`](fourstep_catalog::HubFile)s that a catalog names, so that Python's
//! `huggingface_hub` finds them too and nothing is fetched twice. [`Downloads`] does it on a thread, one at a time.
//!
//! hf-hub lists repositories and resolves what a revision names. The transfer is ours: hf-hub 1.0 cannot resume or
//! cancel one, loses the checksums of files that lie on another host, and takes the text of a refusal for the file.

mod ask;
mod cache;
mod cancel;
mod checksum;
mod config;
mod downloads;
mod fetch;
mod hub;
mod list;
mod part;
mod patience;
mod plan;
mod problem;
mod progress;
mod space;
mod verify;
mod wait;

pub use cancel::{CancelFlag, Stop};
pub use config::HubConfig;
pub use downloads::{DownloadState, Downloads};
pub use hub::Hub;
pub use patience::Patience;
pub use verify::{Soundness, Verified};
