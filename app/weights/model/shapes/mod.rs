//! What a diffusers `config.json` would say of a network, from the shapes of its tensors under diffusers' keys.

mod clip;
mod tiny;
mod unet;
mod vae;

pub(super) use clip::clip;
pub(super) use tiny::tiny;
pub(super) use unet::unet;
pub(super) use vae::vae;

use crate::{Fault, KeyedSource};
use serde_json::{Value, json};

/// Channels of the latents of the whole Stable Diffusion family; later families have 16 and more.
const LATENT_CHANNELS: usize = 4;
/// Of an autoencoder that makes 8 px of a latent.
const LEVELS: usize = 4;

/// The shapes of a network's tensors.
#[derive(Clone, Copy)]
pub(super) struct Shapes<'a>(pub(super) &'a dyn KeyedSource);

impl Shapes<'_> {
    /// A side of a tensor that every network of its kind has; axis 0 is the outermost.
    fn side(self, key: &str, axis: usize) -> Result<usize, Fault> {
        let side = self.0.shape(key).and_then(|shape| shape.get(axis)).copied();
        side.ok_or_else(|| Fault::Incomplete(key.to_owned()))
    }

    fn has(self, key: &str) -> bool {
        self.0.contains(key)
    }

    /// How many of a numbered list there are: `key` names a tensor that each has.
    fn count(self, key: impl Fn(usize) -> String) -> usize {
        (0..).take_while(|index| self.has(&key(*index))).count()
    }
}

/// One value where all are the same.
fn compact(values: &[usize]) -> Value {
    match values {
        [first, rest @ ..] if rest.iter().all(|value| value == first) => json!(first),
        values => json!(values),
    }
}
