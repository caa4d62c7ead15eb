use super::size;
use crate::cli::{out, request::catalog};
use clap::Args;
use fourstep_protocol::{Availability, Failure, ItemKind, LibraryItem, Origin};
use std::collections::BTreeMap;

#[derive(Args)]
pub(super) struct ListArgs {
    /// Also what was found in other programs' folders and in the Hugging Face cache
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Lists what there is.
pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let catalog = catalog();
    let mut items = catalog.items();
    if args.all {
        items.extend(catalog.scan());
    }
    if args.json {
        return out::json(&BTreeMap::from([("items", items)]));
    }
    out::line(&table(&items))?;
    out::note("Folders and .safetensors files work too: --model PATH, --lora PATH");
    Ok(())
}

/// A line for each, in columns as wide as they need.
fn table(items: &[LibraryItem]) -> String {
    let head = ["ID", "NAME", "KIND", "FAMILY", "SIZE", "LICENCE", "STATE"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(items.iter().map(row)).collect();
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(item: &LibraryItem) -> [String; 7] {
    let kind = match item.kind {
        ItemKind::Model => "model",
        ItemKind::Lora => "LoRA",
        ItemKind::Vae => "autoencoder",
        ItemKind::TinyDecoder => "tiny decoder",
    };
    [
        item.id.clone(),
        item.name.clone(),
        kind.to_owned(),
        item.family.map(|family| family.to_string()).unwrap_or_default(),
        item.size_bytes.map(size).unwrap_or_default(),
        item.licence.clone().unwrap_or_default(),
        state(item),
    ]
}

fn state(item: &LibraryItem) -> String {
    match &item.availability {
        Availability::Ready => match (&item.origin, &item.model) {
            (Origin::BuiltIn, _) => "in the program".to_owned(),
            (_, Some(model)) => format!("ready, {}", model.wants()),
            _ => "ready".to_owned(),
        },
        Availability::Absent { have_bytes: 0 } => "to download".to_owned(),
        Availability::Absent { have_bytes } => format!("to download, {} are here", size(*have_bytes)),
        Availability::Downloading(progress) => format!("downloading, {:.0} %", progress.fraction() * 100.0),
        Availability::Failed(failure) => format!("not downloaded: {}", failure.why),
        Availability::Unusable(failure) => format!("not usable: {}", failure.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let table = table(&fourstep_catalog::Catalog::builtin().items());
        let mut lines = table.lines();
        let at = lines.next().and_then(|head| head.find("NAME")).expect("a head");
        assert!(table.lines().count() > 10);
        for line in lines {
            assert!(line.chars().nth(at - 1) == Some(' ') && line.chars().nth(at) != Some(' '), "{line}");
        }
    }
}
