//! Files that are no model to paint with: each is refused by what it is.

use crate::golden::{Case, TempFile, write};
use fourstep_weights::{Fault, ModelFiles, ModelSource, WeightsError, open_unet, open_vae};
use safetensors::{Dtype, tensor::TensorView};

/// A safetensors file of these tensors, with zeros.
fn file(tensors: &[(&str, Dtype, &[usize])]) -> TempFile {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, dtype, shape)| vec![0; shape.iter().product::<usize>() * dtype.bitsize() / 8])
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((key, dtype, shape), bytes)| {
        (*key, TensorView::new(*dtype, shape.to_vec(), bytes).expect("the values fill the shape"))
    });
    write("x.safetensors", &safetensors::serialize(views, None).expect("serialise"))
}

fn keys(keys: &[&str]) -> TempFile {
    file(&keys.iter().map(|key| (*key, Dtype::F16, &[2, 2][..])).collect::<Vec<_>>())
}

fn refused(file: &TempFile) -> WeightsError {
    ModelFiles::open(&ModelSource::File(file.path.clone())).map(|_| ()).expect_err("refused")
}

#[test]
fn models_of_other_families_are_named() {
    let cases: &[(&str, &str)] = &[
        ("model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias", "Stable Diffusion 3"),
        ("joint_blocks.37.x_block.mlp.fc1.weight", "Stable Diffusion 3"),
        ("model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale", "Flux"),
        ("double_blocks.0.img_attn.norm.key_norm.scale", "Flux"),
        ("double_layers.0.attn.w2q.weight", "AuraFlow"),
        ("clip_txt_mapper.weight", "Stable Cascade"),
        ("t_block.1.weight", "PixArt"),
        ("model.diffusion_model.head.modulation", "Wan"),
        ("patchify_proj.weight", "LTX"),
        ("blocks.0.attn.qkv_x.weight", "Mochi"),
        ("edm_mean", "Playground"),
        ("noise_augmentor.time_embed.weight", "unCLIP"),
    ];
    for (key, name) in cases {
        // What is a Stable Diffusion model otherwise.
        for others in
            [&[][..], &["model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.decoder.conv_in.weight"]]
        {
            let error = refused(&keys(&[&[*key], others].concat()));
            assert!(matches!(&error.fault, Fault::OtherModel(what) if what.contains(name)), "{error}");
        }
    }
}

#[test]
fn networks_with_other_inputs_are_named() {
    let input =
        |channels| file(&[("model.diffusion_model.input_blocks.0.0.weight", Dtype::F16, &[32, channels, 3, 3])]);
    for (channels, word) in [(9, "inpainting"), (8, "instruction"), (7, "7 channels")] {
        let error = refused(&input(channels));
        assert!(matches!(&error.fault, Fault::OtherModel(what) if what.contains(word)), "{error}");
    }
    let incomplete = refused(&input(4));
    assert!(matches!(&incomplete.fault, Fault::Incomplete(_) | Fault::UnknownModel(_)), "{incomplete}");

    let refiner = Case::read("sdxl").file("x.safetensors", |key| {
        (!key.starts_with("conditioner.embedders.0.")).then(|| key.replace("embedders.1.", "embedders.0."))
    });
    assert!(refused(&refiner).to_string().contains("refiner"));
}

