mod profile;

use super::{
    DeviceArgs, out,
    painter::Painter,
    request::{ModelArgs, catalog, check},
    stats::{median, peak_memory_bytes},
};
use crate::previews::decoder;
use clap::Args;
use fourstep_catalog::Catalog;
use fourstep_compute::{CancelToken, cpu::Profiler};
use fourstep_engine::{DeviceOptions, EngineOptions};
use fourstep_preview::Decode;
use fourstep_protocol::{Command, DeviceInfo, Event, Failure, Finished, Request, RunId, Size};
use profile::Profile;
use serde::Serialize;
use std::{
    thread,
    time::{Duration, Instant},
};

#[derive(Args)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Size in pixels, multiples of 8; the model's own where it is not given
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,
    /// How often each thing is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Show how long each operation of a run takes (cpu backend)
    #[arg(long)]
    profile: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Engines started afresh to measure loading: enough for a median, few enough for large models.
const MAX_LOADS: u32 = 3;

/// Medians, in seconds.
#[derive(Serialize)]
struct Report {
    model: String,
    size: Size,
    steps: u32,
    runs: u32,
    device: DeviceInfo,
    /// From the start of the program to a model that is ready to paint.
    ready_secs: Option<f64>,
    /// Opening the model and packing its weights.
    load_secs: Option<f64>,
    /// Encoding a prompt that was not seen before.
    text_secs: Option<f64>,
    step_secs: Option<f64>,
    /// The preview decoder on one step's latents; `None` for a model without one.
    tiny_decode_secs: Option<f64>,
    /// The model's own decoder, latents to picture.
    full_decode_secs: Option<f64>,
    /// From picking up the request to the picture, without loading, with a new prompt.
    run_secs: Option<f64>,
    /// From sending the request to the first preview's pixels, without loading.
    first_preview_secs: Option<f64>,
    /// From asking for something else to the end of the run in progress.
    cancel_secs: Option<f64>,
    cancel_max_secs: Option<f64>,
    peak_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile>,
}

/// Measures and reports.
pub(super) fn run(args: &BenchArgs, device: &DeviceArgs, started: Instant) -> Result<(), Failure> {
    let catalog = catalog();
    let model = args.model.info(&catalog)?;
    let mut request = Request::new(&model, "a red apple on a blue background");
    request.apply(&args.model.recipe(&catalog, &model, None)?);
    args.model.put_into(&mut request, &catalog)?;
    request.size = args.size.unwrap_or(request.size);
    check(&request, &model)?;

    let profiler = args.profile.then(Profiler::default);
    let profiled = DeviceOptions { profiler: profiler.clone(), ..device.options() };
    let Loaded { mut painter, ready_secs, load_secs } = load(&catalog, &profiled, &request, args.runs, started)?;
    if let Some(profiler) = &profiler {
        // There is nothing to be measured for, should another backend compute.
        check_profiled(profiler)?;
    }
    let mut decoder = decoder(&catalog, &device.options(), &request.model)?;
    let samples = paint(&mut painter, &mut *decoder, &request, args.runs)?;
    let whole = median(&samples.whole).unwrap_or_default();
    let cancels = cancel(&mut painter, &request, args.runs, whole)?;
    check_device(&painter)?;
    // Measured before the profile, whose run is none of those that are reported.
    let peak_memory_bytes = peak_memory_bytes();
    let unseen = Request { prompt: format!("{} at dawn", request.prompt), ..request.clone() };
    let profile = profiler.map(|profiler| profile::profile(&mut painter, &profiler, &unseen)).transpose()?;
    let report = Report {
        model: model.model.to_string(),
        size: request.size,
        steps: request.steps,
        runs: args.runs,
        device: painter.device,
        ready_secs,
        load_secs: median(&load_secs),
        text_secs: median(&samples.text),
        step_secs: median(&samples.steps),
        tiny_decode_secs: median(&samples.tiny),
        full_decode_secs: median(&samples.full),
        run_secs: median(&samples.whole),
        first_preview_secs: median(&samples.first_preview),
        cancel_secs: median(&cancels),
        cancel_max_secs: cancels.iter().copied().max_by(f64::total_cmp),
        peak_memory_bytes,
        profile,
    };
    if args.json { out::json(&report) } else { out::line(&table(&report)) }
}

/// A warm engine, and how long it took to get one.
struct Loaded {
    painter: Painter,
    ready_secs: Option<f64>,
    load_secs: Vec<f64>,
}

/// Starts engines one after the other and paints once with each.
fn load(
    catalog: &Catalog,
    device: &DeviceOptions,
    request: &Request,
    runs: u32,
    started: Instant,
) -> Result<Loaded, Failure> {
    let (mut ready_secs, mut load_secs) = (None, Vec::new());
    loop {
        let profiler = device.profiler.clone();
        let wake = Box::new(move || profiler.iter().for_each(Profiler::mark));
        let options = EngineOptions { device: device.clone(), wake, ..EngineOptions::default() };
        let mut painter = Painter::start(catalog, options)?;
        let finished = painter.paint(request, &mut |event| {
            if matches!(event, Event::Loading { fraction, .. } if *fraction >= 1.0) {
                ready_secs.get_or_insert(started.elapsed().as_secs_f64());
            }
        })?;
        check_device(&painter)?;
        load_secs.push(finished.timings.load_secs);
        if load_secs.len() >= runs.min(MAX_LOADS) as usize {
            return Ok(Loaded { painter, ready_secs, load_secs });
        }
    }
}

