use crate::write_atomically;
use fourstep_protocol::Failure;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// In the folder of pictures, so that stars go where the pictures go: one path a line, below the folder, with `/`.
const FILE: &str = ".fourstep-stars";

/// Pictures that the person marked.
pub(super) struct Stars {
    folder: PathBuf,
    names: BTreeSet<String>,
}

impl Stars {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), names: BTreeSet::new() }
    }

    /// Another program may have written them; a file that is not there has none.
    pub(super) fn read(&mut self) {
        let text = fs::read_to_string(self.folder.join(FILE)).unwrap_or_default();
        self.names = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    }

    /// Whether the picture with this path below the folder has one.
    pub(super) fn has(&self, below: &str) -> bool {
        self.names.contains(below)
    }

    pub(super) fn set(&mut self, path: &Path, starred: bool) -> Result<(), Failure> {
        self.read();
        let Some(name) = below(&self.folder, path) else { return Ok(()) };
        if starred {
            self.names.insert(name);
        } else {
            self.names.remove(&name);
        }
        let text: String = self.names.iter().map(|name| format!("{name}\n")).collect();
        write_atomically(&self.folder.join(FILE), |file| file.write_all(text.as_bytes()))
    }
}

/// The path below the folder, with `/`; `None` where it is none, or no text.
pub(super) fn below(folder: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(folder).ok()?.iter().map(|part| part.to_str());
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}
