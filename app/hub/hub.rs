use crate::{
    CancelFlag, HubConfig, Soundness, Stop, Verified,
    cache::{Repo, cached, check_names},
    fetch::Fetch,
    list::list,
    problem::Problem,
    progress::Reporter,
    verify::{remove, verify},
    wait::Halt,
};
use fourstep_catalog::HubFile;
use fourstep_protocol::{DownloadProgress, Failure};
use std::{collections::HashSet, fs, path::PathBuf};

/// Fetches files from a hub into the Hugging Face cache.
#[derive(Clone, Debug)]
pub struct Hub {
    config: HubConfig,
}

impl Hub {
    /// The hub, account and cache of [`HubConfig::from_env`].
    ///
    /// # Errors
    /// As there.
    pub fn from_env() -> Result<Self, Failure> {
        HubConfig::from_env().map(Self::new)
    }

    /// A hub of one's own.
    pub fn new(config: HubConfig) -> Self {
        Self { config }
    }

    /// Fetches what is missing and gives the paths of all files, in order. Blocks; call it on a thread of its own.
    ///
    /// Bytes that arrived stay in the cache when it ends early, and the next call goes on behind them. Where all files
    /// are here, the network is left alone. `watch` is called about ten times a second.
    ///
    /// # Errors
    /// [`Stop::Cancelled`] within about 100 ms of [`CancelFlag::cancel`]; [`Stop::Failed`] with what to do.
    pub fn download(
        &self,
        files: &[HubFile],
        watch: &dyn Fn(&DownloadProgress),
        cancel: &CancelFlag,
    ) -> Result<Vec<PathBuf>, Stop> {
        for file in files {
            check_names(file).map_err(|problem| self.stop(file, problem.into()))?;
        }
        let missing = files.iter().find(|file| cached(&self.config.cache, file).is_none());
        let Some(missing) = missing else {
            return Ok(files.iter().filter_map(|file| cached(&self.config.cache, file)).collect());
        };
        if self.config.offline {
            return Err(self.stop(missing, Problem::Offline.into()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Failure::machine("Nothing could be downloaded", e, "Close other programs and try again."))?;
        let fetched = {
            let fetch = Fetch::new(&self.config, Reporter::new(watch), cancel);
            let mut fetch = fetch.map_err(|problem| self.stop(missing, problem.into()))?;
            runtime.block_on(fetch.all(files))
        };
        // A name that is still being looked up would be waited for otherwise.
        runtime.shutdown_background();
        fetched.map_err(|(file, halt)| self.stop(&file, halt))
    }

    /// All files of a repository at a revision, with their sizes; blocks.
    ///
    /// # Errors
    /// [`Failure`] where there is no such repository or it cannot be asked.
    pub fn list(&self, repo: &str, revision: &str) -> Result<Vec<HubFile>, Failure> {
        let any = HubFile {
            repo: repo.to_owned(),
            revision: revision.to_owned(),
            path: "the list of files".to_owned(),
            size_bytes: None,
            sha256: None,
        };
        let listed = check_names(&any).and_then(|()| match self.config.offline {
            true => Err(Problem::Offline),
            false => list(&self.config, repo, revision),
        });
        listed.map_err(|problem| problem.failure(&any, &self.config))
    }

    /// Reads the files that are here and compares them with their checksums. The network is left alone.
    ///
    /// # Errors
    /// [`Stop::Cancelled`]; what is wrong with a file is in its [`Verified`].
    pub fn verify(
        &self,
        files: &[HubFile],
        watch: &dyn Fn(&DownloadProgress),
        cancel: &CancelFlag,
    ) -> Result<Vec<Verified>, Stop> {
        let size = |file: &HubFile| cached(&self.config.cache, file).and_then(|path| fs::metadata(path).ok());
        let sizes: Vec<u64> = files.iter().map(|file| size(file).map_or(0, |m| m.len())).collect();
        let mut reporter = Reporter::new(watch);
        reporter.total(sizes.iter().sum());
        let mut done_bytes = 0;
        let mut verified = Vec::with_capacity(files.len());
        for (file, bytes) in files.iter().zip(sizes) {
            check_names(file).map_err(|problem| self.stop(file, problem.into()))?;
            if bytes > 0 {
                reporter.file(&file.path, done_bytes);
            }
            verified.push(verify(&self.config, file, cancel, &mut reporter).map_err(|halt| self.stop(file, halt))?);
            done_bytes += bytes;
        }
        Ok(verified)
    }

    /// Fetches again what [`verify`](Self::verify) found wrong or missing.
    ///
    /// # Errors
    /// As [`download`](Self::download).
    pub fn repair(
        &self,
        verified: &[Verified],
        watch: &dyn Fn(&DownloadProgress),
        cancel: &CancelFlag,
    ) -> Result<Vec<PathBuf>, Stop> {
        if self.config.offline {
            let bad = verified.iter().find(|v| matches!(v.soundness, Soundness::Wrong { .. } | Soundness::Missing));
            if let Some(bad) = bad {
                return Err(self.stop(&bad.file, Problem::Offline.into()));
            }
        }
        for wrong in verified.iter().filter(|v| matches!(v.soundness, Soundness::Wrong { .. })) {
            remove(&self.config, wrong).map_err(|source| {
                let path = wrong.path.clone().unwrap_or_default();
                self.stop(&wrong.file, Problem::Disk { path, source }.into())
            })?;
        }
        let files: Vec<HubFile> = verified.iter().map(|v| v.file.clone()).collect();
        self.download(&files, watch, cancel)
    }

    /// How much of the files is here, unfinished ones included. Without asking the hub, unfinished files are counted
    /// by repository.
    pub fn have_bytes(&self, files: &[HubFile]) -> u64 {
        let here = |file: &HubFile| cached(&self.config.cache, file).and_then(|path| fs::metadata(path).ok());
        let whole: u64 = files.iter().filter_map(here).map(|m| m.len()).sum();
        let repos: HashSet<&str> = files.iter().filter(|f| here(f).is_none()).map(|f| f.repo.as_str()).collect();
        whole + repos.iter().map(|repo| Repo::new(&self.config.cache, repo).incomplete_bytes()).sum::<u64>()
    }

    fn stop(&self, file: &HubFile, halt: Halt) -> Stop {
        match halt {
            Halt::Cancelled => Stop::Cancelled,
            Halt::Problem(problem) => Stop::Failed(problem.failure(file, &self.config)),
        }
    }
}
