//! Merging equals torch's, on a small random base and on the embedded model.

use fourstep_compute::{ComputeError, Element, HostTensor, TensorSource};
use fourstep_weights::{Checkpoint, Fault, KeyedSource, Lora, Merged, Part, Storage, VARIANTS};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn open(folder: &str, part: &str) -> Arc<Checkpoint> {
    let storage = Storage::Directory(root().join(folder));
    Arc::new(Checkpoint::open(&storage, part, VARIANTS).expect("checkpoint"))
}

fn lora(path: &str) -> Arc<Lora> {
    Arc::new(Lora::open(&root().join(path)).expect("lora"))
}

fn same(a: &HostTensor, b: &HostTensor) -> bool {
    (a.shape(), a.element(), a.bytes()) == (b.shape(), b.element(), b.bytes())
}

#[test]
fn two_loras_equal_torch() {
    let base = open("tests/golden/lora", "unet");
    let stack =
        vec![(lora("tests/golden/lora/first.safetensors"), 0.8), (lora("tests/golden/lora/second.safetensors"), -1.5)];
    let merged = Merged::new(base.clone(), stack, Part::UNet).expect("fits");
    let expected = root().join("tests/golden/lora/merged.safetensors");
    let expected =
        Checkpoint::from_bytes("merged", fourstep_weights::map_file(&expected).expect("file")).expect("golden");
    assert_eq!(expected.keys().count(), 6);
    for key in expected.keys() {
        let (ours, torch) = (merged.tensor(key).expect("merged"), expected.tensor(key).expect("golden"));
        assert_eq!((ours.shape(), ours.element()), (torch.shape(), Element::F32));
        assert!(!same(&ours, &base.tensor(key).expect("base")));
        for (a, b) in ours.to_f32().iter().zip(torch.to_f32()) {
            assert!((a - b).abs() < 2e-5, "{key}: {a} {b}");
        }
    }
    for key in ["conv_in.weight", "conv_in.bias"] {
        assert!(same(&merged.tensor(key).expect("original"), &base.tensor(key).expect("base")), "{key}");
    }
    let matched: Vec<usize> = merged.reports().iter().map(|report| report.matched).collect();
    assert_eq!(matched, [6, 3]);
    assert!(merged.reports().iter().all(|report| report.ignored.is_empty()));
}

#[test]
fn the_embedded_lora_fits_the_embedded_model_whole() {
    let (base, lora) = (open("assets/sticker/teacher", "unet"), lora("assets/sticker/lcm_lora.safetensors"));
    let merged = Merged::new(base.clone(), vec![(lora.clone(), 1.0)], Part::UNet).expect("fits");
    let report = &merged.reports()[0];
    assert_eq!((report.matched, report.total, report.ignored.len()), (179, 179, 0));
    let changed =
        base.keys().filter(|key| !same(&merged.tensor(key).expect("merged"), &base.tensor(key).expect("base"))).count();
    assert_eq!(changed, 179);

    let off = Merged::new(base.clone(), vec![(lora.clone(), 0.0)], Part::UNet).expect("fits");
    assert!(base.keys().all(|key| same(&off.tensor(key).expect("original"), &base.tensor(key).expect("base"))));

    let encoder = open("assets/sticker/teacher", "text_encoder");
    let untouched = Merged::new(encoder.clone(), vec![(lora.clone(), 1.0)], Part::TextEncoder1).expect("no modules");
    assert_eq!(untouched.reports()[0].total, 0);

    let wrong = Merged::new(encoder, vec![(lora, 1.0)], Part::UNet).map(|_| ()).expect_err("another network");
    assert!(matches!(wrong.fault, Fault::NothingMatches { total: 179, .. }), "{wrong}");
}

#[test]
fn the_embedded_checkpoints_are_whole() {
    for (folder, part, count) in [
        ("assets/sticker/teacher", "unet", 444),
        ("assets/sticker/teacher", "vae", 98),
        ("assets/sticker/teacher", "text_encoder", 52),
        ("assets/sticker/lcm", "unet", 445),
    ] {
        let checkpoint = open(folder, part);
        assert_eq!(checkpoint.keys().count(), count, "{folder}/{part}");
        for key in checkpoint.keys() {
            let tensor = checkpoint.tensor(key).expect("a sound tensor");
            assert_eq!(Some(tensor.shape()), checkpoint.shape(key));
        }
        assert!(!checkpoint.contains("nothing"));
        assert!(matches!(checkpoint.tensor("nothing"), Err(ComputeError::Missing(_))));
    }
}
