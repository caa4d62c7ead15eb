//! Pictures kept: PNG files that carry their settings.
//!
//! A saved picture holds its whole [`Request`](fourstep_protocol::Request) as JSON (text chunk `fourstep`) and, for
//! every other program, AUTOMATIC1111's infotext (text chunk `parameters`). Opening one gives the settings back.

mod atomic;
mod comfy;
mod exif;
mod grid_page;
mod index;
mod infotext;
mod lora_hash;
mod name;
mod open;
mod page;
mod restore;
mod save;
mod sheet;
mod thumbnail;
mod timeline;

pub use atomic::{check_writable, write_atomically};
pub use grid_page::{GridPage, compose_grid};
pub use index::{Entry, Index, Listing, Query, thumbnails};
pub use infotext::Infotext;
pub use lora_hash::{lora_hash, lora_hash_of};
pub use name::{data_folder, default_folder, next_number, suggested_name};
pub use open::{Opened, open, open_coverage};
pub use restore::{Here, Restored};
pub use save::save;
pub use sheet::{Panel, compose};
pub use timeline::{DEFAULT_TIMELINE_BYTES, Frame, FrameId, Kept, KeptFrame, Timeline};
