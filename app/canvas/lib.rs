//! A page that is drawn on, and pictures larger than a run.
//!
//! A [`Document`] is what the canvas of the window edits: layers, tools, undo; what it looks like is the picture that an
//! image-to-image run starts from. [`outpaint`] enlarges a picture and [`Upscale`] paints one larger, tile by tile. Plain
//! arithmetic on pixels: no window, no clock, no thread, no IO.

mod area;
mod brush;
mod document;
mod fill;
mod history;
mod layer;
mod outpaint;
mod page;
mod paste;
mod plane;
mod shape;
mod stroke;
mod tiles;
mod upscale;

pub use area::Area;
pub use brush::{Brush, Dab};
pub use document::Document;
pub use layer::{Ink, Layer};
pub use outpaint::{Margins, Outpainted, outpaint};
pub use page::Page;
pub use paste::{Pasted, Placement};
pub use shape::{Shape, ShapeKind};
pub use upscale::{NotUpscaled, Upscale, UpscaleOptions};
