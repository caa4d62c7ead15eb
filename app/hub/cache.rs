use crate::problem::Problem;
use fourstep_catalog::{HubFile, repo_dir, snapshot_dir};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Component, Path, PathBuf},
};

/// One repository in the Hugging Face cache: `blobs/ETAG` holds contents, `snapshots/COMMIT/PATH` links to them,
/// `refs/REVISION` names a commit.
pub(crate) struct Repo {
    folder: PathBuf,
    locks: PathBuf,
}

impl Repo {
    pub(crate) fn new(cache: &Path, repo: &str) -> Self {
        Self { folder: repo_dir(cache, repo), locks: repo_dir(&cache.join(".locks"), repo) }
    }

    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Where a blob grows.
    pub(crate) fn incomplete(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Bytes in unfinished blobs. Without the hub it is not known which file they belong to.
    pub(crate) fn incomplete_bytes(&self) -> u64 {
        let Ok(entries) = fs::read_dir(self.folder.join("blobs")) else { return 0 };
        let unfinished = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|e| e == "incomplete");
        entries.flatten().filter(unfinished).filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
    }

    /// The lock that `huggingface_hub` takes too while it writes a blob; `None` while another program holds it.
    pub(crate) fn lock(&self, etag: &str) -> Result<Option<BlobLock>, Problem> {
        let path = self.locks.join(format!("{etag}.lock"));
        make_parent(&path)?;
        let options = File::options().create(true).append(true).open(&path);
        let file = options.map_err(|source| Problem::disk(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(BlobLock(Some(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            // Some network disks know no locks.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(Some(BlobLock(None))),
            Err(TryLockError::Error(source)) => Err(Problem::disk(&path, source)),
        }
    }

    /// Lets a snapshot have a blob under the name of a file.
    pub(crate) fn publish(&self, commit: &str, path: &str, etag: &str) -> Result<PathBuf, Problem> {
        let pointer = self.folder.join("snapshots").join(commit).join(path);
        make_parent(&pointer)?;
        let blob = self.blob(etag);
        match fs::remove_file(&pointer) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Problem::disk(&pointer, e)),
            _ => {}
        }
        let up = "../".repeat(1 + Path::new(path).components().count());
        // Where there are no symbolic links (Windows without developer mode, some disks), the same contents get a
        // second name, or the file itself moves there, as `huggingface_hub` does.
        link(&Path::new(&up).join("blobs").join(etag), &pointer)
            .or_else(|_| fs::hard_link(&blob, &pointer))
            .or_else(|_| fs::rename(&blob, &pointer))
            .map_err(|source| Problem::disk(&pointer, source))?;
        Ok(pointer)
    }

    /// Whether a revision leads anywhere yet.
    pub(crate) fn knows(&self, revision: &str) -> bool {
        self.folder.join("refs").join(revision).is_file()
    }

    /// Lets a branch or tag name a commit.
    pub(crate) fn name(&self, revision: &str, commit: &str) -> Result<(), Problem> {
        let path = self.folder.join("refs").join(revision);
        if revision == commit || fs::read_to_string(&path).is_ok_and(|there| there == commit) {
            return Ok(());
        }
        make_parent(&path)?;
        fs::write(&path, commit).map_err(|source| Problem::disk(&path, source))
    }
}

/// Held while a blob is written.
pub(crate) struct BlobLock(Option<File>);

impl Drop for BlobLock {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // Closing it releases it in any case.
            let _ = file.unlock();
        }
    }
}

#[cfg(unix)]
fn link(target: &Path, pointer: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, pointer)
}

#[cfg(windows)]
fn link(target: &Path, pointer: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, pointer)
}

/// The file in the cache, or the same in single precision, if it is there.
pub(crate) fn cached(cache: &Path, file: &HubFile) -> Option<PathBuf> {
    let folder = snapshot_dir(cache, &file.repo, &file.revision)?;
    let there = |path: &str| Some(folder.join(path)).filter(|path| path.is_file());
    there(&file.path).or_else(|| there(&in_single_precision(file)?.path))
}

/// What stands in for a file in half precision in repositories that have none.
pub(crate) fn in_single_precision(file: &HubFile) -> Option<HubFile> {
    let path = file.path.replace(".fp16.", ".");
    (path != file.path).then(|| HubFile { path, size_bytes: None, sha256: None, ..file.clone() })
}

pub(crate) fn make_parent(path: &Path) -> Result<(), Problem> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|source| Problem::disk(folder, source))
}

/// Refuses names that would lead out of the cache: a catalog is a file that anyone can write.
pub(crate) fn check_names(file: &HubFile) -> Result<(), Problem> {
    let plain = |name: &str| !name.contains(['\\', ':', '\0']) && Path::new(name).components().all(is_plain);
    let repo_parts = file.repo.split('/').count();
    let repo = repo_parts <= 2 && file.repo.split('/').all(|part| !part.is_empty() && !part.contains("--"));
    if !repo || !plain(&file.repo) {
        return Err(Problem::BadName { name: file.repo.clone(), wanted: "a repository (ORG/NAME)" });
    }
    if file.revision.is_empty() || !plain(&file.revision) {
        return Err(Problem::BadName { name: file.revision.clone(), wanted: "a branch, tag or commit" });
    }
    if file.path.is_empty() || !plain(&file.path) {
        return Err(Problem::BadName { name: file.path.clone(), wanted: "a file in a repository" });
    }
    Ok(())
}

fn is_plain(component: Component<'_>) -> bool {
    matches!(component, Component::Normal(_))
}

/// Whether what a hub answered can name a blob.
pub(crate) fn is_blob_name(etag: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=128).contains(&etag.len()) && etag.bytes().all(allowed) && !etag.starts_with('.')
}

/// Whether a revision is a commit.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(repo: &str, revision: &str, path: &str) -> HubFile {
        HubFile { repo: repo.into(), revision: revision.into(), path: path.into(), size_bytes: None, sha256: None }
    }

    #[test]
    fn no_name_leads_out_of_the_cache() {
        for (repo, revision, path) in
            [("org/name", "main", "unet/config.json"), ("gpt2", "refs/pr/1", "a"), ("o/n.v-1", "v1.0", "x y.bin")]
        {
            assert!(check_names(&named(repo, revision, path)).is_ok(), "{repo} {revision} {path}");
        }
        for (repo, revision, path) in [
            ("../../etc", "main", "a"),
            ("org/..", "main", "a"),
            ("a/b/c", "main", "a"),
            ("", "main", "a"),
            ("org/name", "../x", "a"),
            ("org/name", "", "a"),
            ("org/name", "main", "../a"),
            ("org/name", "main", "/etc/passwd"),
            ("org/name", "main", "a\\..\\b"),
            ("org/name", "main", "C:x"),
            ("org/name", "main", ""),
        ] {
            assert!(check_names(&named(repo, revision, path)).is_err(), "{repo} {revision} {path}");
        }
        assert!(["../x", "a/b", "", ".x"].iter().all(|etag| !is_blob_name(etag)));
        assert!(is_blob_name(&"0f".repeat(32)) && is_blob_name("0x8D-5_1"));
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let repo = Repo::new(dir.path(), "org/name");
        let held = repo.lock("abc").expect("asked").expect("free");
        assert!(repo.lock("abc").expect("asked").is_none());
        assert!(repo.lock("def").expect("asked").is_some());
        drop(held);
        assert!(repo.lock("abc").expect("asked").is_some());
        assert!(dir.path().join(".locks/models--org--name/abc.lock").is_file());
    }
}
