//! Families in their real sizes, from shapes alone (`tests/golden/files/full.txt`).

use super::{FewStep, Network, NetworkClass, Prediction, identity, naming};
use crate::{Checkpoint, KeyedSource, lora::tests::file};
use fourstep_compute::{ComputeError, HostTensor, TensorSource};
use fourstep_nets::{UNetConfig, config::PerBlock};
use fourstep_protocol::Family;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// A file of which only shapes are known, and the values of a few tensors.
#[derive(Clone, Default)]
struct Header {
    shapes: BTreeMap<String, Vec<usize>>,
    values: HashMap<String, Vec<f32>>,
}

impl TensorSource for Header {
    fn tensor(&self, key: &str) -> fourstep_compute::Result<HostTensor> {
        let values = self.values.get(key).ok_or_else(|| ComputeError::Missing(key.into()))?;
        Ok(HostTensor::from_f32(self.shapes[key].clone(), values))
    }

    fn contains(&self, key: &str) -> bool {
        self.shapes.contains_key(key)
    }
}

impl KeyedSource for Header {
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.shapes.keys().map(String::as_str))
    }

    fn shape(&self, key: &str) -> Option<&[usize]> {
        self.shapes.get(key).map(Vec::as_slice)
    }
}

/// The U-Net of a family as it stands in a single file, and the configuration that diffusers has for it.
fn full(family: &str) -> (Header, Value) {
    let text = include_str!("../../../tests/golden/files/full.txt");
    let section = text.split("= ").find_map(|section| section.strip_prefix(family)).expect("a family of the file");
    let (config, tensors) = section.split_once('\n').expect("lines");
    let mut header = Header::default();
    for line in tensors.lines() {
        let mut words = line.split(' ');
        let key = format!("model.diffusion_model.{}.weight", words.next().expect("a key"));
        header.shapes.insert(key, words.map(|side| side.parse().expect("a number")).collect());
    }
    (header, serde_json::from_str(config.trim()).expect("JSON"))
}

fn unet(header: Header) -> Network {
    let source: Arc<dyn KeyedSource> = Arc::new(header);
    naming::unet(&source, None).expect("a U-Net").expect("a known one")
}

#[test]
fn families_are_told_by_their_shapes() {
    let families =
        [("sd15 ", Family::Sd15), ("sd2 ", Family::Sd2), ("sdxl ", Family::Sdxl), ("ssd-1b ", Family::Ssd1b)];
    for (name, family) in families {
        let (header, golden) = full(name);
        let unet = unet(header);
        assert_eq!(identity::family(&unet), family);
        let ours: UNetConfig = serde_json::from_value(unet.config).expect("ours");
        let theirs: UNetConfig = serde_json::from_value(golden).expect("diffusers'");
        let heads = |config: &UNetConfig| config.attention_head_dim.resolve("heads", config.block_out_channels.len());
        assert_eq!(heads(&ours).expect("heads"), heads(&theirs).expect("heads"), "{name}");
        assert_eq!(ours.block_out_channels, theirs.block_out_channels, "{name}");
        assert_eq!((&ours.down_block_types, &ours.up_block_types), (&theirs.down_block_types, &theirs.up_block_types));
        assert_eq!((ours.layers_per_block, ours.mid_block_type), (theirs.layers_per_block, theirs.mid_block_type));
        assert_eq!(
            (ours.cross_attention_dim, ours.addition_embed_type),
            (theirs.cross_attention_dim, theirs.addition_embed_type)
        );
        assert_eq!(ours.addition_time_embed_dim, theirs.addition_time_embed_dim, "{name}");
        assert_eq!(ours.reverse_transformer_layers_per_block.is_some(), family == Family::Ssd1b);
        if family == Family::Sdxl {
            let depths = PerBlock::Each([1, 2, 10].map(PerBlock::All).to_vec());
            assert_eq!((&ours.transformer_layers_per_block, &theirs.transformer_layers_per_block), (&depths, &depths));
        }
    }
}

#[test]
fn stable_diffusion_2_predicts_v_where_one_bias_is_spread() {
    let nothing = Checkpoint::from_bytes("x", file(&[])).expect("empty");
    for (spread, prediction) in [(0.2, Prediction::V), (0.02, Prediction::Epsilon)] {
        let (mut header, _) = full("sd2 ");
        let key = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
        header.shapes.insert(key.into(), vec![320]);
        header.values.insert(key.into(), (0..320).map(|i| if i % 2 == 0 { spread } else { -spread }).collect());
        let unet = unet(header);
        assert_eq!(Prediction::of_file(&nothing, &unet, Family::Sd2).expect("read"), prediction);
        assert_eq!(Prediction::of_file(&nothing, &unet, Family::Sd15).expect("not asked"), Prediction::Epsilon);
    }
}

#[test]
fn sizes_come_from_metadata_only_where_they_can_be_meant() {
    assert_eq!(identity::resolution("1024x768"), Some([1024, 768]));
    assert_eq!(identity::resolution("512"), Some([512, 512]));
    for text in ["", "x", "0x0", "99999999999x5", "1024x", "-512"] {
        assert_eq!(identity::resolution(text), None, "{text}");
    }
    let unet = |size: Value| Network { config: serde_json::json!({ "sample_size": size }), ..unet(full("sd15 ").0) };
    let px = |size| identity::sample_px(&unet(size).config);
    assert_eq!(px(serde_json::json!([64, 96])), Some([768, 512]));
    assert_eq!(px(serde_json::json!(64)), Some([512, 512]));
    assert_eq!(px(serde_json::json!(u64::MAX)), None);
    assert_eq!(px(Value::Null), None);
}

#[test]
fn schedulers_of_folders_tell_few_steps() {
    let unet = unet(full("sd15 ").0);
    assert_eq!(unet.class, NetworkClass::UNet);
    let few_step = |class: &str, spacing: &str, prediction: &str| {
        let scheduler = serde_json::json!({
            "_class_name": class, "timestep_spacing": spacing, "prediction_type": prediction,
        });
        FewStep::of_folder(&unet, &scheduler)
    };
    assert_eq!(few_step("LCMScheduler", "leading", "epsilon"), FewStep::MergedLcm);
    assert_eq!(few_step("EulerDiscreteScheduler", "trailing", "epsilon"), FewStep::Turbo);
    assert_eq!(few_step("EulerDiscreteScheduler", "trailing", "v_prediction"), FewStep::No);
    assert_eq!(few_step("EulerDiscreteScheduler", "leading", "epsilon"), FewStep::No);
}
