//! Latents ⇄ picture, by either kind of autoencoder.

use crate::{
    fault::{Result, not_a_number},
    loading::{Loading, Watched},
};
use fourstep_compute::{Backend, CancelToken};
use fourstep_nets::{Autoencoder, AutoencoderConfig, TinyAutoencoder, TinyAutoencoderConfig};
use fourstep_protocol::{Failure, Latents, Picture, Size};
use fourstep_weights::{Network, NetworkClass};
use std::sync::Arc;

/// An autoencoder on the device.
///
/// In half precision some overflow: the stock one of SDXL does at every picture. Where that happens the work is done
/// again in f32, and from then on at once.
pub(crate) struct Vae<B: Backend> {
    network: Network,
    coder: Coder<B>,
    in_f32: Option<(B, Coder<B>)>,
}

/// What a run computes on.
pub(crate) struct Device<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) cancel: &'a CancelToken,
}

enum Coder<B: Backend> {
    /// `AutoencoderKL`, the full one.
    Kl(Box<Autoencoder<B>>),
    /// `AutoencoderTiny`.
    Tiny(Box<TinyAutoencoder<B>>),
}

impl<B: Backend> Vae<B> {
    pub(crate) fn load(b: &B, network: Network, loading: &Loading<'_>) -> Result<Self> {
        Ok(Self { coder: Coder::load(b, &network, loading)?, network, in_f32: None })
    }

    /// What it was loaded from.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Latents `[1, 4, h, w]` → picture.
    pub(crate) fn decode(&mut self, device: &Device<'_, B>, latents: &Latents) -> Result<Picture> {
        let decoded = self.run(device, |b, coder| {
            let x = b.upload_image(&latents.data, latents.shape())?;
            let image = match coder {
                Coder::Kl(vae) => vae.decode(b, &x)?,
                Coder::Tiny(vae) => vae.decode(b, &x)?,
            };
            let (pixels, [_, _, h, w]) = b.download_image(&image)?;
            Ok(Picture::from_chw(&pixels, w as u32, h as u32).ok())
        })?;
        decoded.ok_or_else(|| not_a_number("pixels"))
    }

    /// A picture in −1 … 1, `[3, h, w]` → latents `[4, h/8, w/8]`. `noise` is drawn only where the autoencoder's
    /// posterior is sampled.
    pub(crate) fn encode(
        &mut self,
        device: &Device<'_, B>,
        pixels: &[f32],
        size: Size,
        mut noise: impl FnMut() -> Arc<[f32]>,
    ) -> Result<Vec<f32>> {
        if !self.network.weights.contains(ENCODER[0]) && !self.network.weights.contains(ENCODER[1]) {
            return Err(no_encoder().into());
        }
        let mut drawn = None;
        let latents = self.run(device, |b, coder| {
            let image = b.upload_image(pixels, [1, 3, size.height as usize, size.width as usize])?;
            let latents = match coder {
                Coder::Tiny(vae) => b.download_image(&vae.encode(b, &image)?)?.0,
                Coder::Kl(vae) => vae.encode(b, &image)?.sample(drawn.get_or_insert_with(&mut noise)),
            };
            Ok(latents.iter().all(|v| v.is_finite()).then_some(latents))
        })?;
        latents.ok_or_else(|| not_a_number("latents of the picture"))
    }

    /// Does what gives `None` where numbers overflowed, in f32 if need be.
    fn run<T>(
        &mut self,
        device: &Device<'_, B>,
        mut work: impl FnMut(&B, &Coder<B>) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        if self.in_f32.is_none() {
            let done = work(device.backend, &self.coder)?;
            if done.is_some() || device.backend.info().precision == "f32" {
                return Ok(done);
            }
            log::info!("the autoencoder overflows in {}: f32 from now on", device.backend.info().precision);
        }
        let (b, coder) = match self.in_f32.take() {
            Some(open) => open,
            None => {
                let b = device.backend.in_f32()?;
                let loading = Loading::new(device.cancel.clone(), self.network.elements(), &|_| ());
                let coder = Coder::load(&b, &self.network, &loading)?;
                (b, coder)
            }
        };
        let (b, coder) = self.in_f32.insert((b, coder));
        work(&b.with_cancel(device.cancel.clone()), coder)
    }
}

impl<B: Backend> Coder<B> {
    fn load(b: &B, network: &Network, loading: &Loading<'_>) -> Result<Self> {
        let source = Watched::new(&*network.weights, loading);
        let config = &network.config;
        Ok(match network.class {
            NetworkClass::AutoencoderTiny => {
                let config: TinyAutoencoderConfig = from_config(config)?;
                Self::Tiny(Box::new(match network.weights.contains(ENCODER[1]) {
                    true => TinyAutoencoder::load(b, &source, &config)?,
                    false => TinyAutoencoder::load_decoder(b, &source, &config)?,
                }))
            }
            _ => {
                let config: AutoencoderConfig = from_config(config)?;
                Self::Kl(Box::new(match network.weights.contains(ENCODER[0]) {
                    true => Autoencoder::load(b, &source, &config)?,
                    false => Autoencoder::load_decoder(b, &source, &config)?,
                }))
            }
        })
    }
}

/// A key of the encoder, by the names of `AutoencoderKL` and of `AutoencoderTiny`.
const ENCODER: [&str; 2] = ["encoder.conv_in.weight", "encoder.layers.0.weight"];

/// A network's `config.json` as that network reads it.
pub(crate) fn from_config<T: serde::de::DeserializeOwned>(config: &serde_json::Value) -> Result<T> {
    T::deserialize(config).map_err(|e| {
        let remedy = "Download or export the model again.";
        Failure::input("The model's configuration could not be read", e, remedy).into()
    })
}

/// Numbers that decoding a picture keeps at the same time, at most: where it is largest, what goes through the last
/// level of the decoder with the width of the one before it, before and after a norm, and with its own. Measured with
/// `examples/load_time.rs` on SD1.5: 3.8 KB for each px, of which this is all.
pub(crate) fn working_numbers(network: &Network, size: Size) -> u64 {
    let widths = |option: &str| -> Option<Vec<u64>> {
        network.config[option].as_array()?.iter().map(serde_json::Value::as_u64).collect()
    };
    let per_px = match network.class {
        NetworkClass::AutoencoderTiny => {
            let first = widths("decoder_block_out_channels").and_then(|widths| widths.first().copied());
            first.unwrap_or(64).saturating_mul(3)
        }
        _ => match widths("block_out_channels").as_deref() {
            Some([own, before, ..]) => own.saturating_add(*before).saturating_mul(5) / 2,
            Some([own]) => own.saturating_mul(5),
            _ => 960,
        },
    };
    per_px.saturating_mul(u64::from(size.width) * u64::from(size.height))
}

fn no_encoder() -> Failure {
    Failure::input(
        "The picture could not be encoded",
        "the autoencoder has a decoder only, which cannot start from a picture",
        "Choose a full autoencoder, or paint without a picture.",
    )
}
