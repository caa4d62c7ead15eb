use super::{
    DeviceArgs, out,
    painter::{Painter, Progress},
    paths,
    prompts::spoken,
    reports::Reports,
    request::{PromptArgs, RecipeArgs, catalog, check},
};
use crate::lora_hashes::LoraHashes;
use clap::Args;
use fourstep_catalog::Catalog;
use fourstep_gallery::{Panel, compose, save};
use fourstep_protocol::{DeviceInfo, Failure, Finished, ModelInfo, Request, Timings};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(super) struct CompareArgs {
    #[command(flatten)]
    prompt: PromptArgs,
    /// Where the comparison goes; a new name in the current folder where it is not given
    #[arg(long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// Print one JSON object with both requests and timings
    #[arg(long)]
    json: bool,
}

/// Paints with the model's live recipe and with its slow one, and puts both on a sheet.
pub(super) fn run(args: CompareArgs, device: &DeviceArgs) -> Result<(), Failure> {
    let catalog = catalog();
    let model = args.prompt.model.info(&catalog)?;
    let slow = model.compare.as_ref().ok_or_else(|| only_fast(&catalog, &model))?;
    let typed = args.prompt.typed(&catalog, &model, &RecipeArgs::default())?;
    let request = spoken(&typed, &catalog, &model);
    let few_step = args.prompt.model.few_step(&catalog)?;
    if request.sampler == slow.sampler && few_step.is_empty() {
        return Err(only_slow(&model));
    }
    let mut slow_request = typed;
    slow_request.apply(slow);
    args.prompt.model.put_into(&mut slow_request, &catalog)?;
    slow_request.loras.retain(|lora| few_step.iter().all(|fast| fast.source != lora.source));
    let slow_request = spoken(&slow_request, &catalog, &model);
    check(&slow_request, &model)?;
    let out = paths::picture(args.out, &request)?;

    let mut painter = Painter::start(&catalog, device.engine_options())?;
    let mut paint = |request| {
        let progress = Progress::new();
        let mut reports = Reports::default();
        let finished = painter.paint(request, &mut |event| {
            progress.show(event);
            reports.take(event);
        });
        reports.warn();
        finished
    };
    let runs = [paint(&request)?, paint(&slow_request)?];
    let captions = runs.each_ref().map(caption);
    let panels = [0, 1].map(|i| Panel { picture: &runs[i].picture, title: &captions[i].0, lines: &captions[i].1 });
    let heading = format!("{} (seed {})", request.prompt, request.seed);
    let hashes = LoraHashes::new(catalog);
    save(&out, &compose(&heading, &panels)?, &request, Some(&runs[0].timings), &|source| hashes.of(source))?;

    if args.json {
        let runs = runs.each_ref().map(|run| RunReport { request: &run.request, timings: &run.timings });
        return out::json(&Report { out: &out, seed: request.seed, runs, device: &painter.device });
    }
    out::line(&out.display().to_string())?;
    captions.iter().for_each(|(title, lines)| out::note(&format!("{title}: {}", lines.join(", "))));
    Ok(())
}

/// What `--json` prints: the fast run, then the slow one.
#[derive(Serialize)]
struct Report<'a> {
    out: &'a Path,
    seed: u64,
    runs: [RunReport<'a>; 2],
    device: &'a DeviceInfo,
}

#[derive(Serialize)]
struct RunReport<'a> {
    request: &'a Request,
    timings: &'a Timings,
}

/// A title and the lines below it.
fn caption(run: &Finished) -> (String, Vec<String>) {
    let (request, timings) = (&run.request, &run.timings);
    let steps = timings.step_secs.len();
    let each = timings.step_secs.iter().sum::<f64>() / steps.max(1) as f64;
    let plural = if steps == 1 { "" } else { "s" };
    let title = format!("{}, {steps} step{plural}", request.sampler.label());
    let times = format!("{:.2} s, {:.0} ms a step", timings.total_secs, each * 1000.0);
    (title, vec![times, format!("guidance {:.1}", request.guidance_scale)])
}

fn only_fast(catalog: &Catalog, model: &ModelInfo) -> Failure {
    let others: Vec<_> =
        catalog.models().into_iter().filter(|m| m.compare.is_some()).map(|m| m.model.to_string()).collect();
    Failure::input(
        format!("{} cannot be compared", model.name),
        "it only knows how to paint in few steps",
        format!("Give a model that knows both with --model: {}.", others.join(", ")),
    )
}

fn only_slow(model: &ModelInfo) -> Failure {
    let loras = model.few_step.iter().flat_map(|recipe| &recipe.loras);
    let remedy = match loras.map(|lora| lora.source.as_str()).next() {
        Some(id) => format!("Download it with `fourstep models download {id}`, or give an LCM-LoRA with --lora."),
        None => "Give an LCM-LoRA for it with --lora.".to_owned(),
    };
    let why = "the LoRA that makes it paint in few steps is not on this machine";
    Failure::input(format!("{} cannot be compared", model.name), why, remedy)
}
