//! Families of LoRAs, told by their shapes, and what is said of a file before it is used.

use fourstep_protocol::Family;
use fourstep_weights::{Fault, Lora};
use safetensors::{Dtype, tensor::TensorView};
use std::{collections::HashMap, sync::Arc};

/// A LoRA of this rank over weights `[out, in]` under kohya's names.
fn lora(rank: usize, weights: &[(&str, usize, usize)], metadata: &[(&str, &str)]) -> Lora {
    let zeros = vec![0u8; 4 * 4096 * rank];
    let tensors = weights.iter().flat_map(|(path, out, inputs)| {
        [
            (format!("lora_{path}.lora_down.weight"), [rank, *inputs]),
            (format!("lora_{path}.lora_up.weight"), [*out, rank]),
        ]
    });
    let views = tensors.map(|(key, shape)| {
        let bytes = &zeros[..4 * shape[0] * shape[1]];
        (key, TensorView::new(Dtype::F32, shape.to_vec(), bytes).expect("as long as its shape says"))
    });
    let metadata: HashMap<String, String> = metadata.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let bytes = safetensors::serialize(views, Some(metadata)).expect("serialise");
    Lora::from_bytes("/models/Lora/style_v2.safetensors", Arc::new(bytes)).expect("a LoRA")
}

const SDXL_ATTENTION: &str = "unet_input_blocks_8_1_transformer_blocks_9_attn1_to_q";

#[test]
fn families_follow_from_shapes_and_places() {
    let cross = "unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k";
    for (weights, family) in [
        (&[(cross, 640, 768)][..], Some(Family::Sd15)),
        (&[(cross, 640, 1024)], Some(Family::Sd2)),
        (&[(cross, 640, 2048)], Some(Family::Sdxl)),
        (&[("unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k", 640, 2048)], Some(Family::Sdxl)),
        (&[(SDXL_ATTENTION, 1280, 1280)], Some(Family::Sdxl)),
        (&[("te_text_model_encoder_layers_0_self_attn_q_proj", 1024, 1024)], Some(Family::Sd2)),
        (&[("te2_text_model_encoder_layers_0_self_attn_q_proj", 1280, 1280)], Some(Family::Sdxl)),
        // The text encoder of SD1.5 is the first of SDXL; a matrix of self-attention may be of either SD1.5 or SD2.
        (&[("te_text_model_encoder_layers_0_self_attn_q_proj", 768, 768)], None),
        (&[("unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", 320, 320)], None),
        (&[(cross, 48, 96)], None),
        (&[("unet_conv_in", 48, 36)], None),
    ] {
        assert_eq!(lora(1, weights, &[]).family(), family, "{weights:?}");
    }
}

#[test]
fn ssd1b_is_told_by_where_its_layers_end() {
    let whole = [
        ("unet_down_blocks_2_attentions_0_transformer_blocks_3_attn2_to_k", 1280, 2048),
        ("unet_up_blocks_0_attentions_2_transformer_blocks_9_attn2_to_k", 1280, 2048),
    ];
    let ssd1b = lora(1, &whole, &[]);
    assert_eq!(ssd1b.family(), Some(Family::Ssd1b));
    let e = ssd1b.check_family(Family::Sdxl).expect_err("another family");
    assert!(e.to_string().contains("made for SSD-1B") && e.to_string().contains("the model is SDXL"), "{e}");

    let deeper = [&whole[..], &[("unet_mid_block_attentions_0_proj_in", 1280, 1280)]].concat();
    assert_eq!(lora(1, &deeper, &[]).family(), Some(Family::Sdxl));
    // What touches only layers that both have is SDXL's, and fits SSD-1B as well.
    let shared = lora(1, &whole[1..], &[]);
    assert_eq!(shared.family(), Some(Family::Sdxl));
    assert!(shared.check_family(Family::Ssd1b).is_ok() && shared.check_family(Family::Sdxl).is_ok());
}

#[test]
fn another_family_is_refused_with_both_names() {
    let sdxl = lora(1, &[(SDXL_ATTENTION, 1280, 1280)], &[]);
    for family in [Family::Sd15, Family::Sd2, Family::Ssd1b] {
        let e = sdxl.check_family(family).expect_err("another family");
        assert!(matches!(e.fault, Fault::LoraFamily { lora: Family::Sdxl, .. }));
        assert!(e.to_string().contains("SDXL") && e.to_string().contains(family.label()), "{e}");
    }
    assert!(sdxl.check_family(Family::Sdxl).is_ok());
    assert!(sdxl.check_family(Family::Custom).is_ok(), "shapes decide over own sizes");
}

#[test]
fn few_step_is_told_by_name_or_structure() {
    let all = [
        ("unet_down_blocks_0_resnets_0_conv1", 320, 320),
        ("unet_down_blocks_0_resnets_0_conv2", 320, 320),
        ("unet_down_blocks_0_resnets_0_time_emb_proj", 320, 1280),
        ("unet_down_blocks_1_resnets_0_conv_shortcut", 640, 320),
    ];
    let few_step = |lora: &Lora| lora.info("x").few_step;
    assert!(few_step(&lora(64, &all, &[])));
    assert!(!few_step(&lora(16, &all, &[])) && !few_step(&lora(64, &all[1..], &[])));
    let text = [&all[..], &[("te_text_model_encoder_layers_0_self_attn_q_proj", 768, 768)]].concat();
    assert!(!few_step(&lora(64, &text, &[])));
    assert!(few_step(&lora(1, &all[..1], &[("modelspec.title", "Turbo LCM")])));
}

#[test]
fn title_and_trigger_words_come_from_the_metadata() {
    let tags = r#"{"10_sks": {"sks": 20, "hat": 3}}"#;
    let metadata = [("ss_output_name", "Pixel style"), ("ss_tag_frequency", tags)];
    let info = lora(1, &[(SDXL_ATTENTION, 1280, 1280)], &metadata).info("pixel");
    assert_eq!((info.source.as_str(), info.name.as_str(), info.modules), ("pixel", "Pixel style", 1));
    assert_eq!(info.trigger_words, ["sks", "hat"]);
    assert!(info.size_bytes > 4 * 2 * 1280);
    assert_eq!(lora(1, &[(SDXL_ATTENTION, 1280, 1280)], &[]).info("x").name, "style_v2");
}
