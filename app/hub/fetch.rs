use crate::{
    CancelFlag, HubConfig,
    ask::Asker,
    cache::{BlobLock, cached, in_single_precision},
    part::Part,
    patience::Retries,
    plan::{Wanted, check_space},
    problem::{Answer, Problem},
    progress::Reporter,
    wait::{Halt, wait},
};
use fourstep_catalog::HubFile;
use fourstep_protocol::DownloadPhase;
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_RANGE},
};
use std::{cell::RefCell, collections::HashMap, fs, path::PathBuf, time::Duration};

/// One download of some files.
pub(crate) struct Fetch<'a> {
    config: &'a HubConfig,
    asker: Asker,
    /// Told while something is waited for, so it is shared with what waits.
    reporter: RefCell<Reporter<'a>>,
    cancel: &'a CancelFlag,
    /// Whether the hub ever answered.
    reached: bool,
}

/// A [`Halt`] and the file it came at.
pub(crate) type At<T> = Result<T, (HubFile, Halt)>;

impl<'a> Fetch<'a> {
    pub(crate) fn new(config: &'a HubConfig, reporter: Reporter<'a>, cancel: &'a CancelFlag) -> Result<Self, Problem> {
        Ok(Self { config, asker: Asker::new(config)?, reporter: RefCell::new(reporter), cancel, reached: false })
    }

    /// Fetches what is missing of `files` and gives all their paths. All files of a repository come from one commit.
    pub(crate) async fn all(&mut self, files: &[HubFile]) -> At<Vec<PathBuf>> {
        let at = |file: &HubFile| {
            let file = file.clone();
            |halt| (file, halt)
        };
        let mut wanted = Vec::with_capacity(files.len());
        let mut commits: HashMap<(&str, &str), String> = HashMap::new();
        for file in files {
            let key = (file.repo.as_str(), file.revision.as_str());
            let found = self.describe(file, commits.get(&key).cloned()).await.map_err(at(file))?;
            commits.entry(key).or_insert_with(|| found.commit.clone());
            wanted.push(found);
        }
        if let Some(first) = wanted.first() {
            check_space(&wanted, self.config).map_err(Halt::from).map_err(at(&first.file))?;
        }
        let mut done_bytes = 0;
        self.reporter.get_mut().total(wanted.iter().map(Wanted::expected_bytes).fold(0, u64::saturating_add));
        let mut paths = Vec::with_capacity(files.len());
        for one in &wanted {
            self.reporter.get_mut().file(&one.file.path, done_bytes);
            paths.push(self.one(one).await.map_err(at(&one.file))?);
            done_bytes = u64::saturating_add(done_bytes, one.expected_bytes());
        }
        for one in &wanted {
            // Only now, so that an older snapshot serves until the newer one is whole.
            one.repo(self.config).name(&one.file.revision, &one.commit).map_err(Halt::from).map_err(at(&one.file))?;
        }
        if let Some(last) = wanted.last() {
            self.reporter.get_mut().file(&last.file.path, done_bytes);
        }
        Ok(paths)
    }

    /// What the hub says of a file, at the commit that files before it came from.
    async fn describe(&mut self, file: &HubFile, commit: Option<String>) -> Result<Wanted, Halt> {
        let mut retries = Retries::new(self.config.patience, self.reached);
        let mut file = file.clone();
        loop {
            let told = async {
                let commit = match &commit {
                    Some(commit) => Some(commit.clone()),
                    None => self.asker.commit(&file).await?,
                };
                let revision = commit.as_deref().unwrap_or(&file.revision);
                let found = self.asker.describe(&file, revision).await?;
                Wanted::new(&file, found)
            };
            let told = self.wait(told).await.and_then(|told| told.map_err(Halt::from));
            match told {
                Ok(wanted) => {
                    self.reached = true;
                    return Ok(wanted);
                }
                Err(halt) => match in_single_precision(&file).filter(|_| is_no_such_file(&halt)) {
                    Some(other) => file = other,
                    None => self.pause(&mut retries, halt, 0).await?,
                },
            }
        }
    }

    /// Brings one file into the cache.
    async fn one(&mut self, wanted: &Wanted) -> Result<PathBuf, Halt> {
        let repo = wanted.repo(self.config);
        let _lock = self.lock(wanted).await?;
        let is_whole = |path: &PathBuf| {
            let found = fs::metadata(path).map_or(0, |file| file.len());
            wanted.size_bytes.map_or(wanted.blob(self.config).is_some(), |size| size == found)
        };
        // Where there are no links, the contents were moved here and there is no blob.
        if let Some(path) = cached(self.config.cache.as_path(), &at_commit(wanted)).filter(is_whole) {
            return Ok(path);
        }
        if wanted.blob(self.config).is_none() {
            self.blob(wanted).await?;
        }
        let path = repo.publish(&wanted.commit, &wanted.file.path, &wanted.etag)?;
        if !repo.knows(&wanted.file.revision) {
            repo.name(&wanted.file.revision, &wanted.commit)?;
        }
        Ok(path)
    }

    /// Waits while another program writes the same blob.
    async fn lock(&self, wanted: &Wanted) -> Result<BlobLock, Halt> {
        let repo = wanted.repo(self.config);
        loop {
            if let Some(lock) = repo.lock(&wanted.etag)? {
                return Ok(lock);
            }
            self.reporter.borrow_mut().phase(DownloadPhase::Waiting);
            self.sleep(Duration::from_millis(100)).await?;
        }
    }

