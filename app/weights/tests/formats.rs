//! LoRAs of every format merge as diffusers, PEFT and LyCORIS merge them.

use fourstep_compute::TensorSource;
use fourstep_weights::{Checkpoint, KeyedSource, Lora, Merged, Part, Storage, VARIANTS, lora_report};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The LoRA, what its merged weights are called, and its weight.
const CASES: [(&str, &str, f32); 17] = [
    ("kohya.safetensors", "kohya.merged.safetensors", 0.7),
    ("kohya_sgm.safetensors", "kohya_sgm.merged.safetensors", 0.7),
    ("peft.safetensors", "peft.merged.safetensors", 0.7),
    ("peft_dora.safetensors", "peft_dora.merged.safetensors", 0.7),
    ("old_diffusers.safetensors", "old_diffusers.merged.safetensors", 0.7),
    ("peft_loha/adapter_model.safetensors", "peft_loha/merged.safetensors", 0.7),
    ("peft_lokr/adapter_model.safetensors", "peft_lokr/merged.safetensors", 0.7),
    ("locon.safetensors", "locon.merged.safetensors", 0.7),
    ("loha.safetensors", "loha.merged.safetensors", 0.7),
    ("loha_tucker.safetensors", "loha_tucker.merged.safetensors", 0.7),
    ("lokr.safetensors", "lokr.merged.safetensors", 0.7),
    ("lokr_tucker.safetensors", "lokr_tucker.merged.safetensors", 0.7),
    ("lokr_full.safetensors", "lokr_full.merged.safetensors", 0.7),
    ("full.safetensors", "full.merged.safetensors", 0.7),
    ("norms.safetensors", "norms.merged.safetensors", 0.7),
    ("dora.safetensors", "dora.merged.safetensors", 1.0),
    ("dora_inputs.safetensors", "dora_inputs.merged.safetensors", 1.0),
];

const PARTS: [(Part, &str); 3] =
    [(Part::UNet, "unet"), (Part::TextEncoder1, "text_encoder"), (Part::TextEncoder2, "text_encoder_2")];

/// Of what a weight is, or of 1 where that is less.
const TOLERANCE: f32 = 1e-5;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/lora/formats")
}

fn base(part: &str) -> Arc<Checkpoint> {
    let storage = Storage::Directory(folder().join("base"));
    Arc::new(Checkpoint::open(&storage, part, VARIANTS).expect("base"))
}

#[test]
fn every_format_merges_as_its_own_program_merges_it() {
    for (file, expected, weight) in CASES {
        let lora = Arc::new(Lora::open(&folder().join(file)).expect(file));
        let expected = Checkpoint::open_file(&folder().join(expected)).expect("golden");
        let mut reports = Vec::new();
        let mut compared = 0;
        for (part, name) in PARTS {
            let base = base(name);
            let merged = Merged::new(base.clone(), vec![(lora.clone(), weight)], part).expect(file);
            reports.extend_from_slice(merged.reports());
            for key in base.keys() {
                let ours = merged.tensor(key).expect("merged").to_f32();
                let golden = format!("{name}.{key}");
                let theirs = if expected.contains(&golden) { expected.tensor(&golden) } else { base.tensor(key) };
                let theirs = theirs.expect("golden").to_f32();
                assert_eq!(ours.len(), theirs.len(), "{file}: {golden}");
                compared += usize::from(expected.contains(&golden));
                for (a, b) in ours.iter().zip(theirs) {
                    assert!((a - b).abs() <= TOLERANCE * b.abs().max(1.0), "{file}: {golden}: {a} {b}");
                }
            }
        }
        assert_eq!(compared, expected.keys().count(), "{file}: every golden weight is compared");
        let report = lora_report(file, &lora, &reports);
        assert_eq!((report.matched, report.total), (compared, compared), "{file}");
        assert!(report.ignored.is_empty(), "{file}: {:?}", report.ignored);
    }
}

#[test]
fn a_part_that_the_model_lacks_is_ignored_by_name() {
    let lora = Arc::new(Lora::open(&folder().join("peft.safetensors")).expect("lora"));
    let merged = Merged::new(base("unet"), vec![(lora.clone(), 1.0)], Part::UNet).expect("fits");
    let report = lora_report("style", &lora, merged.reports());
    assert_eq!((report.matched, report.total, report.ignored.len()), (19, 23, 4), "{report:?}");
    assert!(report.ignored.iter().any(|what| what.contains("no second text encoder")), "{:?}", report.ignored);
}
