use crate::{Fault, Result};
use fourstep_compute::Owner;
#[cfg(unix)]
use std::ops::Range;
use std::{
    fs::File,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Parsed, JSON takes many times its size; the index of SDXL's shards has 200 KB.
const MAX_JSON_BYTES: usize = 32 << 20;

/// The folder of a model.
#[derive(Clone, Debug)]
pub enum Storage {
    /// On disk.
    Directory(PathBuf),
    /// In the binary: paths relative to the folder, with `/`, and contents.
    Embedded(&'static [(&'static str, &'static [u8])]),
}

/// The contents of a file: a memory map, a static array or a vector. Cloning shares.
pub type Bytes = Arc<dyn Owner>;

impl Storage {
    /// The contents of a file; of one on disk, a memory map. `path` is relative to the folder, with `/`.
    ///
    /// # Errors
    /// [`Fault::Missing`] and [`Fault::Read`].
    pub fn read(&self, path: &str) -> Result<Bytes> {
        match self {
            Self::Directory(folder) => map_file(&folder.join(path)),
            Self::Embedded(_) => {
                let bytes = self.embedded(path).ok_or_else(|| Fault::Missing.of(self.describe(path)))?;
                Ok(Arc::new(bytes))
            }
        }
    }

    /// Whether there is such a file.
    pub fn exists(&self, path: &str) -> bool {
        match self {
            Self::Directory(folder) => folder.join(path).is_file(),
            Self::Embedded(_) => self.embedded(path).is_some(),
        }
    }

    /// A JSON file, read as `T`.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), [`Fault::Json`], and [`Fault::Damaged`] for what is larger than any configuration.
    pub fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let bytes = self.read(path)?;
        let len = (*bytes).as_ref().len();
        if len > MAX_JSON_BYTES {
            let why = format!("it has {len} bytes, and no configuration comes near {MAX_JSON_BYTES}");
            return Err(Fault::Damaged(why).of(self.describe(path)));
        }
        serde_json::from_slice((*bytes).as_ref()).map_err(|e| Fault::Json(e).of(self.describe(path)))
    }

    /// The path as a person should read it.
    pub fn describe(&self, path: &str) -> String {
        match self {
            Self::Directory(folder) if path.is_empty() => folder.display().to_string(),
            Self::Directory(folder) => folder.join(path).display().to_string(),
            Self::Embedded(_) => format!("embedded:{path}"),
        }
    }

    /// Names of the files directly in a folder, sorted; none where there is no such folder.
    pub(crate) fn file_names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Directory(root) => std::fs::read_dir(root.join(folder))
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect(),
            Self::Embedded(files) => files
                .iter()
                .filter_map(|(path, _)| path.rsplit_once('/').filter(|(parent, _)| *parent == folder))
                .map(|(_, name)| name.to_owned())
                .collect(),
        };
        names.sort_unstable();
        names
    }

    fn embedded(&self, path: &str) -> Option<&'static [u8]> {
        let Self::Embedded(files) = self else { return None };
        files.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes)
    }
}

/// A file of any folder as a memory map.
///
/// # Errors
/// [`Fault::Missing`] and [`Fault::Read`].
pub fn map_file(path: &Path) -> Result<Bytes> {
    let fail = |e: std::io::Error| {
        let fault = if e.kind() == ErrorKind::NotFound { Fault::Missing } else { Fault::Read(e) };
        fault.of(path.display().to_string())
    };
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err(fail(std::io::Error::new(ErrorKind::InvalidInput, "it is not a file")));
    }
    if metadata.len() == 0 {
        // Some systems refuse to map nothing.
        return Ok(Arc::new(Vec::new()));
    }
    // SAFETY: the map is private and read-only. Weights are published by renaming whole files, never by writing into
    // them; a person who cuts a file short while it is open gets a bus error, as in every program that maps weights.
    #[allow(unsafe_code)]
    let map = unsafe { memmap2::MmapOptions::new().map(&file) }.map_err(fail)?;
    Ok(Arc::new(Mapped(map)))
}

/// A file as it lies on disk.
struct Mapped(memmap2::Mmap);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Owner for Mapped {
    #[cfg(unix)]
    fn release(&self, range: Range<usize>) {
        // SAFETY: what is dropped of a map that nobody writes to is read from its file again. That it is not dropped
        // does no harm.
        #[allow(unsafe_code)]
        let _ = unsafe { self.0.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_and_binary_answer_alike() {
        let dir = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(dir.path().join("unet")).expect("create");
        std::fs::write(dir.path().join("unet/config.json"), b"{\"a\":1}").expect("write");
        let on_disk = Storage::Directory(dir.path().into());
        let embedded = Storage::Embedded(&[("unet/config.json", b"{\"a\":1}")]);
        for storage in [on_disk, embedded] {
            assert!(storage.exists("unet/config.json") && !storage.exists("config.json"));
            let json: serde_json::Value = storage.json("unet/config.json").expect("json");
            assert_eq!(json["a"], 1);
            assert_eq!(storage.file_names("unet"), ["config.json"]);
            let missing = storage.read("vae/config.json").map(|_| ()).expect_err("missing");
            assert!(matches!(missing.fault, Fault::Missing), "{missing}");
        }
    }

    #[test]
    fn a_folder_and_bad_json_are_told_apart() {
        let dir = tempfile::tempdir().expect("temporary folder");
        assert!(matches!(map_file(dir.path()).map(|_| ()).expect_err("a folder").fault, Fault::Read(_)));
        let storage = Storage::Embedded(&[("a.json", b"{")]);
        let e = storage.json::<serde_json::Value>("a.json").expect_err("cut off");
        let hole = File::create(dir.path().join("b.json")).expect("create");
        hole.set_len(MAX_JSON_BYTES as u64 + 1).expect("long enough");
        let long = Storage::Directory(dir.path().into()).json::<serde_json::Value>("b.json").expect_err("too long");
        assert!(matches!(long.fault, Fault::Damaged(_)), "{long}");
        assert!(matches!(e.fault, Fault::Json(_)) && e.to_string().contains("a.json"), "{e}");
    }
}
