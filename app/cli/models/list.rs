use crate::cli::out;
use clap::Args;
use fourstep_catalog::Catalog;
use fourstep_protocol::{Failure, Guidance, ModelInfo};
use std::collections::BTreeMap;

#[derive(Args)]
pub(super) struct ListArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Lists what `--model` takes beside folders.
pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let models = Catalog::load().models();
    if args.json {
        return out::json(&BTreeMap::from([("models", models)]));
    }
    let lines = models.iter().map(line).collect::<Vec<_>>();
    out::line(&lines.join("\n"))?;
    out::line("\nA folder in the diffusers layout works too: --model DIR")
}

fn line(model: &ModelInfo) -> String {
    let guidance = match model.guidance {
        Guidance::ClassifierFree => "guidance 1 to 2".to_owned(),
        Guidance::Embedded { min, max } => format!("guidance {min} to {max}, trained"),
        Guidance::None => "no guidance".to_owned(),
    };
    let slow = model.compare.as_ref().map(|r| format!(", or {} in {} steps", r.sampler.label(), r.steps));
    format!(
        "{:14} {}, {}: {}, {} in {} steps{}, {guidance}",
        model.model.as_str(),
        model.name,
        model.detail,
        model.native_size,
        model.live.sampler.label(),
        model.live.steps,
        slow.unwrap_or_default(),
    )
}
