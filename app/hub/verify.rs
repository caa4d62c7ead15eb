use crate::{
    CancelFlag, HubConfig,
    cache::{Repo, cached},
    checksum::Checksum,
    part::read_through,
    progress::Reporter,
    wait::Halt,
};
use fourstep_catalog::HubFile;
use fourstep_protocol::DownloadPhase;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a file in the cache is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The file.
    pub file: HubFile,
    /// Where it is, if it is there.
    pub path: Option<PathBuf>,
    /// What was found.
    pub soundness: Soundness,
}

/// Whether a file is what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// Its checksum is right.
    Sound,
    /// It is there, and nothing says what its checksum should be: another program put it there as a plain file.
    Unknown,
    /// It is not there.
    Missing,
    /// It cannot be used.
    Wrong {
        /// Without a full stop: `its checksum is … and should be …`.
        why: String,
    },
}

/// Reads one file.
///
/// # Errors
/// Only [`Halt::Cancelled`].
pub(crate) fn verify(
    config: &HubConfig,
    file: &HubFile,
    cancel: &CancelFlag,
    reporter: &mut Reporter<'_>,
) -> Result<Verified, Halt> {
    let path = cached(&config.cache, file);
    let soundness = match &path {
        None => Soundness::Missing,
        Some(path) => match soundness(path, file, cancel, reporter) {
            Err(Halt::Problem(problem)) => Soundness::Wrong { why: problem.to_string() },
            other => other?,
        },
    };
    Ok(Verified { file: file.clone(), path, soundness })
}

fn soundness(path: &Path, file: &HubFile, cancel: &CancelFlag, reporter: &mut Reporter<'_>) -> Result<Soundness, Halt> {
    let Some(expected) = checksum(path, file) else { return Ok(Soundness::Unknown) };
    let size_bytes = fs::metadata(path).map_or(0, |m| m.len());
    let mut sum = expected.start(size_bytes);
    reporter.phase(DownloadPhase::Verifying);
    read_through(path, Some(&mut sum), cancel, |bytes| reporter.counted(bytes))?;
    let (found, expected) = (sum.digits(), expected.digits());
    if found == expected {
        return Ok(Soundness::Sound);
    }
    Ok(Soundness::Wrong { why: format!("its {size_bytes} bytes have the checksum {found} and should have {expected}") })
}

/// As it is listed, else as the blob behind the file is named.
fn checksum(path: &Path, file: &HubFile) -> Option<Checksum> {
    let listed = file.sha256.as_ref().map(|digits| Checksum::Sha256(digits.to_ascii_lowercase()));
    listed.or_else(|| Checksum::from_etag(path.canonicalize().ok()?.file_name()?.to_str()?))
}

/// Takes a file out of the cache, with its contents.
pub(crate) fn remove(config: &HubConfig, verified: &Verified) -> std::io::Result<()> {
    let Some(path) = &verified.path else { return Ok(()) };
    let blobs = Repo::new(&config.cache, &verified.file.repo).blob("");
    let contents = path.canonicalize()?;
    if blobs.canonicalize().is_ok_and(|blobs| contents.starts_with(blobs)) {
        fs::remove_file(contents)?;
    }
    fs::remove_file(path)
}
