//! CLIP, U-Net and autoencoders, written once, generic over the backend.
//!
//! Each network is configured by the `config.json` that lies beside its weights in a diffusers folder, and its fields
//! are named like the checkpoint's keys. A method reads like the paper; layout, precision and fusion are the
//! [`Backend`](fourstep_compute::Backend)'s.

pub mod autoencoder;
pub mod clip;
pub mod config;
mod embedding;
mod packs;
pub mod params;
mod resnet;
pub mod tiny_autoencoder;
pub mod unet;

pub use autoencoder::{Autoencoder, AutoencoderConfig, Posterior};
pub use clip::{ClipTextConfig, ClipTextEncoder, TextEncoding};
pub use packs::Packs;
pub use params::Params;
pub use tiny_autoencoder::{TinyAutoencoder, TinyAutoencoderConfig};
pub use unet::{Conditioning, TimeEmbedding, TimeExtras, UNet, UNetConfig};
