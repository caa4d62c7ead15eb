use super::{
    download::files,
    transfer::{Transfer, failure},
};
use crate::cli::{out, request::catalog};
use clap::Args;
use fourstep_catalog::{Catalog, HubFile};
use fourstep_hub::{CancelFlag, Hub, Soundness, Verified};
use fourstep_protocol::Failure;
use serde::Serialize;
use std::path::PathBuf;

/// Every file is read, so this takes as long as the disk needs. The network is left alone but for --repair.
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// What to check; without any, whatever of the list was downloaded
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Download again what is damaged, and what is missing of the IDs
    #[arg(long)]
    repair: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    files: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    repo: String,
    path: String,
    file: Option<PathBuf>,
    state: &'static str,
    why: Option<String>,
}

/// Compares files with their checksums.
///
/// # Errors
/// [`Failure`] where one is damaged or missing.
pub(super) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let catalog = catalog();
    let hub = Hub::from_env()?;
    let wanted = if args.ids.is_empty() { whatever(&catalog)? } else { files(&catalog, &args.ids)? };
    let verified = checked_files(&hub, &wanted, args)?;
    let bad: Vec<&Verified> = verified.iter().filter(|one| is_bad(one)).collect();
    let told = told(&bad, verified.len(), &args.ids);
    if args.json {
        out::json(&Report { files: verified.iter().map(checked).collect() })?;
    } else {
        for one in &bad {
            out::line(&format!("{} of {}: {}", one.file.path, one.file.repo, found(&one.soundness)))?;
        }
        let unknown = verified.iter().filter(|one| one.soundness == Soundness::Unknown).count();
        let sound = verified.len() - bad.len() - unknown;
        out::line(&format!("{sound} sound, {} damaged or missing, {unknown} without a checksum", bad.len()))?;
    }
    told.map_or(Ok(()), Err)
}

/// What each file is worth, after the repair where one was asked for.
fn checked_files(hub: &Hub, wanted: &[HubFile], args: &VerifyArgs) -> Result<Vec<Verified>, Failure> {
    let transfer = Transfer::new();
    let (watch, cancel) = (|progress: &_| transfer.show(progress), CancelFlag::default());
    let check = |files: &[_]| hub.verify(files, &watch, &cancel).map_err(failure);
    let mut verified = check(wanted)?;
    if args.ids.is_empty() {
        verified.retain(|one| one.soundness != Soundness::Missing);
    }
    if args.repair && verified.iter().any(is_bad) {
        hub.repair(&verified, &watch, &cancel).map_err(failure)?;
        verified = check(&verified.into_iter().map(|one| one.file).collect::<Vec<_>>())?;
    }
    Ok(verified)
}

/// All files of the list.
fn whatever(catalog: &Catalog) -> Result<Vec<HubFile>, Failure> {
    let on_hub = catalog.items().into_iter().map(|item| item.id).filter(|id| catalog.files(id).is_ok());
    files(catalog, &on_hub.collect::<Vec<_>>())
}

fn is_bad(one: &Verified) -> bool {
    matches!(one.soundness, Soundness::Missing | Soundness::Wrong { .. })
}

fn told(bad: &[&Verified], count: usize, ids: &[String]) -> Option<Failure> {
    let first = bad.first()?;
    let why = format!("{} of {}: {}", first.file.path, first.file.repo, found(&first.soundness));
    let ids = if ids.is_empty() { String::new() } else { format!(" {}", ids.join(" ")) };
    let remedy = format!("`fourstep models verify --repair{ids}` downloads such files again.");
    Some(Failure::machine(format!("{} of {count} files are damaged or missing", bad.len()), why, remedy))
}

fn found(soundness: &Soundness) -> &str {
    match soundness {
        Soundness::Sound => "sound",
        Soundness::Unknown => "nothing says what its checksum should be",
        Soundness::Missing => "not here",
        Soundness::Wrong { why } => why,
    }
}

fn checked(one: &Verified) -> Checked {
    let (state, why) = match &one.soundness {
        Soundness::Sound => ("sound", None),
        Soundness::Unknown => ("unknown", None),
        Soundness::Missing => ("missing", None),
        Soundness::Wrong { why } => ("wrong", Some(why.clone())),
    };
    Checked { repo: one.file.repo.clone(), path: one.file.path.clone(), file: one.path.clone(), state, why }
}
