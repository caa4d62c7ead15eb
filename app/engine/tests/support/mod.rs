//! Small models on disk, and a run of one of them.

mod paint;

pub(crate) use paint::paint;

use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) fn golden_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pipeline").join(name)
}

/// A copy of a golden model, to be changed.
pub(crate) fn golden_copy(name: &str) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_folder(&golden_folder(name), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}
