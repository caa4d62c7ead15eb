//! Latents to something to look at while the run goes on.
//!
//! [`Previewer`] decodes on a thread of its own, the newest step first, and within a [`Budget`]: a preview must never
//! slow down noticeably the run that it shows.

mod budget;
mod decode;
mod previewer;
mod tiny;

pub use budget::{Budget, Plan};
pub use decode::{Decode, DecodeError, LinearDecoder, half_size};
pub use previewer::{Decoders, Job, Preview, Previewer};
pub use tiny::TinyDecoder;