#[test]
fn what_is_no_model_is_named_with_what_it_is_for() {
    let cases: &[(&[&str], &str)] = &[
        (&["lora_unet_down_blocks_0.lora_down.weight"], "LoRA"),
        (&["unet.down_blocks.0.attentions.0.to_q.lora_A.weight"], "LoRA"),
        (&["lora_unet_x.hada_w1_a"], "LoRA"),
        (&["control_model.input_blocks.0.0.weight"], "ControlNet"),
        (&["controlnet_cond_embedding.conv_in.weight", "conv_in.weight"], "ControlNet"),
        (&["down_blocks.0.motion_modules.0.norm.weight"], "video"),
        (&["emb_params"], "embedding"),
        (&["clip_g", "clip_l"], "embedding"),
        (&["ip_adapter.1.to_k_ip.weight", "image_proj.proj.weight"], "IP-Adapter"),
        (&["first_stage_model.decoder.conv_in.weight"], "VAE"),
        (&["decoder.conv_in.weight", "encoder.conv_in.weight"], "VAE"),
        (&["decoder.layers.0.weight"], "tiny"),
        (&["1.weight", "3.conv.0.weight"], "tiny"),
        (&["text_model.encoder.layers.0.mlp.fc1.weight"], "text encoder"),
    ];
    for (names, word) in cases {
        let error = refused(&keys(names));
        assert!(matches!(&error.fault, Fault::NotModel { what, .. } if what.contains(word)), "{names:?}: {error}");
    }
    for names in [&["something"][..], &[]] {
        assert!(matches!(refused(&keys(names)).fault, Fault::UnknownModel(_)), "{names:?}");
    }
}

#[test]
fn weights_of_eight_bits_are_refused_by_their_format() {
    let case = Case::read("lcm");
    for dtype in [Dtype::F8_E4M3, Dtype::F8_E5M2, Dtype::U8] {
        let tensors: Vec<(&str, Dtype, &[usize])> = case
            .single
            .iter()
            .map(|(key, shape)| {
                (key.as_str(), if key.ends_with("to_q.weight") { dtype } else { Dtype::F16 }, &shape[..])
            })
            .collect();
        let error = refused(&file(&tensors));
        assert!(matches!(&error.fault, Fault::NumberFormat(name) if *name == format!("{dtype:?}")), "{error}");
        assert!(matches!(open_unet(&file(&tensors).path).expect_err("refused").fault, Fault::NumberFormat(_)));
    }
    let all: Vec<(&str, Dtype, &[usize])> =
        case.single.iter().map(|(key, shape)| (key.as_str(), Dtype::F8_E4M3, &shape[..])).collect();
    assert!(matches!(refused(&file(&all)).fault, Fault::NumberFormat(_)));
}

#[test]
fn pickles_are_refused_with_the_way_to_convert() {
    for name in ["x.ckpt", "x.pt", "x.pth", "X.BIN"] {
        let pickle = write(name, b"PK\x03\x04");
        for error in [
            refused(&pickle),
            open_vae(&pickle.path).expect_err("refused"),
            open_unet(&pickle.path).expect_err("refused"),
        ] {
            assert!(matches!(error.fault, Fault::PickleFile), "{error}");
            assert!(error.to_string().contains("save_pretrained"), "{error}");
        }
    }
    let renamed = refused(&write("x.safetensors", b"PK\x03\x04 and so on, many bytes"));
    assert!(matches!(&renamed.fault, Fault::NotSafetensors(what) if what.contains("pickle")), "{renamed}");
    let gguf = refused(&write("x.gguf", b"GGUF\x03\0\0\0\0\0\0\0\0\0"));
    assert!(matches!(&gguf.fault, Fault::NotSafetensors(what) if what.contains("GGUF")), "{gguf}");
}

#[test]
fn autoencoders_of_other_families_are_refused() {
    let wide = file(&[("decoder.conv_in.weight", Dtype::F16, &[4, 16, 3, 3])]);
    assert!(open_vae(&wide.path).expect_err("16 channels").to_string().contains("16 channels"));
    let tiny = file(&[("1.weight", Dtype::F16, &[4, 16, 3, 3]), ("3.conv.0.weight", Dtype::F16, &[4, 4, 3, 3])]);
    assert!(open_vae(&tiny.path).expect_err("16 channels").to_string().contains("16 channels"));
    let shallow = file(&[("decoder.conv_in.weight", Dtype::F16, &[4, 4, 3, 3])]);
    assert!(open_vae(&shallow.path).expect_err("no levels").to_string().contains("levels"));
    assert!(matches!(open_vae(&keys(&["x"]).path).expect_err("nothing").fault, Fault::NoAutoencoder));
}
