use crate::{HubConfig, space::human};
use fourstep_catalog::HubFile;
use fourstep_protocol::Failure;
use reqwest::{StatusCode, header::HeaderMap};
use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// What can go wrong with a file on its way here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the hub answered {}", .0.status)]
    Answer(Answer),
    #[error("{why}")]
    Unreachable { why: String },
    #[error("{why}")]
    Tls { why: String },
    #[error("nothing came for {} seconds", limit.as_secs())]
    Stalled { limit: Duration },
    #[error("the connection was cut off {}", cut(*have_bytes, *size_bytes))]
    CutOff { have_bytes: u64, size_bytes: Option<u64> },
    #[error("its checksum is {found} and should be {expected}")]
    WrongBytes { expected: String, found: String },
    #[error("it has {found} bytes and should have {expected}")]
    WrongSize { expected: u64, found: u64 },
    #[error("the hub's file has the checksum {found}, and the list of models names {expected}")]
    Changed { expected: String, found: String },
    #[error("the download needs {}, and {} are free at {}", human(*need_bytes), human(*free_bytes), path.display())]
    NoSpace { need_bytes: u64, free_bytes: u64, path: PathBuf },
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("{why}")]
    NotAHub { why: String },
    #[error("the program is told to leave the network alone (HF_HUB_OFFLINE)")]
    Offline,
    #[error("`{name}` does not name {wanted}")]
    BadName { name: String, wanted: &'static str },
}

/// A hub's refusal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `X-Error-Code`: `GatedRepo`, `RepoNotFound`, `EntryNotFound`, `RevisionNotFound`.
    pub(crate) code: Option<String>,
    /// `X-Error-Message`
    pub(crate) message: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let retry_after = text("retry-after").and_then(|secs| secs.trim().parse().ok()).map(Duration::from_secs);
        Self { status: status.as_u16(), code: text("x-error-code"), message: text("x-error-message"), retry_after }
    }

    fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl From<reqwest::Error> for Problem {
    fn from(error: reqwest::Error) -> Self {
        let first: &dyn Error = &error;
        let chain: Vec<String> =
            std::iter::successors(Some(first), |e| (*e).source()).map(ToString::to_string).collect();
        let all = chain.join(": ").to_ascii_lowercase();
        let root = chain.last().cloned().unwrap_or_default();
        if error.is_builder() {
            return Self::NotAHub { why: root };
        }
        if ["certificate", "tls", "handshake", "corrupt message"].iter().any(|word| all.contains(word)) {
            return Self::Tls { why: root };
        }
        let host = error.url().and_then(|url| url.host_str()).unwrap_or("the hub").to_owned();
        if all.contains("dns error") {
            return Self::Unreachable { why: format!("the name {host} could not be found") };
        }
        let why = if error.is_timeout() { "no answer in time".to_owned() } else { root };
        Self::Unreachable { why: format!("{host} could not be reached ({why})") }
    }
}

impl Problem {
    pub(crate) fn disk(path: &Path, source: io::Error) -> Self {
        Self::Disk { path: path.to_path_buf(), source }
    }

    /// Whether the next attempt may well succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Answer(answer) => matches!(answer.status, 408 | 416 | 429 | 500 | 502..=504),
            Self::Unreachable { .. } | Self::Stalled { .. } | Self::CutOff { .. } => true,
            _ => false,
        }
    }

    /// Whether what arrived is not the file.
    pub(crate) fn is_wrong_content(&self) -> bool {
        matches!(self, Self::WrongBytes { .. } | Self::WrongSize { .. })
    }

    /// What the hub asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        if let Self::Answer(answer) = self { answer.retry_after } else { None }
    }

    /// In the words of the person who wanted `file`.
    pub(crate) fn failure(&self, file: &HubFile, config: &HubConfig) -> Failure {
        let HubFile { repo, path, .. } = file;
        let what = format!("{path} of {repo} could not be downloaded");
        let keeps = "What arrived is kept; download it again to go on.";
        match self {
            Self::Answer(answer) => refusal(what, answer, file, config),
            Self::Unreachable { .. } => Failure::machine(
                what,
                self,
                format!("Check the network, HTTPS_PROXY and HF_ENDPOINT ({}). {keeps}", config.endpoint),
            ),
            Self::Tls { why } => Failure::machine(
                what,
                format!("the connection to {} is not safe ({why})", config.endpoint),
                "Check this computer's clock and certificates, and whether a proxy stands in between.",
            ),
            Self::Stalled { .. } | Self::CutOff { .. } => Failure::machine(what, self, keeps),
            Self::WrongBytes { .. } | Self::WrongSize { .. } => Failure::machine(
                what,
                format!("what arrived twice is not the file: {self}"),
                "It was thrown away. Check HF_ENDPOINT and the proxy, or try again later.",
            ),
            Self::Changed { .. } => {
                Failure::input(what, self, "Its authors changed it; update the program, or its entry in your list.")
            }
            Self::NoSpace { .. } => {
                let remedy = "Free some space, or set HF_HUB_CACHE to a folder on another disk.";
                Failure::machine(format!("{repo} could not be downloaded"), self, remedy)
            }
            Self::Disk { source, .. } => Failure::machine(what, self, disk_remedy(source)),
            Self::NotAHub { .. } => Failure::input(what, self, format!("Check HF_ENDPOINT ({}).", config.endpoint)),
            Self::Offline => Failure::input(what, self, "Unset HF_HUB_OFFLINE to download it."),
            Self::BadName { .. } => Failure::input(what, self, "Correct the entry in the list of models."),
        }
    }
}

