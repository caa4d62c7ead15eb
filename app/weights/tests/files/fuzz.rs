//! Whatever a file says, opening it ends in a model or in an error: no panic, and no memory for what is not there.

use crate::golden::{Case, copy, write};
use fourstep_weights::{ModelFiles, ModelSource, Network, Storage, open_unet, open_vae};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use std::path::Path;

/// Opens a file as everything it could be, and reads what there is.
fn open_as_everything(path: &Path) {
    if let Ok(model) = ModelFiles::open(&ModelSource::File(path.into())) {
        read_all(&model);
    }
    for network in [open_unet(path), open_vae(path)].into_iter().flatten() {
        read(&network);
    }
}

fn read_all(model: &ModelFiles) {
    let _ = model.elements();
    let texts = model.text_encoders.iter().map(|encoder| &encoder.network);
    texts.chain(&model.vae).chain([&model.unet]).for_each(read);
}

fn read(network: &Network) {
    for key in network.weights.keys() {
        if let Ok(tensor) = network.weights.tensor(key) {
            assert_eq!(Some(tensor.shape()), network.weights.shape(key), "{key}");
        }
    }
}

/// A safetensors file by its header, with so many bytes behind it.
fn with_header(header: &[u8], data_len: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header, &vec![0; data_len]].concat()
}

/// Keys as they stand in real files, and such that only begin like them.
fn key() -> impl Strategy<Value = String> {
    let real: Vec<String> =
        ["sd15", "sd2", "sdxl", "lcm", "taesd"].iter().flat_map(|name| Case::read(name).single.into_keys()).collect();
    let start = select(real.clone());
    let cut = (start, 0usize..80, "[a-z0-9.]{0,12}")
        .prop_map(|(key, len, end)| format!("{}{end}", key.get(..len.min(key.len())).unwrap_or_default()));
    let numbered = (select(real.clone()), any::<u64>()).prop_map(|(key, n)| key.replacen(".0.", &format!(".{n}."), 1));
    prop_oneof![4 => select(real), 1 => cut, 1 => numbered]
}

/// Sides of a tensor: small, or without content and as long as can be written.
fn shape() -> impl Strategy<Value = Vec<u64>> {
    let huge = vec(prop_oneof![Just(0u64), Just(u64::MAX / 2), 1u64..9], 1..5);
    prop_oneof![4 => vec(0u64..5, 0..5), 1 => huge]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200), length in any::<u64>()) {
        open_as_everything(&write("x.safetensors", &bytes).path);
        open_as_everything(&write("x.safetensors", &[&length.to_le_bytes()[..], &bytes].concat()).path);
        open_as_everything(&write("x.safetensors", &with_header(&bytes, 3)).path);
    }

    #[test]
    fn any_tensors(tensors in vec((key(), shape(), select(vec!["F32", "F16", "BF16", "I64", "F8_E4M3"])), 0..60)) {
        let mut header = serde_json::Map::new();
        let mut end = 0u64;
        for (key, shape, dtype) in tensors {
            let size = match dtype { "F32" => 4, "I64" => 8, "F8_E4M3" => 1, _ => 2 };
            let len = shape.iter().try_fold(size, |n: u64, side| n.checked_mul(*side)).unwrap_or(0).min(1 << 16);
            if header.contains_key(&key) {
                continue;
            }
            header.insert(key, json!({ "dtype": dtype, "shape": shape, "data_offsets": [end, end + len] }));
            end += len;
        }
        let header = serde_json::to_vec(&header).expect("JSON");
        open_as_everything(&write("x.safetensors", &with_header(&header, end as usize)).path);
    }

    #[test]
    fn real_headers_with_wrong_sides(name in select(vec!["sd15", "sd2", "sdxl", "ssd1b", "lcm", "taesd"]),
                                     changes in vec((any::<prop::sample::Index>(), shape()), 1..12),
                                     gone in vec(any::<prop::sample::Index>(), 0..12)) {
        let mut single = Case::read(name).single;
        for (index, shape) in changes {
            let key = single.keys().nth(index.index(single.len())).cloned().expect("inside");
            single.insert(key, shape.into_iter().map(|side| side as usize).collect());
        }
        for index in gone {
            let key = single.keys().nth(index.index(single.len())).cloned().expect("inside");
            single.remove(&key);
        }
        // Nothing lies behind the header: every tensor has a side of zero.
        let empty = |(key, mut shape): (String, Vec<usize>)| {
            if let Some(last) = shape.last_mut().filter(|_| key.len() % 7 == 0) { *last = 0 }
            let len: usize = shape.iter().try_fold(2usize, |n, side| n.checked_mul(*side)).unwrap_or(0).min(1 << 22);
            (key, shape, len)
        };
        let mut end = 0;
        let header: serde_json::Map<String, Value> = single.into_iter().map(empty).map(|(key, shape, len)| {
            let offsets = [end, end + len];
            end += len;
            (key, json!({ "dtype": "F16", "shape": shape, "data_offsets": offsets }))
        }).collect();
        let header = serde_json::to_vec(&header).expect("JSON");
        open_as_everything(&write("x.safetensors", &with_header(&header, end)).path);
    }

    #[test]
    fn folders_with_other_values_in_their_configurations(
        file in select(vec!["model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json",
                            "scheduler/scheduler_config.json"]),
        changes in vec((any::<prop::sample::Index>(), value()), 1..6),
        whole in proptest::option::weighted(0.1, value()),
    ) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pipeline/sd");
        let folder = tempfile::tempdir().expect("temporary folder");
        copy(&source, folder.path());
        let path = folder.path().join(file);
        let mut config: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        if let Some(options) = config.as_object_mut() {
            for (index, value) in changes {
                let key = options.keys().nth(index.index(options.len())).cloned().expect("inside");
                options.insert(key, value);
            }
        }
        std::fs::write(&path, whole.unwrap_or(config).to_string()).expect("write");
        if let Ok(model) = ModelFiles::open(&ModelSource::Folder(Storage::Directory(folder.path().into()))) {
            read_all(&model);
        }
    }
}

/// JSON that configurations do not hold, and such that they do.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec!["", "UNet2DConditionModel", "AutoencoderKL", "LCMScheduler", "v_prediction"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-z_]{0,8}", inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}
