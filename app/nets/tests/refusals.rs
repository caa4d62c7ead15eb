//! What a network does not know, or what does not fit it, is refused by name.

mod support;

use fourstep_nets::{
    Autoencoder, AutoencoderConfig, ClipTextConfig, ClipTextEncoder, TimeExtras, TinyAutoencoder,
    TinyAutoencoderConfig, UNet, UNetConfig, config::parse,
};
use serde_json::{Value, json};
use support::{backend, case, golden_config};

/// The error of loading `case` with one option changed.
fn unet_with(case_name: &str, option: &str, value: Value) -> String {
    let folder = format!("{}/../../tests/golden/nets/{case_name}", env!("CARGO_MANIFEST_DIR"));
    let json = std::fs::read_to_string(format!("{folder}/config.json")).expect("a config.json");
    let mut config: Value = serde_json::from_str(&json).expect("JSON");
    config[option] = value;
    let config: UNetConfig = match parse(&config.to_string()) {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    UNet::load(&backend(), &case(case_name).0, &config).map(|_| ()).expect_err(option).to_string()
}

#[test]
fn unet_options_that_would_be_another_network() {
    for (option, value) in [
        ("addition_embed_type", json!("image")),
        ("attention_head_dim", json!([4, 4])),
        ("attention_head_dim", json!(0)),
        ("attention_head_dim", json!(3)),
        ("attention_type", json!("gated")),
        ("center_input_sample", json!(true)),
        ("class_embed_type", json!("timestep")),
        ("conv_in_kernel", json!(2)),
        ("cross_attention_norm", json!("layer_norm")),
        ("down_block_types", json!(["DownBlock2D"])),
        ("down_block_types", json!(["A", "DownBlock2D", "DownBlock2D", "DownBlock2D"])),
        ("dual_cross_attention", json!(true)),
        ("encoder_hid_dim_type", json!("text_proj")),
        ("layers_per_block", json!([1, 1, 1])),
        ("layers_per_block", json!(1_000_000_000_000_u64)),
        ("mid_block_scale_factor", json!(1.5)),
        ("mid_block_type", json!("UNetMidBlock2DSimpleCrossAttn")),
        ("only_cross_attention", json!([true, true, false, false])),
        ("resnet_time_scale_shift", json!("scale_shift")),
        ("time_embedding_type", json!("fourier")),
        ("timestep_post_act", json!("silu")),
        ("transformer_layers_per_block", json!([1, 1])),
        ("up_block_types", json!(["UpBlock2D"])),
        ("act_fn", json!("mish")),
    ] {
        let error = unet_with("unet_odd", option, value);
        assert!(error.contains(option), "{option}: {error}");
    }
    let groups = unet_with("unet_odd", "norm_num_groups", json!(0));
    assert_eq!(groups, "down_blocks.0.resnets.0.norm1: 8 channels do not divide into 0 groups");
    let nested = unet_with("unet_nested_mid", "reverse_transformer_layers_per_block", Value::Null);
    assert!(nested.contains("reverse_transformer_layers_per_block"), "{nested}");
    assert!(unet_with("unet_odd", "block_out_channels", json!("many")).starts_with("config.json: "));
}

#[test]
fn options_in_their_default_are_accepted() {
    let config: UNetConfig =
        parse(r#"{"mid_block_scale_factor": 1, "only_cross_attention": [false]}"#).expect("parses");
    let error = UNet::load(&backend(), &case("unet_odd").0, &config).map(|_| ()).expect_err("other widths");
    assert!(error.to_string().starts_with("conv_in.weight: expected [320, 4, 3, 3]"), "{error}");
}

#[test]
fn unet_extras_of_another_model() {
    let b = backend();
    let load = |name| UNet::load(&b, &case(name).0, &golden_config(name)).expect("loads");
    let (plain, sdxl) = (load("unet_odd"), load("unet_sdxl"));
    let guided = TimeExtras { guidance_scale: Some(8.0), text_time: None };
    assert!(plain.time(&b, 999.0, guided).is_err());
    assert!(sdxl.time(&b, 999.0, TimeExtras::default()).is_err());
    let golden = case("unet_odd").1;
    let time = plain.time(&b, 999.0, TimeExtras::default()).expect("embeds");
    let other = load("unet_sd2").condition(&b, &case("unet_sd2").1.tokens(&b, "context")).expect("conditions");
    assert!(plain.forward(&b, &golden.image(&b, "latents"), &time, &other).is_err());
}

#[test]
fn clip_ids_that_do_not_fit() {
    let b = backend();
    let encoder = ClipTextEncoder::load(&b, &case("clip_l").0, &golden_config("clip_l")).expect("loads");
    assert!(encoder.encode(&b, &[1, 2, 3], [1, 3]).is_ok());
    for (ids, shape) in [(vec![1, 60], [1, 2]), (vec![1; 13], [1, 13]), (vec![1; 5], [2, 3]), (vec![], [0, 3])] {
        assert!(encoder.encode(&b, &ids, shape).is_err(), "{ids:?}");
    }
    let mish = ClipTextConfig { hidden_act: "mish".into(), ..golden_config("clip_l") };
    let error = ClipTextEncoder::load(&b, &case("clip_l").0, &mish).map(|_| ()).expect_err("not known");
    assert_eq!(error.to_string(), "hidden_act = mish is not supported");
}

#[test]
fn autoencoder_options_that_would_be_another_network() {
    let b = backend();
    let kl = |change: &dyn Fn(&mut AutoencoderConfig)| {
        let mut config = golden_config("kl_sd15");
        change(&mut config);
        Autoencoder::load(&b, &case("kl_sd15").0, &config).map(|_| ()).expect_err("refused").to_string()
    };
    assert!(kl(&|c| c.up_block_types[1] = "AttnUpDecoderBlock2D".into()).contains("AttnUpDecoderBlock2D"));
    for scale in [0.0, f32::INFINITY] {
        assert!(kl(&|c| c.scaling_factor = scale).contains("scaling_factor"));
    }
    for channels in [0, 1 << 40] {
        assert!(kl(&|c| c.latent_channels = channels).contains("latent_channels"));
    }
    assert!(kl(&|c| c.block_out_channels.clear()).contains("block_out_channels"));
    let tiny = |change: &dyn Fn(&mut TinyAutoencoderConfig)| {
        let mut config = golden_config("tiny_taesd");
        change(&mut config);
        TinyAutoencoder::load(&b, &case("tiny_taesd").0, &config).map(|_| ()).expect_err("refused").to_string()
    };
    assert!(tiny(&|c| c.upsample_fn = "bilinear".into()).contains("bilinear"));
    assert!(tiny(&|c| c.scaling_factor = 0.0).contains("scaling_factor"));
    assert!(tiny(&|c| c.decoder_block_out_channels[2] = 16).contains("decoder_block_out_channels"));
}