fn refusal(what: String, answer: &Answer, file: &HubFile, config: &HubConfig) -> Failure {
    let said = answer.message.as_deref().map_or_else(String::new, |message| format!(" (\"{}\")", message.trim()));
    match answer.status {
        401 | 403 => no_access(what, answer, &said, file, config.token.is_some()),
        404 => not_there(what, answer, &said, file, config),
        429 => {
            let wait = answer.retry_after.map_or_else(|| "a few minutes".to_owned(), spoken);
            let remedy = format!("Try again in {wait}; with HF_TOKEN set the hub allows more. What arrived is kept.");
            Failure::machine(what, "the hub had too many requests from here (429)", remedy)
        }
        500..=599 => {
            let why = format!("the hub has trouble of its own ({}){said}", answer.status);
            Failure::machine(what, why, "Try again later; what arrived is kept.")
        }
        status => {
            Failure::machine(what, format!("the hub answered {status}{said}"), "Check HF_ENDPOINT and the proxy.")
        }
    }
}

/// 401 and 403.
fn no_access(what: String, answer: &Answer, said: &str, file: &HubFile, has_token: bool) -> Failure {
    let repo = &file.repo;
    let page = page(file);
    if answer.is("GatedRepo") {
        let remedy = if has_token {
            format!("Accept the licence at {page} with the account that your HF_TOKEN belongs to.")
        } else {
            format!("Accept the licence at {page} and set HF_TOKEN to a token of your account.")
        };
        return Failure::input(what, format!("its authors ask you to accept their licence first{said}"), remedy);
    }
    match answer.status {
        401 if has_token && !answer.is("RepoNotFound") => {
            let remedy = "Make a new one at https://huggingface.co/settings/tokens and set HF_TOKEN to it.";
            Failure::input(what, format!("the hub does not accept your token{said}"), remedy)
        }
        401 => {
            let why = format!("{repo} does not exist, or it may be seen only with a token{said}");
            let remedy = format!(
                "Check its name at {page}. If it is private or asks for a licence, accept that there and set HF_TOKEN to a \
                 token of your account."
            );
            Failure::input(what, why, remedy)
        }
        _ => {
            let why = format!("your token may not read {repo}{said}");
            let why = if has_token { why } else { format!("the hub lets nobody read it without a token{said}") };
            let remedy = format!(
                "Accept the licence at {page} if it asks for that, and set HF_TOKEN to a token of your account that may \
                 read it."
            );
            Failure::input(what, why, remedy)
        }
    }
}

/// 404.
fn not_there(what: String, answer: &Answer, said: &str, file: &HubFile, config: &HubConfig) -> Failure {
    let HubFile { repo, revision, path, .. } = file;
    let page = page(file);
    if answer.is("RevisionNotFound") {
        return Failure::input(what, format!("{repo} has no revision `{revision}`"), format!("Look at {page}."));
    }
    if answer.is("EntryNotFound") {
        return Failure::input(
            what,
            format!("{repo} has no file `{path}` at `{revision}`"),
            format!("Look at {page}."),
        );
    }
    let why = format!("{} has no {repo}{said}", config.endpoint);
    Failure::input(what, why, format!("Look at {page}; its authors may have renamed or removed it."))
}

fn page(file: &HubFile) -> String {
    format!("https://huggingface.co/{}", file.repo)
}

fn disk_remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Free some space, or set HF_HUB_CACHE to a folder on another disk. What arrived is kept."
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "The cache must be writable: change the rights of that folder, or set HF_HUB_CACHE to another one."
        }
        _ => "Check the disk, or set HF_HUB_CACHE to a folder on another one.",
    }
}

fn cut(have_bytes: u64, size_bytes: Option<u64>) -> String {
    match size_bytes {
        Some(size) => format!("after {} of {}", human(have_bytes), human(size)),
        None => format!("after {}", human(have_bytes)),
    }
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        secs @ 0..=90 => format!("{secs} seconds"),
        secs => format!("{} minutes", secs.div_ceil(60)),
    }
}
