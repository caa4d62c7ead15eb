use crate::hub_cache;
use directories::{BaseDirs, ProjectDirs};
use std::path::{Path, PathBuf};

/// Where the catalog looks; nothing is created there but by [`Catalog::add`](crate::Catalog::add).
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The Hugging Face cache.
    pub cache: Option<PathBuf>,
    /// The program's settings: the person's `models.toml` and `folders.toml`.
    pub config: Option<PathBuf>,
    /// Folders in which `ComfyUI` and AUTOMATIC1111 are looked for under their usual names.
    pub homes: Vec<PathBuf>,
}

impl Places {
    /// Those of the person who runs the program.
    pub fn of_this_machine() -> Self {
        let homes = BaseDirs::new().map(|dirs| vec![dirs.home_dir().to_path_buf()]).unwrap_or_default();
        Self { cache: hub_cache::cache_dir(), config: config_dir(), homes }
    }
}

/// Where the program keeps its settings; `None` where the system has no home folder. Nothing is created.
pub fn config_dir() -> Option<PathBuf> {
    ProjectDirs::from("", "", "fourstep").map(|dirs| dirs.config_dir().to_path_buf())
}

/// Where the program keeps what it can make again; nothing is created.
pub fn scratch_dir() -> Option<PathBuf> {
    ProjectDirs::from("", "", "fourstep").map(|dirs| dirs.cache_dir().to_path_buf())
}

/// A path as typed, with `~` at its start replaced by the home folder.
pub(crate) fn expand(path: &str) -> PathBuf {
    let path = path.trim();
    let home = || BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf());
    let below_home = match path.strip_prefix('~') {
        Some("") => home(),
        Some(rest) if rest.starts_with(['/', '\\']) => home().map(|home| home.join(&rest[1..])),
        _ => None,
    };
    below_home.unwrap_or_else(|| Path::new(path).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_folder_only_at_the_start() {
        if let Some(dirs) = BaseDirs::new() {
            assert_eq!(expand("~"), dirs.home_dir());
            assert_eq!(expand(" ~/models/x "), dirs.home_dir().join("models/x"));
        }
        assert_eq!(expand("/a/~/b"), Path::new("/a/~/b"));
        assert_eq!(expand("~other/x"), Path::new("~other/x"));
    }

    #[test]
    fn settings_have_a_folder_of_their_own() {
        if let Some(folder) = config_dir() {
            assert!(folder.to_string_lossy().contains("fourstep"));
        }
    }
}
