use super::{
    size,
    transfer::{Transfer, failure},
};
use crate::cli::{out, request::catalog};
use clap::Args;
use fourstep_catalog::{Catalog, HubFile};
use fourstep_hub::{CancelFlag, Hub};
use fourstep_protocol::Failure;
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files go into the Hugging Face cache (`HF_HUB_CACHE`, `HF_HOME`), where other programs find them too. What was
/// interrupted goes on where it stopped.
#[derive(Args)]
pub(super) struct DownloadArgs {
    /// What to download: see `fourstep models list`
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    files: Vec<Here>,
    bytes: u64,
}

#[derive(Serialize)]
struct Here {
    repo: String,
    path: String,
    file: PathBuf,
}

/// Brings models into the Hugging Face cache.
pub(super) fn run(args: &DownloadArgs) -> Result<(), Failure> {
    let files = files(&catalog(), &args.ids)?;
    let transfer = Transfer::new();
    let fetched = Hub::from_env()?.download(&files, &|progress| transfer.show(progress), &CancelFlag::default());
    drop(transfer);
    let paths = fetched.map_err(failure)?;
    let bytes = paths.iter().map(|path| len(path)).sum();
    if args.json {
        let here = |(file, at): (HubFile, PathBuf)| Here { repo: file.repo, path: file.path, file: at };
        return out::json(&Report { files: files.into_iter().zip(paths).map(here).collect(), bytes });
    }
    let verb = if args.ids.len() == 1 { "is" } else { "are" };
    out::line(&format!("{} {verb} here: {} in {} files", args.ids.join(", "), size(bytes), paths.len()))
}

/// Of all these entries, each file once.
pub(super) fn files(catalog: &Catalog, ids: &[String]) -> Result<Vec<HubFile>, Failure> {
    let mut files = Vec::new();
    for id in ids {
        for file in catalog.files(id)? {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}