/// What two devices took says nothing about either.
fn check_device(painter: &Painter) -> Result<(), Failure> {
    painter.device_failure.clone().map_or(Ok(()), Err)
}

fn check_profiled(profiler: &Profiler) -> Result<(), Failure> {
    match profiler.layer_counts().is_empty() {
        false => Ok(()),
        true => Err(Failure::input(
            "There is no profile",
            "only the cpu backend writes down how long its operations take",
            "Give --backend cpu, or leave --profile out.",
        )),
    }
}

#[derive(Default)]
struct Samples {
    text: Vec<f64>,
    steps: Vec<f64>,
    tiny: Vec<f64>,
    full: Vec<f64>,
    whole: Vec<f64>,
    first_preview: Vec<f64>,
}

fn paint(painter: &mut Painter, decoder: &mut dyn Decode, request: &Request, runs: u32) -> Result<Samples, Failure> {
    let mut samples = Samples::default();
    // The decoder's first use is slower than any later one.
    let mut warm = false;
    for run in 0..=runs {
        // Another prompt and seed each time: nothing but the weights is there already.
        let request = Request { prompt: format!("{} {run}", request.prompt), seed: u64::from(run), ..request.clone() };
        let start = Instant::now();
        let mut first_preview = None;
        let Finished { timings, latents, .. } = painter.paint(&request, &mut |event| {
            if let (None, Event::Step { denoised, .. }) = (first_preview, event) {
                let decoded = decoder.decode(denoised, &CancelToken::never());
                first_preview = decoded.is_ok().then(|| start.elapsed().as_secs_f64());
            }
        })?;
        let decode = Instant::now();
        let decoded = decoder.decode(&latents, &CancelToken::never());
        let tiny = decode.elapsed().as_secs_f64();
        if warm {
            samples.text.push(timings.text_secs);
            samples.steps.extend(&timings.step_secs);
            samples.tiny.extend((decoded.is_ok() && !decoder.is_free()).then_some(tiny));
            samples.full.push(timings.decode_secs);
            samples.whole.push(timings.total_secs);
            samples.first_preview.extend(first_preview);
        }
        warm = true;
    }
    Ok(samples)
}

/// Asks for something else (alternately a newer picture and nothing) at moments spread over the run; the seconds until
/// the run in progress has ended.
fn cancel(painter: &mut Painter, request: &Request, runs: u32, run_secs: f64) -> Result<Vec<f64>, Failure> {
    const GOLDEN_RATIO: f64 = 0.618_033_988_75;
    let mut samples = Vec::new();
    for i in 0..2 * runs {
        let fraction = (f64::from(i) * GOLDEN_RATIO).fract() * 0.9;
        let seeded = |seed| Request { seed, ..request.clone() };
        let old = painter.begin(&seeded(u64::from(2 * i)))?;
        thread::sleep(Duration::from_secs_f64(fraction * run_secs));
        let asked = Instant::now();
        let newer = match i % 2 {
            0 => Some(painter.begin(&seeded(u64::from(2 * i + 1)))?),
            _ => painter.send(Command::Stop).map(|()| None)?,
        };
        let (stopped, secs) = wait_for_end(painter, old, asked)?;
        // A run that was through in spite of everything says nothing about stopping.
        samples.extend(stopped.then_some(secs));
        if let Some(newer) = newer {
            wait_for_end(painter, newer, asked)?;
        }
    }
    Ok(samples)
}

/// Whether the run was stopped, and how long after `since` it ended.
fn wait_for_end(painter: &mut Painter, run: RunId, since: Instant) -> Result<(bool, f64), Failure> {
    loop {
        let event = painter.next_event()?;
        if event.run() != Some(run) {
            continue;
        }
        match event {
            Event::Stopped { .. } => return Ok((true, since.elapsed().as_secs_f64())),
            Event::Finished(_) => return Ok((false, since.elapsed().as_secs_f64())),
            Event::Failed { failure, .. } => return Err(failure),
            _ => {}
        }
    }
}

fn table(r: &Report) -> String {
    let ms = |secs: Option<f64>| secs.map_or_else(|| "none".into(), |s| format!("{:.1} ms", s * 1000.0));
    let memory = r.peak_memory_bytes.map_or_else(|| "unknown".into(), |b| format!("{} MiB", b >> 20));
    let d = &r.device;
    let computes_with = match (d.threads, d.memory_bytes) {
        (0, Some(bytes)) => format!(", {:.1} GB", bytes as f64 / 1e9),
        (0, None) => String::new(),
        (threads, _) => format!(", {threads} threads"),
    };
    let rows = [
        ("model", format!("{} at {}, {} steps", r.model, r.size, r.steps)),
        ("device", format!("{} {} {}{computes_with}", d.backend, d.device, d.precision)),
        ("ready", ms(r.ready_secs)),
        ("load", ms(r.load_secs)),
        ("text encode", ms(r.text_secs)),
        ("per step", ms(r.step_secs)),
        ("tiny decode", ms(r.tiny_decode_secs)),
        ("full decode", ms(r.full_decode_secs)),
        ("whole run", ms(r.run_secs)),
        ("first preview", ms(r.first_preview_secs)),
        ("cancel", format!("{} (at most {})", ms(r.cancel_secs), ms(r.cancel_max_secs))),
        ("peak memory", memory),
    ];
    let lines = rows.map(|(name, value)| format!("{name:14} {value}"));
    let profile = r.profile.as_ref().map_or_else(String::new, |profile| format!("\n{}", profile.table()));
    format!("{}\nmedians of {} runs{profile}", lines.join("\n"), r.runs)
}
