use directories::{BaseDirs, ProjectDirs};
use std::path::{Path, PathBuf};

/// Where the program keeps its settings; `None` where the system has no home folder. Nothing is created.
pub fn config_dir() -> Option<PathBuf> {
    ProjectDirs::from("", "", "fourstep").map(|dirs| dirs.config_dir().to_path_buf())
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
