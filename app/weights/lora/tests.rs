use super::*;
use fourstep_compute::HostTensor;
use safetensors::{Dtype, tensor::TensorView};
use std::sync::Arc;

/// A safetensors file of f32 tensors.
pub(crate) fn file(tensors: &[(&str, &[usize], &[f32])]) -> Bytes {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(.., v)| v.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((key, shape, _), bytes)| {
        (*key, TensorView::new(Dtype::F32, shape.to_vec(), bytes).expect("the values fill the shape"))
    });
    Arc::new(safetensors::serialize(views, None).expect("serialise"))
}

/// A module whose tensors are full of twos.
pub(super) fn group(tensors: &[(&str, &[usize])]) -> Group {
    let tensor = |shape: &[usize]| HostTensor::from_f32(shape, &vec![2.0; shape.iter().product()]);
    let tensors = tensors.iter().map(|(role, shape)| ((*role).to_owned(), tensor(shape))).collect();
    Group { tensors, alpha: None }
}

#[test]
fn other_files_are_not_a_lora() {
    let weights = file(&[("conv_in.weight", &[1], &[0.0])]);
    let e = Lora::from_bytes("x.safetensors", weights).expect_err("no LoRA");
    assert!(matches!(e.fault, Fault::NotLora(_)) && e.to_string().contains("conv_in.weight"), "{e}");
    let empty = Lora::from_bytes("x.safetensors", file(&[])).expect_err("empty");
    assert!(matches!(empty.fault, Fault::NotLora(_)), "{empty}");
}

#[test]
fn a_file_under_another_ending_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let path = dir.path().join("style.pt");
    std::fs::write(&path, b"PK\x03\x04").expect("write");
    assert!(matches!(Lora::open(&path).expect_err("pickle").fault, Fault::PickleLora));
    assert!(matches!(Lora::open(&dir.path().join("x.safetensors")).expect_err("none").fault, Fault::Missing));
}

#[test]
fn half_a_module_and_nan_are_damage_and_unknown_kinds_are_listed() {
    let half = file(&[("lora_unet_a.lora_down.weight", &[1, 2], &[0.0; 2])]);
    let e = Lora::from_bytes("x", half).expect_err("half");
    assert!(matches!(e.fault, Fault::Module { .. }), "{e}");

    let nan = file(&[
        ("lora_unet_a.lora_down.weight", &[1, 2], &[0.0, f32::NAN]),
        ("lora_unet_a.lora_up.weight", &[2, 1], &[0.0; 2]),
    ]);
    let e = Lora::from_bytes("x", nan).expect("only the header is read").check_values().expect_err("NaN");
    assert!(matches!(e.fault, Fault::Module { .. }) && e.to_string().contains("NaN"), "{e}");

    let alpha = 16f64.to_le_bytes();
    let views = [
        ("lora_unet_a.alpha", TensorView::new(Dtype::F64, vec![], &alpha).expect("one number")),
        ("lora_unet_a.lora_down.weight", TensorView::new(Dtype::F32, vec![1, 1], &[0; 4]).expect("one number")),
        ("lora_unet_a.lora_up.weight", TensorView::new(Dtype::F32, vec![1, 1], &[0; 4]).expect("one number")),
    ];
    let double = Arc::new(safetensors::serialize(views, None).expect("serialise"));
    let e = Lora::from_bytes("x", double).expect_err("alpha is not read");
    assert!(matches!(e.fault, Fault::Module { .. }) && e.to_string().contains("F64"), "{e}");

    let mixed = file(&[
        ("lora_unet_a.lora_down.weight", &[1, 2], &[0.0; 2]),
        ("lora_unet_a.lora_up.weight", &[2, 1], &[0.0; 2]),
        ("lora_unet_b.oft_blocks", &[2, 1], &[0.0; 2]),
        ("bundle_emb.x", &[1], &[0.0]),
    ]);
    let lora = Lora::from_bytes("x", mixed).expect("one module is read");
    assert_eq!((lora.modules().len(), lora.unread().len()), (1, 2), "{:?}", lora.unread());
}

#[test]
fn other_files_are_named_for_what_they_are() {
    for (keys, word) in [
        (&["transformer.single_transformer_blocks.0.proj_out.lora_A.weight"][..], "Flux"),
        (&["lora_unet_double_blocks_0_img_attn_proj.lora_down.weight", "lora_te1_x.lora_down.weight"], "Flux"),
        (&["diffusion_model.double_blocks.0.img_attn.proj.lora_A.weight"], "HunyuanVideo"),
        (&["transformer.transformer_blocks.0.attn.to_q.lora_A.weight"], "diffusion transformer"),
        (&["diffusion_model.joint_blocks.0.x.lora_A.weight"], "Stable Diffusion 3"),
        (&["diffusion_model.blocks.0.self_attn.q.lora_A.weight"], "Wan"),
        (&["lora_controlnet", "input_blocks.0.0.bias"], "ControlNet"),
        (&["controlnet_cond_embedding.conv_in.weight", "down_blocks.0.resnets.0.conv1.weight"], "ControlNet"),
        (&["image_proj.latents", "ip_adapter.1.to_k_ip.weight"], "IP-Adapter"),
        (&["model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.encoder.conv_in.weight"], "whole model"),
        (&["down_blocks.0.resnets.0.conv1.weight", "conv_in.weight"], "UNet of a model"),
        (&["decoder.conv_in.weight"], "a VAE"),
        (&["emb_params"], "textual-inversion"),
        (&["clip_g", "clip_l"], "textual-inversion"),
        (&["text_model.final_layer_norm.weight"], "text encoder"),
    ] {
        let tensors: Vec<(&str, &[usize], &[f32])> = keys.iter().map(|key| (*key, &[1usize][..], &[0.0][..])).collect();
        let e = Lora::from_bytes("x", file(&tensors)).expect_err("no LoRA for this program").to_string();
        assert!(e.contains(word), "{keys:?}: {e}");
    }
}
