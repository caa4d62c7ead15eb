//! Whatever keys, shapes and metadata a LoRA file has: no panic, and nothing is allocated that the base does not ask for.

use fourstep_compute::TensorSource;
use fourstep_protocol::Family;
use fourstep_weights::{Checkpoint, KeyedSource, Lora, Merged, Part, lora_report};
use proptest::{collection, option, prelude::*, sample::select};
use safetensors::{Dtype, tensor::TensorView};
use std::{collections::HashMap, sync::Arc};

/// Pieces of keys: prefixes, paths and roles of every format, and nonsense.
const STARTS: [&str; 12] = [
    "lora_unet_",
    "lora_te_",
    "lora_te2_",
    "lycoris_",
    "unet.",
    "text_encoder.",
    "base_model.model.",
    "diffusion_model.",
    "down_blocks.",
    "",
    ".",
    "é",
];
const MIDDLES: [&str; 14] = [
    "a_b",
    "a.b",
    "conv",
    "input_blocks_4_1_proj_in",
    "input_blocks_99999999999999999999_1_x",
    "input_blocks_0_1_x",
    "down_blocks_1_attentions_0_transformer_blocks_3_attn2_to_k",
    "output_blocks_18446744073709551615_1_x",
    "out_2",
    "mid_block.attn1.processor.to_q_lora",
    "x.lora",
    "",
    "text_model.x.to_out_lora",
    "middle_block_1",
];
const ENDS: [&str; 25] = [
    ".lora_down.weight",
    ".lora_up.weight",
    ".lora_mid.weight",
    ".alpha",
    ".dora_scale",
    ".hada_w1_a",
    ".hada_w1_b",
    ".hada_w2_a",
    ".hada_w2_b",
    ".hada_t1",
    ".hada_t2",
    ".lokr_w1",
    ".lokr_w1_a",
    ".lokr_w1_b",
    ".lokr_w2",
    ".lokr_w2_a",
    ".lokr_w2_b",
    ".lokr_t2",
    ".diff",
    ".diff_b",
    ".lora_A.weight",
    ".lora_B.default.weight",
    ".lora_magnitude_vector",
    ".down.weight",
    ".",
];
const METADATA: [&str; 5] =
    ["lora_adapter_metadata", "ss_tag_frequency", "modelspec.title", "modelspec.trigger_phrase", "ss_output_name"];
const JSON: [&str; 9] = [
    "",
    "{",
    "[[[[[[",
    r#"{"unet.lora_alpha": 1e999}"#,
    r#"{"unet.alpha_pattern": {"": 3}, "lora_alpha": -1}"#,
    r#"{"a": {"b": 3, "": 1}}"#,
    r#"{"a": {"b": null}}"#,
    "\u{0}\u{7f}LCM",
    r#"{"unet.alpha_pattern": []}"#,
];

fn key() -> impl Strategy<Value = String> {
    let known =
        (select(&STARTS[..]), select(&MIDDLES[..]), select(&ENDS[..])).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
    prop_oneof![8 => known, 1 => ".{0,24}"]
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    collection::vec(select(&[0usize, 1, 1, 2, 2, 3, 4][..]), 0..5)
}

/// All tensors of one module, of shapes that may fit.
fn module() -> impl Strategy<Value = Vec<(String, Vec<usize>)>> {
    let roles = collection::btree_set(select(&ENDS[..]), 1..8);
    (select(&STARTS[..]), select(&MIDDLES[..]), roles, collection::vec(shape(), 8)).prop_map(
        |(start, path, roles, shapes)| {
            roles.into_iter().zip(shapes).map(|(role, shape)| (format!("{start}{path}{role}"), shape)).collect()
        },
    )
}

fn file(tensors: &HashMap<String, Vec<usize>>, metadata: HashMap<String, String>) -> Vec<u8> {
    let zeros = [0u8; 4 * 256];
    let views = tensors.iter().map(|(key, shape)| {
        let bytes = &zeros[..4 * shape.iter().product::<usize>()];
        (key, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as long as its shape says"))
    });
    safetensors::serialize(views, Some(metadata)).expect("serialise")
}

fn base() -> Arc<dyn KeyedSource> {
    let tensors = [("a.b.weight", vec![2, 3]), ("conv.weight", vec![4, 2, 3, 3]), ("a.b.bias", vec![2])];
    let tensors = tensors.map(|(key, shape)| (key.to_owned(), shape)).into();
    Arc::new(Checkpoint::from_bytes("base", Arc::new(file(&tensors, HashMap::new()))).expect("base"))
}

fn use_it(bytes: Vec<u8>) {
    let Ok(lora) = Lora::from_bytes("/a/lcm/x.safetensors", Arc::new(bytes)) else { return };
    let info = lora.info("x");
    assert!(info.modules > 0 && info.trigger_words.len() <= 8 && info.name.chars().count() <= 80);
    assert!(lora.check_family(Family::Custom).is_ok());
    let lora = Arc::new(lora);
    for part in [Part::UNet, Part::TextEncoder1] {
        let Ok(merged) = Merged::new(base(), vec![(lora.clone(), 0.5)], part) else { continue };
        for key in merged.keys() {
            if let Ok(tensor) = merged.tensor(key) {
                assert_eq!(Some(tensor.shape()), merged.shape(key));
                let _ = tensor.to_f32();
            }
        }
        let report = lora_report("x", &lora, merged.reports());
        assert!(report.matched <= report.total);
    }
}

proptest! {
    #[test]
    fn any_keys_and_shapes(
        loose in collection::hash_map(key(), shape(), 0..4),
        modules in collection::vec(module(), 0..3),
        said in option::of((select(&METADATA[..]), select(&JSON[..]))),
    ) {
        let mut tensors = loose;
        tensors.extend(modules.into_iter().flatten());
        let metadata = said.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        use_it(file(&tensors, metadata));
    }

    #[test]
    fn any_bytes(bytes in collection::vec(any::<u8>(), 0..200)) {
        use_it(bytes);
    }
}
