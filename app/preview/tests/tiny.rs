//! The embedded model's tiny decoder, through the same door as the window.

use fourstep_compute::{
    CancelFloor, CancelToken, ComputeError, Element, HostTensor, Precision, TensorSource,
    candle::{Candle, Device},
};
use fourstep_nets::{TinyAutoencoder, TinyAutoencoderConfig};
use fourstep_preview::{Decode, DecodeError, TinyDecoder, half_size};
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

fn decoder() -> TinyDecoder<Candle> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sticker/teacher/vae");
    let config: TinyAutoencoderConfig =
        serde_json::from_slice(&fs::read(folder.join("config.json")).expect("config")).expect("JSON");
    let weights = File(fs::read(folder.join("diffusion_pytorch_model.safetensors")).expect("weights"));
    let backend = Candle::open(Device::Cpu, Precision::Auto).expect("the processor");
    let tiny = TinyAutoencoder::load_decoder(&backend, &weights, &config).expect("loads");
    TinyDecoder::new(backend, tiny)
}

fn latents(side: usize) -> Latents {
    let data = (0..4 * side * side).map(|i| (i as f32 * 0.37).sin()).collect();
    Latents { channels: 4, height: side, width: side, data }
}

#[test]
fn latents_become_a_picture_eight_times_larger() {
    let mut decoder = decoder();
    let never = CancelToken::never();
    let picture = decoder.decode(&latents(16), &never).expect("decodes");
    assert_eq!((picture.width(), picture.height()), (128, 128));
    assert!(picture.rgb().iter().any(|b| *b != picture.rgb()[0]), "it is not flat");
    let small = decoder.decode(&half_size(&latents(16)).expect("fills"), &never).expect("decodes");
    assert_eq!((small.width(), small.height()), (64, 64));
}

#[test]
fn a_cancelled_decode_stops_and_broken_latents_are_reported() {
    let mut decoder = decoder();
    let floor = CancelFloor::default();
    floor.raise(1);
    assert_eq!(decoder.decode(&latents(8), &floor.token(0)), Err(DecodeError::Cancelled));
    let broken = Latents { data: vec![f32::NAN; 4 * 64], ..latents(8) };
    assert!(matches!(decoder.decode(&broken, &CancelToken::never()), Err(DecodeError::Failed(_))));
}
