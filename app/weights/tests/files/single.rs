//! Single files give the tensors that diffusers' own conversion gives, bit for bit, and its configurations.

use crate::golden::{Case, TempFile};
use fourstep_compute::{
    Precision,
    candle::{Candle, Device},
};
use fourstep_nets::{
    Autoencoder, AutoencoderConfig, ClipTextConfig, ClipTextEncoder, TinyAutoencoder, TinyAutoencoderConfig, UNet,
    UNetConfig, config::PerBlock,
};
use fourstep_protocol::Family;
use fourstep_weights::{
    FewStep, ModelFiles, ModelSource, Network, NetworkClass, Part, Prediction, TextEncoder, Tokenizer, open_unet,
    open_vae,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn open(file: &TempFile) -> ModelFiles {
    ModelFiles::open(&ModelSource::File(file.path.clone())).expect("opens")
}

fn same_name(key: &str) -> Option<String> {
    Some(key.to_owned())
}

/// Every tensor equals diffusers', and there is none besides.
fn check_tensors(network: &Network, golden: &Value) {
    let tensors = golden["tensors"].as_object().expect("tensors");
    for (key, expected) in tensors {
        let tensor = network.weights.tensor(key).expect(key);
        assert_eq!(network.weights.shape(key), Some(tensor.shape()), "{key}");
        let mut found: Vec<u64> = tensor.shape().iter().map(|side| *side as u64).collect();
        found.push(crc(tensor.bytes()).into());
        assert_eq!(serde_json::json!(found), *expected, "{key}");
    }
    let keys: Vec<&str> = network.weights.keys().filter(|key| !tensors.contains_key(*key)).collect();
    assert!(keys.is_empty(), "besides: {keys:?}");
}

fn parse<C: DeserializeOwned>(config: &Value) -> C {
    serde_json::from_value(config.clone()).expect("a configuration")
}

/// What the network is built from, whichever way it is written.
fn check_unet(network: &Network, golden: &Value) {
    let (mut ours, mut theirs): (UNetConfig, UNetConfig) = (parse(&network.config), parse(&golden["config"]));
    for config in [&mut ours, &mut theirs] {
        normalise(config);
    }
    assert_eq!(ours, theirs);
    check_tensors(network, golden);
}

/// Per block and layer, what can be written in several ways; and without what is no part of the network.
fn normalise(config: &mut UNetConfig) {
    let blocks = config.block_out_channels.len();
    let layers = config.layers_per_block.resolve("layers", blocks).expect("layers");
    let depths = config.transformer_layers_per_block.resolve("depths", blocks).expect("depths");
    let upward = match config.reverse_transformer_layers_per_block.take() {
        Some(depths) => depths,
        None => depths.iter().rev().cloned().collect(),
    };
    let expand = |depths: &[PerBlock<usize>], types: &[String], layers: &dyn Fn(usize) -> usize| {
        let expand = |(i, depth): (usize, &PerBlock<usize>)| {
            PerBlock::Each(if types[i].contains("CrossAttn") {
                depth.resolve("depth", layers(i)).expect("depth")
            } else {
                Vec::new()
            })
        };
        depths.iter().enumerate().map(expand).collect::<Vec<_>>()
    };
    let upward = expand(&upward, &config.up_block_types, &|i| layers[blocks - 1 - i] + 1);
    config.reverse_transformer_layers_per_block = Some(upward);
    config.transformer_layers_per_block = PerBlock::Each(expand(&depths, &config.down_block_types, &|i| layers[i]));
    config.layers_per_block = PerBlock::Each(layers);
    config.attention_head_dim = PerBlock::Each(config.attention_head_dim.resolve("heads", blocks).expect("heads"));
    config.sample_size = None;
    config.others.clear();
}

fn check_vae(network: &Network, golden: &Value) {
    assert_eq!(network.class, NetworkClass::AutoencoderKl);
    let (mut ours, mut theirs): (AutoencoderConfig, AutoencoderConfig) =
        (parse(&network.config), parse(&golden["config"]));
    for config in [&mut ours, &mut theirs] {
        config.others.clear();
    }
    assert_eq!(ours, theirs);
    check_tensors(network, golden);
}

fn check_text(network: &Network, golden: &Value) {
    assert_eq!(parse::<ClipTextConfig>(&network.config), parse::<ClipTextConfig>(&golden["config"]));
    check_tensors(network, golden);
}

/// Every tensor that the configuration asks for is there, in the shape that it says.
fn load(model: &ModelFiles) {
    let b = Candle::open(Device::Cpu, Precision::F32).expect("the CPU opens");
    UNet::load(&b, &*model.unet.weights, &parse(&model.unet.config)).expect("a U-Net");
    if let Some(vae) = &model.vae {
        Autoencoder::load(&b, &*vae.weights, &parse(&vae.config)).expect("an autoencoder");
    }
    for TextEncoder { network, .. } in &model.text_encoders {
        ClipTextEncoder::load(&b, &*network.weights, &parse(&network.config)).expect("a text encoder");
    }
}

/// All networks of a case; and pads with zero, by text encoder.
fn check(case: &Case, model: &ModelFiles, pads: &[bool]) {
    let golden = &case.json["networks"];
    check_unet(&model.unet, &golden["unet"]);
    assert_eq!(model.vae.is_some(), golden.get("vae").is_some());
    if let Some(vae) = &model.vae {
        check_vae(vae, &golden["vae"]);
    }
    assert_eq!(model.text_encoders.len(), pads.len());
    let parts = [(Part::TextEncoder1, "text_encoder"), (Part::TextEncoder2, "text_encoder_2")];
    for ((encoder, pad), (part, name)) in model.text_encoders.iter().zip(pads).zip(parts) {
        assert_eq!(encoder.part, part);
        assert!(matches!(encoder.tokenizer, Tokenizer::Clip { pad_with_zero } if pad_with_zero == *pad));
        check_text(&encoder.network, &golden[name]);
    }
    load(model);
}

#[test]
fn stable_diffusion_1() {
    let case = Case::read("sd15");
    let model = open(&case.file("model.safetensors", same_name));
    check(&case, &model, &[false]);
    let id = &model.identity;
    assert_eq!((id.family, id.few_step, id.prediction), (Family::Custom, FewStep::No, Prediction::Epsilon));
    assert_eq!((id.native_size, model.zero_empty_negative), ([512, 512], false));
    assert_eq!(
        (model.scheduler["beta_schedule"].as_str(), model.scheduler["beta_end"].as_f64()),
        (Some("scaled_linear"), Some(0.012))
    );
}

#[test]
fn a_full_lcm_without_vae_and_text_encoder() {
    let case = Case::read("lcm");
    let file = case.file("model.safetensors", same_name);
    let model = open(&file);
    check(&case, &model, &[]);
    assert_eq!(model.identity.few_step, FewStep::FullLcm);
    // The same network alone, without the prefix of whole models, and with the name it has where nothing renames it.
    let bare = case.file("unet.safetensors", |key| {
        Some(key.strip_prefix("model.diffusion_model.")?.replace("time_embed.cond", "time_embedding.cond"))
    });
    check_unet(&open_unet(&bare.path).expect("opens"), &case.json["networks"]["unet"]);
    check_unet(&open(&bare).unet, &case.json["networks"]["unet"]);
}

#[test]
fn stable_diffusion_2_and_what_its_metadata_says() {
    let case = Case::read("sd2");
    let file = case.file("model.safetensors", same_name);
    let model = open(&file);
    check(&case, &model, &[true]);
    let id = &model.identity;
    assert_eq!((id.prediction, id.native_size, id.title.as_deref()), (Prediction::V, [768, 512], Some("Small")));
    assert_eq!(model.scheduler["prediction_type"], "v_prediction");
    assert_eq!(model.unet.config["sample_size"], serde_json::json!([64, 96]));
    // SD-Turbo has its text encoder where SDXL has its first.
    let turbo =
        case.file("model.safetensors", |key| Some(key.replace("cond_stage_model.", "conditioner.embedders.0.")));
    check(&case, &open(&turbo), &[true]);
}

#[test]
fn sdxl_with_marks_of_v_prediction_and_zero_snr() {
    let case = Case::read("sdxl");
    let model = open(&case.file("model.safetensors", same_name));
    check(&case, &model, &[false, true]);
    assert_eq!((model.identity.prediction, model.identity.native_size), (Prediction::V, [1024, 1024]));
    assert!(model.zero_empty_negative);
    assert_eq!(model.scheduler["rescale_betas_zero_snr"], true);
    assert_eq!(model.scheduler["timestep_spacing"], "trailing");
}

#[test]
fn ssd_1b_has_its_own_depths() {
    let case = Case::read("ssd1b");
    let model = open(&case.file("model.safetensors", same_name));
    check(&case, &model, &[false, true]);
    assert!(model.vae.is_none());
    assert_eq!(model.identity.prediction, Prediction::Epsilon);
}

#[test]
fn few_steps_are_told_by_title_and_last_by_name() {
    let case = Case::read("ssd1b");
    let few_step = |name: &str| open(&case.file(name, same_name)).identity.few_step;
    assert_eq!(few_step("DreamShaperXL_Turbo.safetensors"), FewStep::Turbo);
    assert_eq!(few_step("dreamshaper_8LCM.safetensors"), FewStep::MergedLcm);
    let titled = Case::read("sd2").file("turbo.safetensors", same_name);
    assert_eq!(open(&titled).identity.few_step, FewStep::No, "its title says nothing of it");
}

#[test]
fn an_autoencoder_alone_with_and_without_prefix() {
    let case = Case::read("sdxl");
    for prefix in ["", "first_stage_model.", "vae."] {
        let file =
            case.file("vae.safetensors", |key| Some(format!("{prefix}{}", key.strip_prefix("first_stage_model.")?)));
        let vae = open_vae(&file.path).expect("opens");
        assert!(vae.config.get("scaling_factor").is_none(), "nothing in the file tells it");
        check_tensors(&vae, &case.json["networks"]["vae"]);
        let mut model = open(&Case::read("ssd1b").file("model.safetensors", same_name));
        model.replace_vae(&file.path).expect("fits");
        check_vae(model.vae.as_ref().expect("replaced"), &case.json["networks"]["vae"]);
    }
}

#[test]
fn a_unet_replaces_one_of_its_form_only() {
    let case = Case::read("ssd1b");
    let mut model = open(&case.file("model.safetensors", same_name));
    let sdxl = Case::read("sdxl").file("unet.safetensors", same_name);
    let error = model.replace_unet(&Case::read("lcm").file("x.safetensors", same_name).path).expect_err("another form");
    assert!(error.to_string().contains("does not fit"), "{error}");
    assert_eq!(
        model.unet.weights.keys().count(),
        case.json["networks"]["unet"]["tensors"].as_object().map_or(0, serde_json::Map::len)
    );
    model.replace_unet(&sdxl.path).expect("the same form");
    check_unet(&model.unet, &Case::read("sdxl").json["networks"]["unet"]);
}

#[test]
fn a_tiny_autoencoder_under_its_authors_names() {
    let case = Case::read("taesd");
    let golden = &case.json["networks"]["vae"];
    let whole = open_vae(&case.file("taesd.safetensors", same_name).path).expect("opens");
    assert_eq!(whole.class, NetworkClass::AutoencoderTiny);
    check_tensors(&whole, golden);
    let (ours, theirs) = (parse::<TinyAutoencoderConfig>(&whole.config), parse(&golden["config"]));
    assert_eq!(ours, theirs);
    for prefix in ["decoder.", "taesd_decoder.", ""] {
        let decoder =
            case.file("taesd_decoder.safetensors", |key| Some(format!("{prefix}{}", key.strip_prefix("decoder.")?)));
        let decoder = open_vae(&decoder.path).expect("opens");
        assert_eq!(parse::<TinyAutoencoderConfig>(&decoder.config), theirs);
        let b = Candle::open(Device::Cpu, Precision::F32).expect("the CPU opens");
        TinyAutoencoder::load_decoder(&b, &*decoder.weights, &theirs).expect("a decoder");
        let keys = || decoder.weights.keys();
        assert!(keys().count() > 0 && keys().all(|key| key.starts_with("decoder.layers.")), "{prefix}");
        assert!(keys().all(
            |key| decoder.weights.tensor(key).expect(key).bytes() == whole.weights.tensor(key).expect(key).bytes()
        ));
    }
}

/// CRC-32 as zlib computes it.
fn crc(bytes: &[u8]) -> u32 {
    let step = |c: u32| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 };
    let table: Vec<u32> = (0..256).map(|byte| (0..8).fold(byte, |c, _| step(c))).collect();
    !bytes.iter().fold(!0, |c, byte| table[((c ^ u32::from(*byte)) & 0xff) as usize] ^ (c >> 8))
}
