//! The Hugging Face cache, as Python's `huggingface_hub` lays it out:
//! `models--ORG--NAME/refs/REVISION` holds a commit, `models--ORG--NAME/snapshots/COMMIT/PATH` is a link to a blob.
//! Only paths are made here and nothing is written.

use crate::entry::HubSource;
use directories::BaseDirs;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The cache's folder, from `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME` or the home folder; it need not exist. `None`
/// where the system has no home folder.
pub fn cache_dir() -> Option<PathBuf> {
    let home = BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf());
    resolve(&|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from), home)
}

/// As `huggingface_hub/constants.py`.
fn resolve(variable: &dyn Fn(&str) -> Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    variable("HF_HUB_CACHE")
        .or_else(|| variable("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| variable("HF_HOME").map(|folder| folder.join("hub")))
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("huggingface/hub")))
        .or_else(|| home.map(|folder| folder.join(".cache/huggingface/hub")))
}

/// The folder of a repository in a cache: `models--ORG--NAME`.
pub fn repo_dir(cache: &Path, repo: &str) -> PathBuf {
    cache.join(format!("models--{}", repo.replace('/', "--")))
}

/// The folder of a repository's files at a revision, if something of it was downloaded.
pub fn snapshot_dir(cache: &Path, repo: &str, revision: &str) -> Option<PathBuf> {
    let repo = repo_dir(cache, repo);
    let commit = std::fs::read_to_string(repo.join("refs").join(revision));
    let folder = repo.join("snapshots").join(commit.as_deref().unwrap_or(revision).trim());
    folder.is_dir().then_some(folder)
}

/// A file of a repository in the cache named by [`cache_dir`], if it is there, whole and readable.
pub fn snapshot_file(repo: &str, revision: &str, path: &str) -> Option<PathBuf> {
    let file = snapshot_dir(&cache_dir()?, repo, revision)?.join(path);
    file.is_file().then_some(file)
}

/// The folder of a repository's files that holds all of these: at this revision, else at any that was downloaded.
/// A file in single precision stands in for its half-precision variant.
pub(crate) fn complete(cache: &Path, hub: &HubSource) -> Option<PathBuf> {
    let HubSource { repo, revision, files, .. } = hub;
    let others = std::fs::read_dir(repo_dir(cache, repo).join("snapshots")).into_iter().flatten().flatten();
    let mut folders = snapshot_dir(cache, repo, revision).into_iter().chain(others.map(|entry| entry.path()));
    folders.find(|folder| files.keys().all(|path| in_folder(folder, path).is_some()))
}

/// A file of a repository below a snapshot's folder, or its single-precision variant.
pub(crate) fn in_folder(folder: &Path, path: &str) -> Option<PathBuf> {
    [folder.join(path), folder.join(path.replace(".fp16.", "."))].into_iter().find(|file| file.is_file())
}

/// Bytes of these files that are here already, with what unfinished downloads left.
pub(crate) fn have_bytes(cache: &Path, hub: &HubSource) -> u64 {
    let len = |path: PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    let folder = snapshot_dir(cache, &hub.repo, &hub.revision);
    let whole = folder.iter().flat_map(|folder| hub.files.keys().filter_map(|path| in_folder(folder, path)));
    let blobs = std::fs::read_dir(repo_dir(cache, &hub.repo).join("blobs")).into_iter().flatten().flatten();
    let begun = blobs.map(|blob| blob.path()).filter(|path| path.extension().is_some_and(|e| e == "incomplete"));
    whole.chain(begun).map(len).sum()
}

/// `org/name` of every model repository in a cache, sorted.
pub(crate) fn repos(cache: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(cache).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut repos: Vec<String> =
        names.filter_map(|name| Some(name.strip_prefix("models--")?.replacen("--", "/", 1))).collect();
    repos.sort_unstable();
    repos
}

/// The folder of what `main` is, else of any revision that was downloaded.
pub(crate) fn any_snapshot(cache: &Path, repo: &str) -> Option<PathBuf> {
    snapshot_dir(cache, repo, "main").or_else(|| {
        let snapshots = std::fs::read_dir(repo_dir(cache, repo).join("snapshots")).ok()?;
        snapshots.flatten().map(|entry| entry.path()).find(|path| path.is_dir())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_variables_of_the_hub_come_before_the_home_folder() {
        let home = || Some(PathBuf::from("/home/a"));
        let with = |pairs: &[(&str, &str)]| {
            let variables: HashMap<_, _> = pairs.iter().copied().collect();
            resolve(&|name| variables.get(name).map(PathBuf::from), home()).expect("a folder")
        };
        assert_eq!(with(&[]), Path::new("/home/a/.cache/huggingface/hub"));
        assert_eq!(with(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(with(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/y")]), Path::new("/y/hub"));
        assert_eq!(with(&[("HF_HUB_CACHE", "/z"), ("HF_HOME", "/y")]), Path::new("/z"));
        assert_eq!(resolve(&|_| None, None), None);
    }

    #[test]
    fn a_branch_leads_to_its_commit_and_a_commit_to_itself() {
        let cache = tempfile::tempdir().expect("temporary folder");
        let repo = repo_dir(cache.path(), "org/name");
        assert!(repo.ends_with("models--org--name"));
        std::fs::create_dir_all(repo.join("refs")).expect("create");
        std::fs::create_dir_all(repo.join("snapshots/abc")).expect("create");
        std::fs::write(repo.join("refs/main"), "abc\n").expect("write");
        for revision in ["main", "abc"] {
            let found = snapshot_dir(cache.path(), "org/name", revision);
            assert_eq!(found, Some(repo.join("snapshots/abc")), "{revision}");
        }
        assert_eq!(snapshot_dir(cache.path(), "org/name", "other"), None);
        assert_eq!(snapshot_dir(cache.path(), "org/none", "main"), None);
    }
}
