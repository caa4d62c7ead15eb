//! A hub on this machine that can be told to misbehave.

mod server;

pub(crate) use server::{COMMIT, Fault, REPO, Server};

use fourstep_catalog::HubFile;
use fourstep_hub::{CancelFlag, Hub, HubConfig, Patience, Stop};
use fourstep_protocol::Failure;
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Short, so that the tests are quick.
pub(crate) const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    stall: Duration::from_millis(300),
    retries: 3,
    first_pause: Duration::from_millis(5),
    longest_pause: Duration::from_secs(5),
};

pub(crate) fn config(server: &Server, cache: &Path) -> HubConfig {
    let token = Some("hf_secret".to_owned());
    HubConfig { patience: PATIENCE, free_bytes: |_| None, token, ..HubConfig::new(server.endpoint(), cache) }
}

pub(crate) fn file(path: &str) -> HubFile {
    HubFile { repo: REPO.into(), revision: "main".into(), path: path.into(), size_bytes: None, sha256: None }
}

/// Bytes that do not repeat soon.
pub(crate) fn weights(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn get(config: HubConfig, files: &[HubFile]) -> Result<Vec<PathBuf>, Stop> {
    Hub::new(config).download(files, &|_| {}, &CancelFlag::default())
}

/// What a person is told when `path` cannot be had.
pub(crate) fn failure(server: &Server, path: &str) -> Failure {
    let cache = tempfile::tempdir().expect("temporary folder");
    failed(get(config(server, cache.path()), &[file(path)]))
}

pub(crate) fn failed(outcome: Result<Vec<PathBuf>, Stop>) -> Failure {
    match outcome {
        Err(Stop::Failed(failure)) => failure,
        other => panic!("it should have failed: {other:?}"),
    }
}

/// What lies in the cache under `blobs`.
pub(crate) fn blobs(cache: &Path) -> Vec<(String, u64)> {
    let folder = cache.join("models--org--name/blobs");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut blobs: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("entry");
            (entry.file_name().to_string_lossy().into_owned(), entry.metadata().expect("metadata").len())
        })
        .collect();
    blobs.sort();
    blobs
}
