//! Every network and option against diffusers and transformers (`tests/golden/nets/make.py`).

mod support;

use fourstep_compute::{Backend, HostTensor};
use fourstep_nets::{
    Autoencoder, AutoencoderConfig, ClipTextEncoder, TimeExtras, TinyAutoencoder, TinyAutoencoderConfig, UNet,
    UNetConfig,
};
use support::{File, assert_close, assert_image, assert_tokens, backend, case, config, cpu, golden_config, gpus};

fn clip(name: &str) {
    clip_on(&backend(), name);
    clip_on(&cpu(), name);
    gpus().iter().for_each(|gpu| clip_on(gpu, name));
}

fn clip_on<B: Backend>(b: &B, name: &str) {
    let (weights, golden) = case(name);
    let encoder = ClipTextEncoder::load(b, &weights, &golden_config(name)).expect("loads");
    let ids: Vec<u32> = golden.values("ids").iter().map(|id| *id as u32).collect();
    let out = encoder.encode(b, &ids, golden.shape("ids")).expect("encodes");
    assert_tokens(b, &format!("{name} last_hidden"), &out.last_hidden, &golden, "last_hidden");
    assert_tokens(b, &format!("{name} penultimate"), &out.penultimate, &golden, "penultimate");
    assert_eq!(out.pooled.is_some(), golden.all().contains_key("pooled"));
    if let Some(pooled) = &out.pooled {
        assert_tokens(b, &format!("{name} pooled"), pooled, &golden, "pooled");
    }
}

fn unet(name: &str) {
    let (weights, golden) = case(name);
    unet_of(name, &weights, &golden, &golden_config(name));
}

fn unet_of(name: &str, weights: &File, golden: &File, config: &UNetConfig) {
    unet_on(&backend(), name, weights, golden, config);
    unet_on(&cpu(), name, weights, golden, config);
    gpus().iter().for_each(|gpu| unet_on(gpu, name, weights, golden, config));
}

fn unet_on<B: Backend>(b: &B, name: &str, weights: &File, golden: &File, config: &UNetConfig) {
    let unet = UNet::load(b, weights, config).expect("loads");
    let pooled = golden.all().contains_key("pooled").then(|| {
        let [n, c] = golden.shape("pooled");
        b.upload_tokens(&golden.values("pooled"), [n, 1, c]).expect("uploads")
    });
    let text_time = pooled.as_ref().map(|pooled| (pooled, golden.values("sizes").try_into().expect("six sizes")));
    let extras = TimeExtras { guidance_scale: golden.number("guidance_scale"), text_time };
    let time = unet.time(b, golden.number("timestep").expect("a timestep"), extras).expect("embeds");
    let conditioning = unet.condition(b, &golden.tokens(b, "context")).expect("conditions");
    let out = unet.forward(b, &golden.image(b, "latents"), &time, &conditioning).expect("runs");
    assert_image(b, name, &out, golden, "out");
}

fn kl(name: &str, config: &AutoencoderConfig) {
    kl_on(&backend(), name, config);
    kl_on(&cpu(), name, config);
    gpus().iter().for_each(|gpu| kl_on(gpu, name, config));
}

fn kl_on<B: Backend>(b: &B, name: &str, config: &AutoencoderConfig) {
    let (weights, golden) = case(name);
    let autoencoder = Autoencoder::load(b, &weights, config).expect("loads");
    let posterior = autoencoder.encode(b, &golden.image(b, "image")).expect("encodes");
    assert_eq!(posterior.shape, golden.shape::<4>("mean"));
    assert_close(b, &format!("{name} mean"), &posterior.mean, &golden.values("mean"));
    assert_close(b, &format!("{name} std"), &posterior.std, &golden.values("std"));
    let decoded = autoencoder.decode(b, &golden.image(b, "latents")).expect("decodes");
    assert_image(b, &format!("{name} decoded"), &decoded, &golden, "decoded");

    let decoder = Autoencoder::load_decoder(b, &weights.without(|key| key.starts_with("encoder")), config);
    let decoder = decoder.expect("loads without the encoder's weights");
    assert_image(b, name, &decoder.decode(b, &golden.image(b, "latents")).expect("decodes"), &golden, "decoded");
    assert!(decoder.encode(b, &golden.image(b, "image")).is_err());
}

fn tiny(name: &str) {
    tiny_on(&backend(), name);
    tiny_on(&cpu(), name);
    gpus().iter().for_each(|gpu| tiny_on(gpu, name));
}

