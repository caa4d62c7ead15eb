//! Pictures kept: files that carry their settings.
//!
//! A saved picture holds its whole [`Request`](fourstep_protocol::Request) as JSON (text chunk `fourstep`) and, for
//! every other program, AUTOMATIC1111's infotext (text chunk `parameters`); a JPEG or WebP has both in its EXIF block. Opening one gives the settings back.

mod animation;
mod atomic;
mod comfy;
mod exif;
mod format;
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

pub use animation::{Shot, animate};
pub use atomic::{check_writable, write_atomically};
pub use format::{Format, JPEG_QUALITY};
pub use grid_page::{GridPage, compose_grid};
pub use index::{Entry, Index, Listing, Query, thumbnails};
pub use infotext::Infotext;
pub use lora_hash::{lora_hash, lora_hash_of};
pub use name::{data_folder, default_folder, next_number, suggested_name};
pub use open::{Opened, open, open_coverage};
pub use restore::{Here, Restored};
pub use save::{save, save_with};
pub use sheet::{Panel, compose};
pub use timeline::{DEFAULT_TIMELINE_BYTES, Frame, FrameId, Kept, KeptFrame, Timeline};
