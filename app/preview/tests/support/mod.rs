//! The embedded model's tiny decoder, and latents for it.

#![allow(dead_code, reason = "each test binary uses some of it")]

use fourstep_compute::{
    Backend, ComputeError, Element, HostTensor, Precision, TensorSource,
    candle::{Candle, Device},
};
use fourstep_nets::{TinyAutoencoder, TinyAutoencoderConfig};
use fourstep_preview::TinyDecoder;
use fourstep_protocol::Latents;
use std::{fs, path::Path, sync::Arc};

struct File(Vec<u8>);

impl TensorSource for File {
    fn tensor(&self, key: &str) -> Result<HostTensor, ComputeError> {
        let file = safetensors::SafeTensors::deserialize(&self.0).expect("a whole file");
        let view = file.tensor(key).map_err(|_| ComputeError::Missing(key.into()))?;
        let element = match view.dtype() {
            safetensors::Dtype::F16 => Element::F16,
            safetensors::Dtype::BF16 => Element::Bf16,
            _ => Element::F32,
        };
        let bytes = view.data().to_vec();
        let len = bytes.len();
        HostTensor::view(key, view.shape().to_vec(), element, Arc::new(bytes), 0, len)
    }

    fn contains(&self, key: &str) -> bool {
        safetensors::SafeTensors::deserialize(&self.0).is_ok_and(|file| file.tensor(key).is_ok())
    }
}

/// Its weights on a backend.
pub(crate) fn autoencoder<B: Backend>(b: &B) -> TinyAutoencoder<B> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sticker/teacher/vae");
    let config: TinyAutoencoderConfig =
        serde_json::from_slice(&fs::read(folder.join("config.json")).expect("config")).expect("JSON");
    let weights = File(fs::read(folder.join("diffusion_pytorch_model.safetensors")).expect("weights"));
    TinyAutoencoder::load_decoder(b, &weights, &config).expect("loads")
}

/// On the processor.
pub(crate) fn decoder() -> TinyDecoder<Candle> {
    let backend = Candle::open(Device::Cpu, Precision::Auto).expect("the processor");
    let tiny = autoencoder(&backend);
    TinyDecoder::new(backend, tiny)
}

pub(crate) fn latents(side: usize) -> Latents {
    let data = (0..4 * side * side).map(|i| (i as f32 * 0.37).sin()).collect();
    Latents { channels: 4, height: side, width: side, data }
}
