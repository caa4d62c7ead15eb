//! The weights in the binary. Both models share text encoder, tokenizer and decoder, which are there once.

/// Files of a model: paths relative to its folder, and contents.
pub(crate) type Files = &'static [(&'static str, &'static [u8])];

/// The folder of this name.
pub(crate) fn folder(name: &str) -> Option<Files> {
    match name {
        "sticker/teacher" => Some(TEACHER),
        "sticker/lcm" => Some(LCM),
        _ => None,
    }
}

/// The file of this name.
pub(crate) fn file(name: &str) -> Option<&'static [u8]> {
    (name == "sticker/lcm_lora.safetensors").then_some(include_bytes!("../../assets/sticker/lcm_lora.safetensors"))
}

/// Bytes of the folder or file of this name.
pub(crate) fn size_bytes(name: &str) -> u64 {
    let folder = folder(name).unwrap_or_default().iter().map(|(_, bytes)| bytes.len());
    folder.chain(file(name).map(<[u8]>::len)).sum::<usize>() as u64
}

macro_rules! sticker {
    ($path:literal) => {
        include_bytes!(concat!("../../assets/sticker/", $path)) as &[u8]
    };
}

static TEXT_ENCODER_CONFIG: &[u8] = sticker!("teacher/text_encoder/config.json");
static TEXT_ENCODER: &[u8] = sticker!("teacher/text_encoder/model.safetensors");
static MERGES: &[u8] = sticker!("teacher/tokenizer/merges.txt");
static SPECIAL_TOKENS: &[u8] = sticker!("teacher/tokenizer/special_tokens_map.json");
static TOKENIZER_CONFIG: &[u8] = sticker!("teacher/tokenizer/tokenizer_config.json");
static VOCABULARY: &[u8] = sticker!("teacher/tokenizer/vocab.json");
static VAE_CONFIG: &[u8] = sticker!("teacher/vae/config.json");
static VAE: &[u8] = sticker!("teacher/vae/diffusion_pytorch_model.safetensors");

static TEACHER: Files = &[
    ("model_index.json", sticker!("teacher/model_index.json")),
    ("scheduler/scheduler_config.json", sticker!("teacher/scheduler/scheduler_config.json")),
    ("text_encoder/config.json", TEXT_ENCODER_CONFIG),
    ("text_encoder/model.safetensors", TEXT_ENCODER),
    ("tokenizer/merges.txt", MERGES),
    ("tokenizer/special_tokens_map.json", SPECIAL_TOKENS),
    ("tokenizer/tokenizer_config.json", TOKENIZER_CONFIG),
    ("tokenizer/vocab.json", VOCABULARY),
    ("unet/config.json", sticker!("teacher/unet/config.json")),
    ("unet/diffusion_pytorch_model.safetensors", sticker!("teacher/unet/diffusion_pytorch_model.safetensors")),
    ("vae/config.json", VAE_CONFIG),
    ("vae/diffusion_pytorch_model.safetensors", VAE),
];

static LCM: Files = &[
    ("model_index.json", sticker!("lcm/model_index.json")),
    ("scheduler/scheduler_config.json", sticker!("lcm/scheduler/scheduler_config.json")),
    ("text_encoder/config.json", TEXT_ENCODER_CONFIG),
    ("text_encoder/model.safetensors", TEXT_ENCODER),
    ("tokenizer/merges.txt", MERGES),
    ("tokenizer/special_tokens_map.json", SPECIAL_TOKENS),
    ("tokenizer/tokenizer_config.json", TOKENIZER_CONFIG),
    ("tokenizer/vocab.json", VOCABULARY),
    ("unet/config.json", sticker!("lcm/unet/config.json")),
    ("unet/diffusion_pytorch_model.safetensors", sticker!("lcm/unet/diffusion_pytorch_model.safetensors")),
    ("vae/config.json", VAE_CONFIG),
    ("vae/diffusion_pytorch_model.safetensors", VAE),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn embedded_folders_are_the_folders_of_assets() {
        for (name, files) in [("teacher", TEACHER), ("lcm", LCM)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sticker").join(name);
            for (path, bytes) in files {
                assert!(std::fs::read(folder.join(path)).expect("the file in assets") == *bytes, "{name}/{path}");
            }
        }
    }

    #[test]
    fn what_the_models_share_is_there_once() {
        let shared = TEACHER.iter().zip(LCM).filter(|(a, b)| std::ptr::eq(a.1, b.1)).count();
        assert_eq!(shared, 8);
    }
}
