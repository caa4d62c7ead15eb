//! The person's wildcards: text files in a folder, a choice a line. `hats/winter.txt` is `__hats/winter__`.

use fourstep_prompt::Wildcards;
use fourstep_ui::{Waker, WildcardFiles};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Fills the window's port: each look is a short thread.
pub(crate) struct WildcardPort {
    newest: Arc<Mutex<Arc<Wildcards>>>,
    waker: Waker,
}

impl WildcardPort {
    /// Begins to read at once.
    pub(crate) fn new(waker: Waker) -> Self {
        let port = Self { newest: Arc::default(), waker };
        port.refresh();
        port
    }
}

impl WildcardFiles for WildcardPort {
    fn newest(&self) -> Arc<Wildcards> {
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn refresh(&self) {
        let Some(folder) = folder() else { return };
        let (newest, waker) = (Arc::clone(&self.newest), self.waker.clone());
        let look = move || {
            let read = read(&folder);
            let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
            if **newest != read {
                *newest = Arc::new(read);
                waker();
            }
        };
        if let Err(e) = thread::Builder::new().name("wildcards".into()).spawn(look) {
            log::warn!("the wildcards are not read: {e}");
        }
    }
}

/// Folders in folders are read to this depth.
const DEEPEST: u32 = 4;
/// A larger file is no list of words.
const MAX_BYTES: u64 = 1 << 20;

/// Where they lie; nothing is created.
pub(crate) fn folder() -> Option<PathBuf> {
    Some(fourstep_catalog::config_dir()?.join("wildcards"))
}

/// Reads them all; none where there is no folder. What cannot be read is logged and left out.
pub(crate) fn read(folder: &Path) -> Wildcards {
    let mut wildcards = Wildcards::default();
    read_into(&mut wildcards, folder, "", DEEPEST);
    wildcards
}

fn read_into(wildcards: &mut Wildcards, folder: &Path, prefix: &str, depth: u32) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let Some(stem) = path.file_stem().map(|stem| format!("{prefix}{}", stem.to_string_lossy())) else { continue };
        if path.is_dir() && depth > 0 {
            read_into(wildcards, &path, &format!("{stem}/"), depth - 1);
        } else if path.extension().is_some_and(|ending| ending == "txt") {
            match read_file(&path) {
                Ok(text) => wildcards.insert(stem, &text),
                Err(e) => log::warn!("the wildcards in {} cannot be read: {e}", path.display()),
            }
        }
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(std::io::Error::other("it has more than a megabyte"));
    }
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_folders_are_lists() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("hats")).expect("a folder");
        for (name, text) in [("colour.txt", "red\nblue\n"), ("hats/winter.txt", "cap"), ("notes.md", "x")] {
            fs::write(folder.path().join(name), text).expect("written");
        }
        fs::write(folder.path().join("large.txt"), vec![b'x'; 2 << 20]).expect("written");
        let wildcards = read(folder.path());
        assert_eq!(wildcards.names().collect::<Vec<_>>(), ["colour", "hats/winter"]);
        assert_eq!(wildcards.choices("colour").map(<[String]>::len), Some(2));
        assert_eq!(read(&folder.path().join("none")), Wildcards::default());
    }
}