    /// Fetches the contents of a file; attempt after attempt goes on where the last one ended.
    async fn blob(&self, wanted: &Wanted) -> Result<(), Halt> {
        let repo = wanted.repo(self.config);
        let (blob, incomplete) = (repo.blob(&wanted.etag), repo.incomplete(&wanted.etag));
        if blob.is_file() {
            // It has the wrong size, so it is not what it is named by.
            fs::remove_file(&blob).map_err(|source| Problem::disk(&blob, source))?;
        }
        self.reporter.borrow_mut().phase(DownloadPhase::Verifying);
        let seen = |bytes| self.reporter.borrow_mut().counted(bytes);
        let mut part = Part::open(incomplete, wanted.checksum.as_ref(), wanted.size_bytes, self.cancel, seen)?;
        let mut retries = Retries::new(self.config.patience, true);
        loop {
            let Err(halt) = self.attempt(wanted, &mut part, &blob).await else { return Ok(()) };
            let have_bytes = part.len();
            if matches!(&halt, Halt::Problem(problem) if problem.is_wrong_content() || is_past_the_end(problem)) {
                self.restart(&mut part)?;
            }
            self.pause(&mut retries, halt, have_bytes).await?;
        }
    }

    async fn attempt(&self, wanted: &Wanted, part: &mut Part, blob: &std::path::Path) -> Result<(), Halt> {
        if !part.is_full() {
            let asked = self.asker.fetch(&wanted.file, &wanted.commit, part.len());
            let response = self.wait(asked).await??;
            self.reporter.borrow_mut().phase(DownloadPhase::Transferring);
            self.begin(&response, wanted, part)?;
            self.transfer(response, wanted, part).await?;
        }
        self.reporter.borrow_mut().phase(DownloadPhase::Verifying);
        Ok(part.finish(blob)?)
    }

    /// Looks whether what comes is the rest of the file.
    fn begin(&self, response: &Response, wanted: &Wanted, part: &mut Part) -> Result<(), Halt> {
        let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
        // `bytes 100-199/200`
        let first = header(CONTENT_RANGE.as_str())
            .and_then(|range| range.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse::<u64>().ok());
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT && first == Some(part.len());
        if part.len() > 0 && !goes_on {
            self.restart(part)?;
        }
        if response.status() == StatusCode::PARTIAL_CONTENT && first.is_some_and(|first| first != part.len()) {
            let why = "the hub sent another part of the file than was asked for".to_owned();
            return Err(Problem::NotAHub { why }.into());
        }
        let comes = header(CONTENT_LENGTH.as_str()).and_then(|length| length.trim().parse::<u64>().ok());
        match (comes, wanted.size_bytes) {
            (Some(comes), Some(expected)) if part.len().saturating_add(comes) != expected => {
                Err(Problem::WrongSize { expected, found: part.len().saturating_add(comes) }.into())
            }
            _ => Ok(()),
        }
    }

    async fn transfer(&self, mut response: Response, wanted: &Wanted, part: &mut Part) -> Result<(), Halt> {
        let size_bytes = wanted.size_bytes;
        loop {
            match self.wait(response.chunk()).await? {
                Ok(Some(bytes)) => {
                    part.write(&bytes)?;
                    self.reporter.borrow_mut().arrived(bytes.len() as u64);
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    // Addresses of other hosts are signed, and no log needs that.
                    log::debug!("{} of {}: {}", wanted.file.path, wanted.file.repo, error.without_url());
                    return Err(Problem::CutOff { have_bytes: part.len(), size_bytes }.into());
                }
            }
        }
    }

    fn restart(&self, part: &mut Part) -> Result<(), Problem> {
        self.reporter.borrow_mut().lost(part.len());
        part.restart()
    }

    /// Pauses before another attempt, or passes on why there is none.
    async fn pause(&self, retries: &mut Retries, halt: Halt, have_bytes: u64) -> Result<(), Halt> {
        let Halt::Problem(problem) = halt else { return Err(halt) };
        let Some(pause) = retries.after(&problem, have_bytes) else { return Err(Halt::Problem(problem)) };
        log::debug!("{problem}; tried again in {pause:?}");
        self.reporter.borrow_mut().phase(DownloadPhase::Retrying);
        self.sleep(pause).await
    }

    async fn sleep(&self, time: Duration) -> Result<(), Halt> {
        let tick = || self.reporter.borrow_mut().tick();
        wait(tokio::time::sleep(time), Duration::MAX, self.cancel, tick).await
    }

    async fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Halt> {
        let tick = || self.reporter.borrow_mut().tick();
        wait(future, self.config.patience.stall, self.cancel, tick).await
    }
}

/// The same file, by the commit it is at.
fn at_commit(wanted: &Wanted) -> HubFile {
    HubFile { revision: wanted.commit.clone(), ..wanted.file.clone() }
}

/// A part that the hub says is longer than the file.
fn is_past_the_end(problem: &Problem) -> bool {
    matches!(problem, Problem::Answer(Answer { status: 416, .. }))
}

/// Plain mirrors do not say what of the address it is that they do not have.
fn is_no_such_file(halt: &Halt) -> bool {
    match halt {
        Halt::Problem(Problem::Answer(Answer { status: 404, code, .. })) => {
            code.as_deref().is_none_or(|code| code == "EntryNotFound")
        }
        _ => false,
    }
}
