//! The cases of `tests/golden/files`: what `make.py` there says of them.

use safetensors::{Dtype, tensor::TensorView};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

/// A case of `tests/golden/files`.
pub(crate) struct Case {
    pub(crate) json: Value,
    pub(crate) single: Shapes,
    dtype: Dtype,
}

/// A file in a folder that goes with it.
pub(crate) struct TempFile {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Case {
    pub(crate) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/golden/files/{name}.json"));
        let json: Value = serde_json::from_slice(&std::fs::read(path).expect("golden file")).expect("JSON");
        let single = serde_json::from_value(json["single"].clone()).expect("shapes");
        let dtype = match json["dtype"].as_str() {
            Some("F16") => Dtype::F16,
            Some("BF16") => Dtype::BF16,
            _ => Dtype::F32,
        };
        Self { json, single, dtype }
    }

    /// The bytes of every tensor of the single file.
    pub(crate) fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let fill = |(number, (key, shape)): (usize, (&String, &Vec<usize>))| {
            (key.clone(), fill(self.dtype, number as u64, shape.iter().product::<usize>() as u64))
        };
        self.single.iter().enumerate().map(fill).collect()
    }

    /// The single file with the tensors whose new name `rename` tells.
    pub(crate) fn file(&self, file_name: &str, rename: impl Fn(&str) -> Option<String>) -> TempFile {
        let bytes = self.bytes();
        let views = bytes.iter().filter_map(|(key, bytes)| {
            let view = TensorView::new(self.dtype, self.single[key].clone(), bytes).expect("the values fill the shape");
            Some((rename(key)?, view))
        });
        let metadata: HashMap<String, String> =
            serde_json::from_value(self.json["metadata"].clone()).expect("metadata");
        write(file_name, &safetensors::serialize(views, Some(metadata)).expect("serialise"))
    }
}

/// A file of this name and content.
pub(crate) fn write(file_name: &str, bytes: &[u8]) -> TempFile {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join(file_name);
    std::fs::write(&path, bytes).expect("write");
    TempFile { _folder: folder, path }
}

/// As `fill` in `make.py`.
fn fill(dtype: Dtype, number: u64, count: u64) -> Vec<u8> {
    let hashed = (0..count).map(|i| (i * 2_654_435_761 + number * 40_503) as u32);
    match dtype {
        Dtype::F16 => hashed.flat_map(|h| ((h >> 16) as u16 & 0x83ff | 0x3800).to_le_bytes()).collect(),
        Dtype::BF16 => hashed.flat_map(|h| ((h >> 16) as u16 & 0x807f | 0x3f00).to_le_bytes()).collect(),
        _ => hashed.flat_map(|h| (h & 0x807f_ffff | 0x3f00_0000).to_le_bytes()).collect(),
    }
}

/// Copies a folder with what is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("create");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copy");
        }
    }
}