fn tiny_on<B: Backend>(b: &B, name: &str) {
    let (weights, golden) = case(name);
    let config: TinyAutoencoderConfig = golden_config(name);
    let tiny = TinyAutoencoder::load(b, &weights, &config).expect("loads");
    let encoded = tiny.encode(b, &golden.image(b, "image")).expect("encodes");
    assert_image(b, &format!("{name} encoded"), &encoded, &golden, "encoded");
    let decoded = tiny.decode(b, &golden.image(b, "latents")).expect("decodes");
    assert_image(b, &format!("{name} decoded"), &decoded, &golden, "decoded");

    let decoder = TinyAutoencoder::load_decoder(b, &weights.without(|key| key.starts_with("encoder")), &config);
    let decoder = decoder.expect("loads without the encoder's weights");
    assert_image(b, name, &decoder.decode(b, &golden.image(b, "latents")).expect("decodes"), &golden, "decoded");
    assert!(decoder.encode(b, &golden.image(b, "image")).is_err());
}

#[test]
fn clip_vit_l() {
    clip("clip_l");
}

#[test]
fn clip_without_key_prefix() {
    clip("clip_bare_keys");
}

#[test]
fn clip_bigg_pools_at_the_first_end_of_text() {
    clip("clip_bigg");
}

#[test]
fn clip_with_the_old_end_of_text_id_pools_at_the_highest_id() {
    clip("clip_legacy_eos");
}

#[test]
fn unet_sd15() {
    unet("unet_sd15");
}

#[test]
fn unet_of_odd_latents() {
    unet("unet_odd");
}

#[test]
fn unet_with_guidance_embedding() {
    unet("unet_lcm");
}

#[test]
fn unet_sd2_with_linear_projections_and_heads_per_block() {
    unet("unet_sd2");
}

#[test]
fn unet_sdxl_with_text_time_and_depths_per_block() {
    unet("unet_sdxl");
}

#[test]
fn unet_ssd1b_with_nested_depths() {
    unet("unet_ssd1b");
}

#[test]
fn unet_with_nested_depths_and_attention_in_the_middle() {
    unet("unet_nested_mid");
}

#[test]
fn unet_with_rare_options() {
    unet("unet_rare");
}

#[test]
fn embedded_models() {
    for name in ["teacher", "lcm"] {
        let folder = format!("assets/sticker/{name}/unet");
        let weights = File::open(&format!("{folder}/diffusion_pytorch_model.safetensors"));
        let golden = File::open(&format!("tests/golden/nets/sticker_{name}.safetensors"));
        unet_of(&format!("sticker {name}"), &weights, &golden, &config(&folder));
    }
}

#[test]
fn autoencoder_with_old_attention_keys() {
    kl("kl_sd15", &golden_config("kl_sd15"));
}

#[test]
fn autoencoder_with_new_attention_keys_stored_as_convolutions() {
    // kl_sd15 has the old names; under the new ones, and as 1×1 kernels, the same weights are the same network.
    let (b, (weights, golden)) = (backend(), case("kl_sd15"));
    let names = [("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")];
    let mut renamed = case("kl_sd15").0.without(|key| names.iter().any(|(old, _)| key.contains(old)));
    for (key, tensor) in weights.all().iter().filter(|(key, _)| key.contains(".attentions.")) {
        let shape = tensor.shape().to_vec();
        let shape = if shape.len() == 2 { [shape, vec![1, 1]].concat() } else { shape };
        let key = names.iter().fold(key.clone(), |key, (old, new)| key.replace(old, new));
        renamed = renamed.with(&key, tensor.reshape(shape).expect("same length"));
    }
    let autoencoder = Autoencoder::load(&b, &renamed, &golden_config("kl_sd15")).expect("loads");
    let decoded = autoencoder.decode(&b, &golden.image(&b, "latents")).expect("decodes");
    assert_image(&b, "kl_sd15 new keys", &decoded, &golden, "decoded");
}

#[test]
fn autoencoder_with_rare_options() {
    kl("kl_rare", &golden_config("kl_rare"));
}

#[test]
fn tiny_autoencoder_taesd() {
    tiny("tiny_taesd");
}

#[test]
fn tiny_autoencoder_with_rare_options() {
    tiny("tiny_rare");
}

#[test]
fn wrong_weights_are_named() {
    let (b, config) = (backend(), golden_config("unet_odd"));
    let load = |weights: &File| UNet::load(&b, weights, &config).map(|_| ()).expect_err("refused").to_string();
    let key = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight";
    assert_eq!(load(&case("unet_odd").0.without(|name| name == key)), format!("tensor {key} is missing"));
    let wrong = HostTensor::from_f32([16, 7], &[0.0; 16 * 7]);
    let error = load(&case("unet_odd").0.with(key, wrong));
    assert_eq!(error, format!("{key}: expected [16, 12], found [16, 7]"));
}
