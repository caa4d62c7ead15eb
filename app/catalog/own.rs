//! What a person added: `models.toml` and `folders.toml` in the program's settings folder.

use crate::{
    Places,
    entry::{Entries, Entry},
};
use fourstep_protocol::Failure;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Entries in the format of the program's own `models.toml`.
pub(crate) const MODELS: &str = "models.toml";
/// Folders that are looked through.
pub(crate) const FOLDERS: &str = "folders.toml";

/// What was read, and what could not be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    pub(crate) entries: Vec<Entry>,
    pub(crate) folders: Vec<FolderEntry>,
    pub(crate) problems: Vec<Failure>,
}

/// The whole of `folders.toml`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Folders {
    #[serde(rename = "folder")]
    pub(crate) folders: Vec<FolderEntry>,
}

/// A `[[folder]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderEntry {
    pub(crate) path: PathBuf,
    pub(crate) kind: FolderKind,
}

/// How a folder is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FolderKind {
    /// A `ComfyUI` folder: `models/checkpoints`, `models/loras`, … and `extra_model_paths.yaml`.
    ComfyUi,
    /// An AUTOMATIC1111 folder: `models/Stable-diffusion`, `models/Lora`, …
    Automatic1111,
    /// Any folder with files of models and LoRAs in it.
    Models,
}

impl Own {
    /// Reads both files; entries whose id is taken are problems.
    pub(crate) fn read(places: &Places, builtin: &[Entry]) -> Self {
        let mut own = Self::default();
        let Some(config) = &places.config else { return own };
        match read::<Entries>(&config.join(MODELS)) {
            Ok(entries) => {
                for entry in entries.into_all() {
                    let taken = builtin.iter().chain(&own.entries).any(|known| known.id() == entry.id());
                    match taken {
                        true => own.problems.push(twice(&config.join(MODELS), entry.id())),
                        false => own.entries.push(entry),
                    }
                }
            }
            Err(failure) => own.problems.push(failure),
        }
        match read::<Folders>(&config.join(FOLDERS)) {
            Ok(Folders { folders }) => own.folders = folders,
            Err(failure) => own.problems.push(failure),
        }
        own
    }
}

/// A file of the person's; the default where there is none.
pub(crate) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, Failure> {
    const WHAT: &str = "Your own list of models could not be read";
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(T::default()),
        Err(e) => return Err(Failure::input(WHAT, format!("{}: {e}", path.display()), "Check that it may be read.")),
    };
    toml::from_str(&text).map_err(|e| {
        let line = e.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        let why = format!("{}{line}: {}", path.display(), e.message().lines().collect::<Vec<_>>().join(", "));
        Failure::input(WHAT, why, "Correct the line; until then nothing of that file is used.")
    })
}

fn twice(path: &Path, id: &str) -> Failure {
    let why = format!("{}: the id `{id}` is taken by another entry", path.display());
    Failure::input("An entry of your own list of models is not used", why, "Give it another id.")
}
