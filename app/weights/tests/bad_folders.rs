//! Folders and files that are not what they should be: a clear error each, never a panic.

use fourstep_compute::{ComputeError, TensorSource};
use fourstep_weights::{Checkpoint, Fault, KeyedSource, Storage, VARIANTS, WeightsError};
use safetensors::{Dtype, serialize, tensor::TensorView};
use std::path::Path;
use tempfile::TempDir;

const PLAIN: &str = "unet/diffusion_pytorch_model.safetensors";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(dir.path().join("unet")).expect("create");
        Self(dir)
    }

    fn with(self, name: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.0.path().join(name), bytes).expect("write");
        self
    }

    fn open(&self) -> Result<Checkpoint, WeightsError> {
        Checkpoint::open(&Storage::Directory(self.0.path().into()), "unet", VARIANTS)
    }

    fn fault(&self) -> Fault {
        let error = self.open().map(|_| ()).expect_err("refused");
        assert!(Path::new(&error.file).starts_with(self.0.path()), "the file is named: {error}");
        error.fault
    }
}

fn weights(tensors: &[(&str, Dtype, &[u8])]) -> Vec<u8> {
    let views = tensors.iter().map(|(key, dtype, bytes)| {
        let shape = vec![bytes.len() * 8 / dtype.bitsize()];
        (*key, TensorView::new(*dtype, shape, bytes).expect("the bytes fill the shape"))
    });
    serialize(views, None).expect("serialise")
}

fn one(key: &str) -> Vec<u8> {
    weights(&[(key, Dtype::F32, &1.5f32.to_le_bytes())])
}

#[test]
fn files_are_found_under_every_name() {
    for name in [
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/model.safetensors",
        "unet/model.fp16.safetensors",
    ] {
        let checkpoint = Folder::new().with(name, &one("w")).open().expect("opened");
        assert_eq!(checkpoint.tensor("w").expect("there").to_f32(), [1.5], "{name}");
    }
    let both = Folder::new().with("unet/model.fp16.safetensors", &one("half")).with(PLAIN, &one("plain"));
    assert!(both.open().expect("opened").contains("plain"), "the plain name comes first");
    let storage = Storage::Directory(both.0.path().into());
    assert!(Checkpoint::open(&storage, "unet", &["fp16"]).expect("opened").contains("half"));
}

#[test]
fn missing_and_empty_folders() {
    assert!(matches!(Folder::new().fault(), Fault::NoWeights(_)));
    let nowhere = Storage::Directory("/nowhere/at/all".into());
    assert!(matches!(
        Checkpoint::open(&nowhere, "unet", VARIANTS).map(|_| ()).expect_err("no").fault,
        Fault::NoWeights(_)
    ));
}

#[test]
fn truncated_files_say_how_much_is_there() {
    let whole = one("w");
    let fault = Folder::new().with(PLAIN, &whole[..whole.len() - 1]).fault();
    let lens = (whole.len() as u64, whole.len() as u64 - 1);
    assert!(matches!(fault, Fault::Truncated { expected, found } if (expected, found) == lens), "{fault}");
    assert!(matches!(Folder::new().with(PLAIN, &whole[..5]).fault(), Fault::Truncated { .. }));
    let empty = Folder::new().with(PLAIN, b"").fault();
    assert!(matches!(&empty, Fault::NotSafetensors(what) if what.contains("empty")), "{empty}");
}

#[test]
fn pickle_is_refused_with_the_way_out() {
    for name in ["unet/diffusion_pytorch_model.bin", "unet/model.ckpt", "unet/x.pt"] {
        let error = Folder::new().with(name, b"PK\x03\x04").open().map(|_| ()).expect_err("refused");
        assert!(matches!(error.fault, Fault::Pickle(_)));
        let text = error.to_string();
        assert!(text.contains("refused") && text.contains("save_pretrained"), "{text}");
    }
    let renamed = Folder::new().with(PLAIN, b"PK\x03\x04 and so on, many bytes").fault();
    assert!(matches!(&renamed, Fault::NotSafetensors(what) if what.contains("pickle")), "{renamed}");
}

#[test]
fn values_that_are_not_numbers_are_refused_by_key() {
    let bad: [(&str, Dtype, Vec<u8>); 3] = [
        ("f32", Dtype::F32, f32::NAN.to_le_bytes().to_vec()),
        ("f16", Dtype::F16, 0x7c00u16.to_le_bytes().to_vec()),
        ("bf16", Dtype::BF16, 0xff80u16.to_le_bytes().to_vec()),
    ];
    for (key, dtype, bytes) in bad {
        let checkpoint =
            Folder::new().with(PLAIN, &weights(&[(key, dtype, &bytes)])).open().expect("headers are sound");
        assert!(matches!(checkpoint.tensor(key), Err(ComputeError::NotFinite(k)) if k == key));
    }
}

#[test]
fn other_number_formats_are_skipped_until_asked_for() {
    let file = weights(&[
        ("position_ids", Dtype::I64, &[0; 16]),
        ("double", Dtype::F64, &[0; 8]),
        ("eight", Dtype::F8_E4M3, &[0; 4]),
        ("w", Dtype::F32, &[0; 4]),
    ]);
    let checkpoint = Folder::new().with(PLAIN, &file).open().expect("opened");
    assert_eq!(checkpoint.keys().collect::<Vec<_>>(), ["w"]);
    assert!(!checkpoint.contains("eight"));
    let error = checkpoint.tensor("eight").expect_err("unsupported").to_string();
    assert!(error.contains("eight") && error.contains("F8_E4M3"), "{error}");
}

#[test]
fn shards_are_joined_and_bad_indices_refused() {
    let index = |map: &str| format!(r#"{{"metadata": {{"total_size": 8}}, "weight_map": {map}}}"#).into_bytes();
    let shards = || Folder::new().with("unet/s1.safetensors", &one("a")).with("unet/s2.safetensors", &one("b"));
    for name in [
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
        "unet/model.safetensors.index.json",
    ] {
        let folder = shards().with(name, &index(r#"{"a": "s1.safetensors", "b": "s2.safetensors"}"#));
        let checkpoint = folder.open().expect("opened");
        assert_eq!(checkpoint.tensor("a").expect("first").to_f32(), checkpoint.tensor("b").expect("second").to_f32());

        let folder = shards().with(name, &index(r#"{"a": "s1.safetensors", "c": "s2.safetensors"}"#));
        assert!(matches!(folder.open().map(|_| ()).expect_err("no c").fault, Fault::ShardKey(key) if key == "c"));
        let folder = shards().with(name, &index(r#"{"a": "s1.safetensors", "c": "s3.safetensors"}"#));
        assert!(matches!(folder.fault(), Fault::Missing));
        let folder = shards().with(name, &index(r#"{"a": "../../secret.safetensors"}"#));
        assert!(matches!(folder.fault(), Fault::ShardPath(_)));
        assert!(matches!(shards().with(name, b"{\"weight_map\": 3}").fault(), Fault::Json(_)));
    }
}
