//! Models in diffusers folders.

use crate::golden::copy;
use fourstep_protocol::Family;
use fourstep_weights::{
    Fault, FewStep, ModelFiles, ModelSource, Network, NetworkClass, Prediction, Storage, Tokenizer, WeightsError,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn open(folder: &str) -> ModelFiles {
    ModelFiles::open(&ModelSource::Folder(Storage::Directory(root().join(folder)))).expect(folder)
}

#[test]
fn the_embedded_models_open_as_what_they_are() {
    for (folder, few_step) in [("teacher", FewStep::No), ("lcm", FewStep::FullLcm)] {
        let model = open(&format!("assets/sticker/{folder}"));
        let id = &model.identity;
        assert_eq!((id.family, id.few_step, id.prediction), (Family::Custom, few_step, Prediction::Epsilon));
        assert_eq!((id.native_size, model.zero_empty_negative), ([256, 256], false));
        assert_eq!(model.vae.as_ref().map(|vae| vae.class), Some(NetworkClass::AutoencoderTiny));
        assert_eq!(model.text_encoders.len(), 1);
        assert!(matches!(&model.text_encoders[0].tokenizer, Tokenizer::Files(_, folder) if folder == "tokenizer"));
        let parts = model.unet.elements() + model.vae.as_ref().map_or(0, Network::elements);
        assert_eq!(model.elements(), parts + model.text_encoders[0].network.elements());
    }
}

#[test]
fn a_model_of_the_sdxl_form_has_two_text_encoders() {
    let model = open("tests/golden/pipeline/sdxl");
    assert_eq!(model.text_encoders.len(), 2);
    assert!(model.zero_empty_negative);
    assert!(matches!(&model.text_encoders[1].tokenizer, Tokenizer::Files(_, folder) if folder == "tokenizer_2"));
}

/// A folder of the goldens with one option of one file changed.
fn changed(folder: &str, file: &str, option: &str, value: Value) -> Result<ModelFiles, WeightsError> {
    let copied = tempfile::tempdir().expect("temporary folder");
    copy(&root().join(folder), copied.path());
    let path = copied.path().join(file);
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    config[option] = value;
    std::fs::write(&path, config.to_string()).expect("write");
    ModelFiles::open(&ModelSource::Folder(Storage::Directory(copied.path().into())))
}

#[test]
fn other_kinds_of_folders_are_named() {
    const SD: &str = "tests/golden/pipeline/sd";
    let cases = [
        (SD, "model_index.json", "_class_name", json!("FluxPipeline"), "FluxPipeline"),
        (SD, "model_index.json", "_class_name", json!(3), "names no pipeline"),
        ("tests/golden/pipeline/sdxl", "model_index.json", "text_encoder", json!([null, null]), "refiner"),
        (SD, "model_index.json", "vae", json!(["diffusers", "AutoencoderDC"]), "AutoencoderDC"),
        (SD, "vae/config.json", "block_out_channels", json!([1, 1, 1]), "3 levels"),
        (SD, "unet/config.json", "in_channels", json!(9), "inpainting"),
        (SD, "unet/config.json", "in_channels", json!(8), "instruction"),
        (SD, "unet/config.json", "_class_name", json!("UNet3DConditionModel"), "UNet3DConditionModel"),
    ];
    for (folder, file, option, value, word) in cases {
        let error = changed(folder, file, option, value).map(|_| ()).expect_err(word);
        assert!(matches!(&error.fault, Fault::OtherModel(what) if what.contains(word)), "{error}");
    }
    let without_vae = changed(SD, "model_index.json", "vae", Value::Null).expect("a model without VAE");
    assert!(without_vae.vae.is_none());
    let lcm = changed(SD, "scheduler/scheduler_config.json", "_class_name", json!("LCMScheduler")).expect("opens");
    assert_eq!(lcm.identity.few_step, FewStep::MergedLcm);
}
