use crate::{HubConfig, ask::Description, cache::Repo, checksum::Checksum, problem::Problem};
use fourstep_catalog::HubFile;
use std::{collections::HashSet, fs, path::PathBuf};

/// A file, and what its contents must be.
pub(crate) struct Wanted {
    pub(crate) file: HubFile,
    pub(crate) commit: String,
    pub(crate) etag: String,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) checksum: Option<Checksum>,
}

impl Wanted {
    /// # Errors
    /// [`Problem::Changed`] where the list of models names other contents than the hub has.
    pub(crate) fn new(file: &HubFile, found: Description) -> Result<Self, Problem> {
        let Description { commit, etag, size_bytes } = found;
        let told = Checksum::from_etag(&etag);
        let listed = file.sha256.as_ref().map(|digits| digits.to_ascii_lowercase());
        if let (Some(expected), Some(Checksum::Sha256(found))) = (&listed, &told)
            && expected != found
        {
            return Err(Problem::Changed { expected: expected.clone(), found: found.clone() });
        }
        let checksum = listed.map(Checksum::Sha256).or(told);
        Ok(Self { file: file.clone(), commit, etag, size_bytes, checksum })
    }

    pub(crate) fn repo(&self, config: &HubConfig) -> Repo {
        Repo::new(&config.cache, &self.file.repo)
    }

    /// The blob, if it is there with the right size.
    pub(crate) fn blob(&self, config: &HubConfig) -> Option<PathBuf> {
        let blob = self.repo(config).blob(&self.etag);
        let there = fs::metadata(&blob).ok().filter(fs::Metadata::is_file)?;
        self.size_bytes.is_none_or(|size| size == there.len()).then_some(blob)
    }

    /// What counts in a total: as the hub says, else as it is listed.
    pub(crate) fn expected_bytes(&self) -> u64 {
        self.size_bytes.or(self.file.size_bytes).unwrap_or(0)
    }
}

/// Refuses to begin what the disk has no space for.
///
/// # Errors
/// [`Problem::NoSpace`], with the figures.
pub(crate) fn check_space(wanted: &[Wanted], config: &HubConfig) -> Result<(), Problem> {
    let mut counted = HashSet::new();
    let missing = wanted.iter().filter(|w| w.blob(config).is_none() && counted.insert((&w.file.repo, &w.etag)));
    let still = |w: &Wanted| {
        let have = fs::metadata(w.repo(config).incomplete(&w.etag)).map_or(0, |m| m.len());
        w.expected_bytes().saturating_sub(have)
    };
    let need_bytes = missing.map(still).fold(0, u64::saturating_add);
    match (config.free_bytes)(&config.cache) {
        Some(free_bytes) if need_bytes > free_bytes => {
            Err(Problem::NoSpace { need_bytes, free_bytes, path: config.cache.clone() })
        }
        _ => Ok(()),
    }
}
