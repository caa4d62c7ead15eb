//! Other files that people take for a LoRA that fits here.

use crate::{Checkpoint, Fault, KeyedSource};
use std::path::Path;

/// Where a key has to hold one of the words.
enum Sign {
    Starts(&'static [&'static str]),
    Contains(&'static [&'static str]),
}

/// LoRAs for networks that this program does not paint with, the most telling signs first.
const OTHER_NETWORKS: [(Sign, &str); 8] = [
    (
        Sign::Contains(&["single_transformer_blocks", "single_blocks", "lora_unet_double_blocks"]),
        "Flux or HunyuanVideo",
    ),
    (Sign::Contains(&["joint_blocks", "lora_te3_"]), "Stable Diffusion 3"),
    (Sign::Contains(&["double_blocks"]), "Flux or HunyuanVideo"),
    (Sign::Starts(&["diffusion_model.blocks.", "lora_unet_blocks_", "blocks."]), "Wan or another video model"),
    (Sign::Starts(&["diffusion_model.layers.", "lora_unet_layers_"]), "Lumina or Z-Image"),
    (Sign::Starts(&["lora_prior_", "lora_unet_down_blocks_0_0_"]), "Stable Cascade"),
    (Sign::Contains(&["motion_modules", "temporal_transformer"]), "AnimateDiff"),
    (
        Sign::Starts(&[
            "transformer.",
            "lora_transformer_",
            "lycoris_transformer_",
            "transformer_blocks.",
            "diffusion_model.transformer_blocks.",
        ]),
        "a diffusion transformer (Flux, Stable Diffusion 3, Qwen-Image, …)",
    ),
];

/// Files that are no LoRA: what they are, and what to do with them.
const OTHER_FILES: [(Sign, &str, &str); 9] = [
    (
        Sign::Contains(&[
            "lora_controlnet",
            "controlnet_cond_embedding",
            "control_model.",
            "input_hint_block",
            "zero_convs.",
        ]),
        "a ControlNet",
        NO_USE,
    ),
    (Sign::Starts(&["ip_adapter.", "image_proj."]), "an IP-Adapter", NO_USE),
    (
        Sign::Starts(&["model.diffusion_model.", "cond_stage_model.", "conditioner.embedders."]),
        "a whole model",
        "Choose it as the model, and a LoRA file here.",
    ),
    (
        Sign::Starts(&["down_blocks.0.resnets.0.conv1.weight", "time_embedding.linear_1.weight"]),
        "the UNet of a model",
        "Choose the folder of the whole model as the model, and a LoRA file here.",
    ),
    (
        Sign::Starts(&["first_stage_model.", "decoder.conv_in.", "decoder.mid", "quant_conv.", "post_quant_conv."]),
        "a VAE",
        "Choose it as the VAE, and a LoRA file here.",
    ),
    (Sign::Starts(&["emb_params", "string_to_param", "clip_l", "clip_g"]), "a textual-inversion embedding", NO_USE),
    (
        Sign::Starts(&["text_model.embeddings.", "text_model.final_layer_norm."]),
        "a text encoder",
        "Choose the folder of the whole model as the model, and a LoRA file here.",
    ),
    (Sign::Starts(&["320.0.linear", "640.0.linear", "768.0.linear", "1280.0.linear"]), "a hypernetwork", NO_USE),
    (Sign::Starts(&["adapter.body.", "conditioner_downblocks"]), "a T2I-Adapter", NO_USE),
];

const NO_USE: &str = "Fourstep does not use these; choose a LoRA file.";

impl Sign {
    fn is_on(&self, key: &str) -> bool {
        match self {
            Self::Starts(words) => words.iter().any(|word| key.starts_with(word)),
            Self::Contains(words) => words.iter().any(|word| key.contains(word)),
        }
    }
}

/// Whether a tensor is of a kind that LoRAs of any network are made of.
fn is_change(key: &str) -> bool {
    ["lora", "hada_", "lokr_"].iter().any(|word| key.contains(word)) || key.ends_with(".diff")
}

/// What the file is instead; `None` where it may be a LoRA.
pub(super) fn recognise(file: &Checkpoint) -> Option<Fault> {
    let keys = || file.keys().chain(file.skipped_keys());
    let has = |sign: &Sign| keys().any(|key| sign.is_on(key));
    if keys().any(is_change) {
        if let Some((_, network)) = OTHER_NETWORKS.iter().find(|(sign, _)| has(sign)) {
            return Some(Fault::LoraOfOther(network));
        }
        // Stability's ControlNet-LoRAs hold a few tensors that are no change.
        return has(&Sign::Starts(&["lora_controlnet"]))
            .then_some(Fault::OtherFile { what: "a ControlNet", remedy: NO_USE });
    }
    let (_, what, remedy) = OTHER_FILES.iter().find(|(sign, ..)| has(sign))?;
    Some(Fault::OtherFile { what, remedy })
}

/// What a file of another ending is.
pub(super) fn not_safetensors(path: &Path) -> Fault {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    if ["pt", "pth", "ckpt", "bin"].contains(&ending.as_str()) {
        Fault::PickleLora
    } else {
        Fault::NotLora("only .safetensors files are".into())
    }
}
