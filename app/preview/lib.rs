//! Latents to something to look at while the run goes on.
//!
//! [`Previewer`] decodes on a thread of its own, the newest step first, and within a [`Budget`]: a preview must never
//! slow down noticeably the run that it shows.

mod budget;
mod decode;
mod on_window;
mod previewer;
mod tiny;
mod turns;

pub use budget::{Budget, Plan};
pub use decode::{Decode, DecodeError, LinearDecoder, half_size};
pub use on_window::{Show, WindowDecoder};
pub use previewer::{Decoders, Image, Job, OpenShow, Preview, Previewer};
pub use tiny::TinyDecoder;
pub use turns::Turns;
