//! A folder looked through: files and model folders, bounded and without loops.

use crate::catalog::is_safetensors;
use fourstep_protocol::Failure;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Folders in folders; people sort into two or three.
const MAX_DEPTH: usize = 8;
/// Entries of one folder tree; a home folder given by mistake ends here.
const MAX_ENTRIES: usize = 100_000;
/// Endings under which weights come that are refused.
const PICKLES: [&str; 4] = ["ckpt", "pt", "pth", "bin"];

/// Folders in the diffusers layout, and files that may be weights, in the order of their paths. What cannot be read is
/// skipped and logged.
pub(crate) fn candidates(root: &Path) -> Vec<PathBuf> {
    let mut walk = Walk { found: Vec::new(), entered: HashSet::new(), entries: 0 };
    walk.folder(root, 0);
    if walk.entries >= MAX_ENTRIES {
        log::warn!("{}: more than {MAX_ENTRIES} entries; the rest was not looked at", root.display());
    }
    walk.found.sort_unstable();
    walk.found
}

struct Walk {
    found: Vec<PathBuf>,
    /// Folders by their real path: links may lead back.
    entered: HashSet<PathBuf>,
    entries: usize,
}

impl Walk {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let Ok(real) = folder.canonicalize() else { return };
        if depth > MAX_DEPTH || !self.entered.insert(real) {
            return;
        }
        if folder.join("model_index.json").is_file() {
            self.found.push(folder.to_path_buf());
            return;
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) => return log::warn!("{} was not looked into: {e}", folder.display()),
        };
        for entry in entries.flatten() {
            self.entries += 1;
            if self.entries >= MAX_ENTRIES {
                return;
            }
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            // Links are followed: the Hugging Face cache and shared folders are made of them.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() || (kind.is_symlink() && path.is_dir()) => self.folder(&path, depth + 1),
                Ok(_) if (is_safetensors(&path) || pickle(&path).is_some()) && path.is_file() => self.found.push(path),
                _ => {}
            }
        }
    }
}

/// The ending of a file that is a pickle.
fn pickle(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?;
    PICKLES.into_iter().find(|pickle| ending.eq_ignore_ascii_case(pickle))
}

/// Refuses a pickle by its ending, with the way out.
///
/// # Errors
/// An input failure where it is one.
pub(crate) fn refuse_pickle(what: &str, path: &Path) -> Result<(), Failure> {
    let Some(ending) = pickle(path) else { return Ok(()) };
    let why =
        format!("{} is a pickle (.{ending}), which can run any code when it is opened and is refused", path.display());
    Err(Failure::input(
        what,
        why,
        "Look for a .safetensors file of it, or convert it in Python: d = torch.load(FILE, weights_only=True); \
         safetensors.torch.save_file(d.get(\"state_dict\", d), NEW).",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let relative = |p: PathBuf| p.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
        candidates(root).into_iter().map(relative).collect()
    }

    #[test]
    fn folders_are_followed_to_a_depth_and_models_are_not_entered() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let file = |path: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below")).expect("create");
            std::fs::write(path, b"x").expect("write");
        };
        file("a.safetensors");
        file("b.CKPT");
        file("notes.txt");
        file(".hidden/c.safetensors");
        file("people/d.safetensors");
        file("model/model_index.json");
        file("model/unet/e.safetensors");
        file("1/2/3/4/5/6/7/8/9/too_deep.safetensors");
        assert_eq!(names(dir.path()), ["a.safetensors", "b.CKPT", "model", "people/d.safetensors"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_back_and_folders_that_are_shut_are_no_trouble() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(dir.path().join("sub")).expect("create");
        std::fs::write(dir.path().join("sub/a.safetensors"), b"x").expect("write");
        symlink(dir.path(), dir.path().join("sub/up")).expect("link");
        symlink(dir.path().join("gone"), dir.path().join("dangling.safetensors")).expect("link");
        let shut = dir.path().join("shut");
        std::fs::create_dir(&shut).expect("create");
        std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o000)).expect("shut");
        assert_eq!(names(dir.path()), ["sub/a.safetensors"]);
        std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o755)).expect("opened for removal");
    }

    #[test]
    fn pickles_are_refused_with_a_way_out() {
        let failure = refuse_pickle("No", Path::new("x.ckpt")).expect_err("refused");
        assert!(failure.to_string().contains("safetensors"), "{failure}");
        assert_eq!(refuse_pickle("No", Path::new("x.safetensors")), Ok(()));
    }
}
