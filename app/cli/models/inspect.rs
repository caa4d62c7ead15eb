use super::size;
use crate::cli::{out, request::catalog};
use clap::Args;
use fourstep_catalog::{Catalog, LoraDetails, ModelDetails};
use fourstep_protocol::{Failure, LoraInfo, ModelRef};

#[derive(Args)]
pub(super) struct InspectArgs {
    /// A model or a LoRA: an id of the list, a folder or a file
    #[arg(value_name = "ID|PATH")]
    what: String,
    /// A model to match a LoRA against
    #[arg(long, value_name = "ID|PATH")]
    model: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Says what it is.
pub(super) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let catalog = catalog();
    if args.model.is_none() && !is_lora(&catalog, &args.what) {
        let details = catalog.details(&ModelRef::new(&args.what))?;
        return if args.json { out::json(&details) } else { out::line(&columns(&model_rows(&details))) };
    }
    let model = args.model.as_deref().map(ModelRef::new);
    let details = catalog.lora_details(&args.what, model.as_ref())?;
    if args.json { out::json(&details) } else { out::line(&columns(&lora_rows(&details))) }
}

/// Whether it is no model but a LoRA; what is neither is reported as a model.
fn is_lora(catalog: &Catalog, what: &str) -> bool {
    catalog.inspect(&ModelRef::new(what)).is_err() && catalog.locate_lora(what).is_ok() && catalog.lora(what).is_ok()
}

type Row = (String, String);

fn row(name: &str, value: impl Into<String>) -> Row {
    (name.to_owned(), value.into())
}

fn model_rows(details: &ModelDetails) -> Vec<Row> {
    let info = &details.info;
    let mut rows = vec![
        row("model", format!("{} ({})", info.name, info.model)),
        row("family", info.family.label()),
        row("kind", &info.detail),
        row("prediction", details.prediction),
        row("size", format!("{} at {} on disk", info.native_size, size(details.size_bytes))),
        row("wants", info.wants()),
    ];
    for network in &details.networks {
        let parameters = format!("{} parameters in {} tensors", count(network.parameters), network.tensors);
        rows.push(row(network.part, format!("{}, {parameters}", network.class)));
    }
    rows
}

fn lora_rows(details: &LoraDetails) -> Vec<Row> {
    let LoraInfo { source, name, family, few_step, trigger_words, modules, unread, size_bytes } = &details.info;
    let mut rows = vec![
        row("LoRA", format!("{name} ({source})")),
        row("family", family.map_or("not known", |family| family.label())),
        row("kind", if *few_step { "few-step (LCM-LoRA)" } else { "style or subject" }),
        row("size", size(*size_bytes)),
        row("modules", modules.to_string()),
    ];
    if !trigger_words.is_empty() {
        rows.push(row("trigger words", trigger_words.join(", ")));
    }
    if !unread.is_empty() {
        rows.push(row("not read", unread.join(", ")));
    }
    if let Some(report) = &details.report {
        rows.push(row("matched", format!("{} of {} modules", report.matched, report.total)));
        if !report.ignored.is_empty() {
            rows.push(row("ignored", report.ignored.join(", ")));
        }
    }
    rows
}

/// `860 M`
fn count(parameters: u64) -> String {
    match parameters {
        n if n >= 1_000_000_000 => format!("{:.2} G", n as f64 / 1e9),
        n if n >= 1_000_000 => format!("{:.0} M", n as f64 / 1e6),
        n => format!("{:.0} k", n as f64 / 1e3),
    }
}

fn columns(rows: &[Row]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect::<Vec<_>>().join("\n")
}
