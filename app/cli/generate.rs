use super::{
    DeviceArgs, out,
    painter::{Painter, Progress},
    paths,
    prompts::spoken,
    reports::Reports,
    request::{PromptArgs, RecipeArgs, catalog},
    start::{StartArgs, StartFiles},
};
use crate::lora_hashes::LoraHashes;
use crate::previews::decoder;
use clap::Args;
use fourstep_compute::CancelToken;
use fourstep_gallery::{check_writable, save, write_atomically};
use fourstep_preview::Decode;
use fourstep_protocol::{DeviceInfo, Event, Failure, Latents, LoraReport, Request, Timings};
use safetensors::{Dtype, tensor::TensorView};
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
    time::Instant,
};

#[derive(Args)]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    prompt: PromptArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    start: StartArgs,
    /// Write each step's preview into this folder as step-N.png
    #[arg(long, value_name = "DIR")]
    previews: Option<PathBuf>,
    /// Where the picture goes; a new name in the current folder where it is not given
    #[arg(long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// Write the final latents too: key `latents`, f32, [1, 4, h, w]
    #[arg(long, value_name = "FILE.safetensors")]
    save_latents: Option<PathBuf>,
    /// Print one JSON object with request, timings and paths
    #[arg(long)]
    json: bool,
}

/// Paints one picture. Everything that can be checked is checked before anything is loaded.
pub(super) fn run(args: GenerateArgs, device: &DeviceArgs) -> Result<(), Failure> {
    let catalog = catalog();
    let model = args.prompt.model.info(&catalog)?;
    let mut request = spoken(&args.prompt.typed(&catalog, &model, &args.recipe)?, &catalog, &model);
    args.start.put_into(&mut request, &model, args.prompt.size.is_some())?;
    if request.canonical(&model).negative_prompt != request.negative_prompt {
        out::note("note: the negative prompt has no effect, because no unconditional pass runs with this guidance");
    }
    let out = paths::picture(args.out, &request)?;
    args.save_latents.as_deref().map_or(Ok(()), check_writable)?;
    args.previews.as_deref().map_or(Ok(()), paths::folder)?;

    let decoder = match args.json || args.previews.is_some() {
        true => Some(decoder(&catalog, &device.options(), &request.model)?),
        false => None,
    };
    let mut painter = Painter::start(&catalog, device.engine_options())?;
    let mut previews = Previews { decoder, folder: args.previews, ..Previews::default() };
    let progress = Progress::new();
    let mut reports = Reports::default();
    let start = Instant::now();
    let finished = painter.paint(&request, &mut |event| {
        progress.show(event);
        reports.take(event);
        previews.show(event, start);
    })?;
    previews.result()?;
    reports.warn();

    let timings = &finished.timings;
    let hashes = LoraHashes::new(catalog);
    save(&out, &finished.picture, &request, Some(timings), &|source| hashes.of(source))?;
    if let Some(path) = &args.save_latents {
        save_latents(path, &finished.latents)?;
    }
    if args.json {
        return out::json(&Report {
            out: &out,
            seed: request.seed,
            timings,
            first_preview_secs: previews.first_secs.map(|secs| (secs - timings.load_secs).max(0.0)),
            device: &painter.device,
            loras: &reports.loras,
            request: Settings { init: args.start.describe(&request), request: Request { init: None, ..request } },
        });
    }
    out::line(&out.display().to_string())?;
    out::note(&format!("{:.3} s, and {:.3} s to load {}", timings.total_secs, timings.load_secs, model.name));
    Ok(())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    out: &'a Path,
    seed: u64,
    request: Settings<'a>,
    /// What became of each LoRA.
    loras: &'a [LoraReport],
    timings: &'a Timings,
    first_preview_secs: Option<f64>,
    device: &'a DeviceInfo,
}

/// A request with the paths of the pictures it starts from.
#[derive(Serialize)]
struct Settings<'a> {
    #[serde(flatten)]
    request: Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    init: Option<StartFiles<'a>>,
}

/// Decodes steps as they come: all of them into a folder, or only the first to see how soon it is there.
#[derive(Default)]
struct Previews {
    decoder: Option<Box<dyn Decode>>,
    folder: Option<PathBuf>,
    /// Seconds from asking for the picture to its first preview, loading included.
    first_secs: Option<f64>,
    failure: Option<Failure>,
}

impl Previews {
    fn show(&mut self, event: &Event, start: Instant) {
        let (Some(decoder), Event::Step { step, denoised, .. }) = (&mut self.decoder, event) else { return };
        if self.failure.is_some() || (self.folder.is_none() && self.first_secs.is_some()) {
            return;
        }
        let preview = decoder.decode(denoised, &CancelToken::never());
        self.first_secs.get_or_insert(start.elapsed().as_secs_f64());
        let written = preview
            .map_err(|e| Failure::machine(format!("Step {step} could not be decoded"), e, "Try --precision f32."))
            .and_then(|picture| match &self.folder {
                Some(folder) => write_png(&folder.join(format!("step-{step}.png")), &picture),
                None => Ok(()),
            });
        self.failure = written.err();
    }

    fn result(&mut self) -> Result<(), Failure> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

fn write_png(path: &Path, picture: &fourstep_protocol::Picture) -> Result<(), Failure> {
    use image::ImageEncoder;
    write_atomically(path, |file| {
        image::codecs::png::PngEncoder::new(file)
            .write_image(picture.rgb(), picture.width(), picture.height(), image::ExtendedColorType::Rgb8)
            .map_err(io::Error::other)
    })
}

fn save_latents(path: &Path, latents: &Latents) -> Result<(), Failure> {
    let bytes: Vec<u8> = latents.data.iter().flat_map(|v| v.to_le_bytes()).collect();
    let file = TensorView::new(Dtype::F32, latents.shape().to_vec(), &bytes)
        .and_then(|view| safetensors::serialize([("latents", view)], None))
        .map_err(|e| Failure::machine("The latents could not be written", e, "Please report this."))?;
    write_atomically(path, |out| out.write_all(&file))
}
