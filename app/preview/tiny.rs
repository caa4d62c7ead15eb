use crate::{Decode, DecodeError, decode::check_finite};
use fourstep_compute::{Backend, CancelToken};
use fourstep_nets::TinyAutoencoder;
use fourstep_protocol::{Latents, Picture};

/// The tiny autoencoder's decoder on any backend: a picture of full size in milliseconds.
pub struct TinyDecoder<B: Backend> {
    backend: B,
    autoencoder: TinyAutoencoder<B>,
}

impl<B: Backend> TinyDecoder<B> {
    /// `autoencoder` must have been loaded on `backend`.
    pub fn new(backend: B, autoencoder: TinyAutoencoder<B>) -> Self {
        Self { backend, autoencoder }
    }
}

impl<B: Backend> Decode for TinyDecoder<B> {
    fn decode(&mut self, latents: &Latents, cancel: &CancelToken) -> Result<Picture, DecodeError> {
        check_finite(latents)?;
        let b = self.backend.with_cancel(cancel.clone());
        let x = b.upload_image(&latents.data, latents.shape())?;
        let (values, [_, _, height, width]) = b.download_image(&self.autoencoder.decode(&b, &x)?)?;
        Ok(Picture::from_chw(&values, width as u32, height as u32)?)
    }
}
