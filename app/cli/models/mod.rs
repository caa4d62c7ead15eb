//! `fourstep models`: what there is to paint with.

mod add;
mod download;
mod inspect;
mod list;
mod transfer;
mod verify;

use clap::{Args, Subcommand};
use fourstep_protocol::Failure;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ModelsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Subcommand)]
enum Action {
    /// List models and LoRAs, and what of them is on this machine
    List(list::ListArgs),
    /// Add a model, a LoRA or a folder of them to the list
    Add(add::AddArgs),
    /// Download models and LoRAs of the list, with what they need
    Download(download::DownloadArgs),
    /// Check the files that were downloaded, by their checksums
    Verify(verify::VerifyArgs),
    /// Say what a model or a LoRA is, from its headers
    Inspect(inspect::InspectArgs),
}

/// Without an action it lists.
pub(super) fn run(args: &ModelsArgs) -> Result<(), Failure> {
    match &args.action {
        None => list::run(&args.list),
        Some(Action::List(args)) => list::run(args),
        Some(Action::Add(args)) => add::run(args),
        Some(Action::Download(args)) => download::run(args),
        Some(Action::Verify(args)) => verify::run(args),
        Some(Action::Inspect(args)) => inspect::run(args),
    }
}

/// `2.1 GB`
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 10.0);
    format!("{value:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [(7, "7 B"), (1_500, "1.5 kB"), (134_621_556, "135 MB"), (6_940_000_000, "6.9 GB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
