//! Models in diffusers folders.

use fourstep_protocol::Family;
use fourstep_weights::{FewStep, ModelFiles, ModelSource, Network, NetworkClass, Prediction, Storage, Tokenizer};
use std::path::Path;

fn open(folder: &str) -> ModelFiles {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    ModelFiles::open(&ModelSource::Folder(Storage::Directory(root))).expect(folder)
}

#[test]
fn the_embedded_models_open_as_what_they_are() {
    for (folder, few_step) in [("teacher", FewStep::No), ("lcm", FewStep::FullLcm)] {
        let model = open(&format!("assets/sticker/{folder}"));
        let id = &model.identity;
        assert_eq!((id.family, id.few_step, id.prediction), (Family::Custom, few_step, Prediction::Epsilon));
        assert_eq!((id.native_size, model.zero_empty_negative), ([128, 128], false));
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
