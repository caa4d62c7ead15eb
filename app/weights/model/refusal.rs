//! What other files hold, told from their keys, so that a refusal can say what was chosen instead of a model.

use crate::{Checkpoint, Fault, KeyedSource};

/// Names that single files put before the keys of their denoising network.
const PREFIXES: &[&str] = &["model.diffusion_model.", "diffusion_model."];

/// Beginnings of keys of networks that are not painted with. The first that fits names it: more particular ones come
/// first (`diffusers/loaders/single_file_utils.py` and ComfyUI's `model_detection.py` know the same marks).
const OTHER_MODELS: &[(&str, &str)] = &[
    ("joint_blocks.", "a Stable Diffusion 3 model"),
    ("distilled_guidance_layer.", "a Chroma model"),
    ("txt_in.individual_token_refiner.", "a HunyuanVideo model"),
    ("single_stream_modulation.", "a Flux 2 model"),
    ("double_blocks.", "a Flux model"),
    ("single_transformer_blocks.", "a Flux model"),
    ("double_layers.", "an AuraFlow model"),
    ("clip_txt_mapper.", "a Stable Cascade model"),
    ("down_blocks.1.0.channelwise.", "a Stable Cascade model"),
    ("patchify_proj.", "an LTX video model"),
    ("t_block.", "a PixArt model"),
    ("adaln_single.", "a PixArt model"),
    ("attention_y_norm.", "a Sana model"),
    ("cap_embedder.", "a Lumina or Z-Image model"),
    ("double_stream_blocks.", "a HiDream model"),
    ("mlp_t5.", "a Hunyuan-DiT model"),
    ("txt_norm.", "a Qwen-Image model"),
    ("txt_in.text_norm.", "a Qwen-Image model"),
    ("transformer_blocks.0.img_mod.", "a Qwen-Image model"),
    ("head.modulation", "a Wan video model"),
    ("blocks.0.attn.qkv_x.", "a Mochi video model"),
    ("net.x_embedder.", "a Cosmos model"),
    ("edm_mean", "a Playground v2.5 model, which needs another kind of sampling"),
    ("edm_vpred.", "a CosXL model, which needs another kind of sampling"),
    ("noise_augmentor.", "a Stable unCLIP model, which starts from pictures"),
    ("embedder.model.visual.", "a Stable unCLIP model, which starts from pictures"),
];

const LORA: (&str, &str) = ("a LoRA", "Choose a model first, then add this file to it as a LoRA.");
const CONTROLNET: (&str, &str) = ("a ControlNet", "Choose a model; ControlNets are not supported.");
const EMBEDDING: (&str, &str) = ("a textual inversion embedding", "Choose a model; embeddings are not supported.");
const MOTION: (&str, &str) = ("part of a video model", "Choose a model that makes single pictures.");
const ADAPTER: (&str, &str) = ("an IP-Adapter", "Choose a model; IP-Adapters are not supported.");
const VAE: (&str, &str) = ("an autoencoder (VAE)", "Choose a model first, then this file as its VAE.");
const TINY: (&str, &str) = ("a tiny autoencoder", "Choose a model first; this file can be its preview decoder.");
const TEXT: (&str, &str) = ("a text encoder", "Choose the whole model it belongs to.");

/// Parts of keys, wherever they stand, of what is no model.
const INSIDE: &[(&str, (&str, &str))] = &[
    ("lora_", LORA),
    (".lora.", LORA),
    (".hada_", LORA),
    (".lokr_", LORA),
    (".dora_scale", LORA),
    ("control_model.", CONTROLNET),
    ("controlnet_", CONTROLNET),
    ("input_hint_block.", CONTROLNET),
    ("motion_modules.", MOTION),
    (".time_stack.", MOTION),
    ("string_to_param", EMBEDDING),
    ("emb_params", EMBEDDING),
    ("ip_adapter.", ADAPTER),
];

/// Beginnings of keys of networks that are only parts of a model.
const PARTS: &[(&str, (&str, &str))] = &[
    ("first_stage_model.", VAE),
    ("decoder.conv_in.", VAE),
    ("decoder.layers.", TINY),
    ("encoder.layers.14.", TINY),
    ("text_model.encoder.layers.", TEXT),
    ("encoder.layers.0.self_attn.", TEXT),
    ("transformer.resblocks.", TEXT),
    ("cond_stage_model.", TEXT),
    ("encoder.block.0.layer.", TEXT),
    ("1.weight", TINY),
];

/// The keys of an embedding for SDXL's two text encoders; it has no others.
const SDXL_EMBEDDING: [&str; 2] = ["clip_g", "clip_l"];

/// Ends of keys that every U-Net has, in ldm's names and in diffusers'.
const UNET_KEYS: [&str; 2] = ["input_blocks.0.0.weight", "time_embedding.linear_1.weight"];

/// What the file is, where that is a model or a thing that is not painted with.
pub(super) fn other_kind(file: &Checkpoint) -> Option<Fault> {
    let keys = || file.keys().chain(file.skipped_keys());
    let bare = |key| PREFIXES.iter().find_map(|prefix| str::strip_prefix(key, prefix)).unwrap_or(key);
    if keys().count() <= SDXL_EMBEDDING.len() && SDXL_EMBEDDING.iter().any(|key| keys().any(|k| k == *key)) {
        return Some(not_model(EMBEDDING));
    }
    let inside = INSIDE.iter().find(|(part, _)| keys().any(|key| key.contains(part)));
    if let Some((_, kind)) = inside {
        return Some(not_model(*kind));
    }
    let other = OTHER_MODELS.iter().find(|(start, _)| keys().any(|key| bare(key).starts_with(start)));
    other.map(|(_, what)| Fault::OtherModel((*what).to_owned()))
}

/// Whether there is a U-Net, in whichever number format.
pub(super) fn has_unet(file: &Checkpoint) -> bool {
    let mut keys = file.keys().chain(file.skipped_keys());
    keys.any(|key| UNET_KEYS.iter().any(|end| key.ends_with(end)))
}

/// What a file without a U-Net is.
pub(super) fn without_unet(file: &Checkpoint) -> Fault {
    let keys = || file.keys().chain(file.skipped_keys());
    match PARTS.iter().find(|(start, _)| keys().any(|key| key.starts_with(start))) {
        Some((_, kind)) => not_model(*kind),
        None => Fault::UnknownModel(match keys().next() {
            Some(key) => format!("it has, for example, the tensor {key}"),
            None => "it has no tensors".into(),
        }),
    }
}

/// Refuses weights in a number format that is not read, such as those of 8 bits.
pub(super) fn check_formats(file: &Checkpoint) -> Result<(), Fault> {
    let is_weight = |key: &str| key.ends_with("weight") || key.ends_with("bias");
    match file.skipped().iter().find(|(key, _)| is_weight(key)) {
        Some((_, dtype)) => Err(Fault::NumberFormat(format!("{dtype:?}"))),
        None => Ok(()),
    }
}

fn not_model((what, remedy): (&'static str, &'static str)) -> Fault {
    Fault::NotModel { what, remedy }
}
