use super::{
    DeviceArgs, out,
    painter::Painter,
    paths,
    prompts::spoken,
    request::{ModelArgs, catalog, check},
};
use crate::lora_hashes::LoraHashes;
use clap::Args;
use fourstep_canvas::{Upscale, UpscaleOptions};
use fourstep_catalog::Catalog;
use fourstep_gallery::{Opened, save};
use fourstep_protocol::{Event, Failure, ModelInfo, Request};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct UpscaleArgs {
    /// The picture; the settings it was painted with are used where it carries them
    #[arg(value_name = "IMAGE")]
    input: PathBuf,
    /// Where the larger picture goes; a new name in the current folder where it is not given
    #[arg(long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// How many times as wide and high: above 1, at most 4
    #[arg(long, value_name = "X", default_value_t = 2.0, allow_negative_numbers = true)]
    scale: f32,
    /// How much of what was enlarged is painted anew: above 0, at most 1
    #[arg(long, value_name = "S", default_value_t = UpscaleOptions::STRENGTH, allow_negative_numbers = true)]
    strength: f32,
    /// What is to be seen, instead of the picture's own prompt
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
}

/// Enlarges one picture, and paints it anew tile by tile.
pub(super) fn run(args: UpscaleArgs, device: &DeviceArgs) -> Result<(), Failure> {
    let catalog = catalog();
    let opened = fourstep_gallery::open(&args.input)?;
    let (model, request) = args.request(&catalog, &opened)?;
    let options = UpscaleOptions { scale: args.scale, strength: args.strength, tile: model.native_size };
    let mut upscale = Upscale::new(&opened.picture, request.clone(), options)
        .map_err(|e| Failure::input("The picture cannot be enlarged", e, "Nothing was painted or written."))?;
    upscale.next().map_or(Ok(()), |tile| check(&tile, &model))?;
    let out = paths::picture(args.out, &request)?;

    let mut painter = Painter::start(&catalog, device.engine_options())?;
    let progress = Progress::new(upscale.tiles());
    while let Some(tile) = upscale.next() {
        let finished = painter.paint(&tile, &mut |event| progress.show(event, upscale.done()))?;
        upscale.accept(&finished.picture);
    }
    progress.0.finish_and_clear();
    let picture = upscale.picture();
    let hashes = LoraHashes::new(catalog);
    save(&out, &picture, &request, None, &|source| hashes.of(source))?;
    out::line(&out.display().to_string())?;
    let (tiles, width, height) = (upscale.tiles(), picture.width(), picture.height());
    out::note(&format!("{width}x{height} in {tiles} tiles with {}", model.name));
    Ok(())
}

impl UpscaleArgs {
    /// The settings of the picture, else those of the model asked for; and the model.
    fn request(&self, catalog: &Catalog, opened: &Opened) -> Result<(ModelInfo, Request), Failure> {
        let kept = opened.request.clone().filter(|_| self.model.model.is_none());
        let model = match &kept {
            Some(request) => catalog.inspect(&request.model)?,
            None => self.model.info(catalog)?,
        };
        let mut request = match kept {
            Some(request) => request,
            None => {
                let mut request = Request::new(&model, "");
                request.apply(&self.model.recipe(catalog, &model, None)?);
                request
            }
        };
        match (&self.prompt, &opened.request) {
            (Some(prompt), _) => {
                request = spoken(&Request { prompt: prompt.clone(), typed: None, ..request }, catalog, &model);
            }
            (None, Some(own)) => request.prompt.clone_from(&own.prompt),
            (None, None) => {}
        }
        let vae = request.vae.take();
        self.model.put_into(&mut request, catalog)?;
        request.vae = request.vae.or(vae);
        Ok((model, request))
    }
}

/// A progress bar with the time left on a terminal; nothing anywhere else.
struct Progress(ProgressBar);

/// Parts of a tile that the bar shows.
const PARTS: u64 = 100;

impl Progress {
    fn new(tiles: usize) -> Self {
        let bar = ProgressBar::new(tiles as u64 * PARTS);
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:32} {percent:>3} %, {eta} left") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn show(&self, event: &Event, done: usize) {
        let fraction = match event {
            Event::Loading { what, .. } => {
                self.0.set_message(format!("loading {what}"));
                return;
            }
            Event::Step { step, steps, .. } => f64::from(*step) / f64::from(*steps),
            Event::Started { .. } => {
                self.0.set_message(format!("tile {} of {}", done + 1, self.0.length().unwrap_or(0) / PARTS));
                0.0
            }
            _ => return,
        };
        self.0.set_position(((done as f64 + fraction) * PARTS as f64) as u64);
    }
}
