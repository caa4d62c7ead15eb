//! A network that is loaded again packs what changed and nothing else, and is the same as one loaded afresh.

mod support;

use fourstep_compute::{Backend, HostTensor, Result, TensorSource};
use fourstep_nets::{ClipTextEncoder, Packs, UNet};
use std::{cell::RefCell, collections::BTreeMap, sync::Mutex};
use support::{File, backend, case, cpu, golden_config};

/// A file of which some tensors have other values, under a version, and which keys were read.
struct Changed {
    file: File,
    versions: BTreeMap<String, u64>,
    read: Mutex<Vec<String>>,
}

impl Changed {
    /// The weights of `keys`, `times` what they were, under that version.
    fn new(name: &str, keys: &[&str], times: u64) -> Self {
        let file = keys.iter().fold(case(name).0, |file, key| {
            let original = file.tensor(key).expect("there");
            let values: Vec<f32> = original.to_f32().iter().map(|v| v * times as f32).collect();
            file.with(key, HostTensor::from_vec(original.shape(), values))
        });
        let versions = keys.iter().map(|key| ((*key).to_owned(), times)).collect();
        Self { file, versions, read: Mutex::default() }
    }

    /// The keys that were read since the last call.
    fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.read.lock().expect("no panic before"))
    }
}

impl TensorSource for Changed {
    fn tensor(&self, key: &str) -> Result<HostTensor> {
        self.read.lock().expect("no panic before").push(key.into());
        self.file.tensor(key)
    }

    fn contains(&self, key: &str) -> bool {
        self.file.contains(key)
    }

    fn version(&self, key: &str) -> Option<u64> {
        Some(self.versions.get(key).copied().unwrap_or(0))
    }
}

fn unet_bits<B: Backend>(b: &B, unet: &UNet<B>) -> Vec<u32> {
    let golden = case("unet_sd15").1;
    let time = unet.time(b, 500.0, Default::default()).expect("embeds");
    let conditioning = unet.condition(b, &golden.tokens(b, "context")).expect("conditions");
    let out = unet.forward(b, &golden.image(b, "latents"), &time, &conditioning).expect("runs");
    b.download_image(&out).expect("downloads").0.into_iter().map(f32::to_bits).collect()
}

#[test]
fn a_unet_packs_only_what_changed_and_equals_a_fresh_one() {
    packs_only_what_changed(&backend());
    packs_only_what_changed(&cpu());
}

fn packs_only_what_changed<B: Backend>(b: &B) {
    let config = golden_config("unet_sd15");
    let attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight";
    let keys = [attention, "down_blocks.0.resnets.0.conv1.weight", "conv_norm_out.bias"];
    let fresh = |source: &Changed| unet_bits(b, &UNet::load(b, source, &config).expect("loads"));
    let (original, twice, thrice) =
        (Changed::new("unet_sd15", &[], 0), Changed::new("unet_sd15", &keys, 2), Changed::new("unet_sd15", &keys, 3));
    let bits = [fresh(&original), fresh(&twice), fresh(&thrice)];
    assert!(bits[0] != bits[1] && bits[1] != bits[2]);
    let everything = original.read().len();
    let layers = [
        "conv_norm_out.bias",
        "conv_norm_out.weight",
        "down_blocks.0.resnets.0.conv1.bias",
        "down_blocks.0.resnets.0.conv1.weight",
        attention,
    ];

    let packs = RefCell::new(Packs::new());
    let load = |source: &Changed| {
        source.read();
        let unet = UNet::load_with(b, source, &config, &mut packs.borrow_mut()).expect("loads");
        let mut read = source.read();
        read.sort_unstable();
        (unet_bits(b, &unet), read)
    };
    let (found, read) = load(&original);
    assert_eq!((found == bits[0], read.len()), (true, everything));
    for (source, expected) in [(&twice, &bits[1]), (&thrice, &bits[2]), (&original, &bits[0])] {
        let (found, mut read) = load(source);
        let mut expected_read = layers.to_vec();
        expected_read.sort_unstable();
        read.dedup();
        assert_eq!((found == *expected, read), (true, expected_read.iter().map(|k| (*k).to_owned()).collect()));
        assert_eq!(load(source).1, Vec::<String>::new());
    }
}

#[test]
fn a_network_that_is_still_there_keeps_its_weights() {
    is_still_there(&backend());
    is_still_there(&cpu());
}

fn is_still_there<B: Backend>(b: &B) {
    let config = golden_config("unet_sd15");
    let keys = ["mid_block.resnets.0.conv1.weight"];
    let mut packs = Packs::new();
    let first = UNet::load_with(b, &Changed::new("unet_sd15", &[], 0), &config, &mut packs).expect("loads");
    let before = unet_bits(b, &first);
    let second = UNet::load_with(b, &Changed::new("unet_sd15", &keys, 2), &config, &mut packs).expect("loads");
    assert_eq!(unet_bits(b, &first), before);
    assert_ne!(unet_bits(b, &second), before);
}

#[test]
fn what_fails_half_way_leaves_packs_of_use() {
    let (b, config) = (backend(), golden_config("unet_sd15"));
    let keys = ["conv_in.weight", "conv_out.weight"];
    let mut packs = Packs::new();
    let original = Changed::new("unet_sd15", &[], 0);
    let bits = unet_bits(&b, &UNet::load_with(&b, &original, &config, &mut packs).expect("loads"));
    let mut broken = Changed::new("unet_sd15", &keys, 2);
    broken.file = broken.file.without(|key| key == "conv_out.weight");
    assert!(UNet::load_with(&b, &broken, &config, &mut packs).is_err());
    let again = UNet::load_with(&b, &original, &config, &mut packs).expect("loads");
    assert_eq!(unet_bits(&b, &again), bits);
}

#[test]
fn a_source_without_versions_is_packed_anew() {
    let (b, config) = (backend(), golden_config("clip_l"));
    let mut packs = Packs::new();
    for _ in 0..2 {
        ClipTextEncoder::load_with(&b, &case("clip_l").0, &config, &mut packs).expect("loads");
        assert_eq!(format!("{packs:?}"), "Packs(0 layers)");
    }
}
