use crate::devices::Devices;
use crate::i18n::tr;
use crate::keeping::{Gallery, Timeline};
use fourstep_canvas::Page;
use fourstep_prompt::Wildcards;
use fourstep_protocol::{Client, Failure, Finished, Latents, LibraryItem, Lost, ModelRef, Picture, Request, RunId};
use fourstep_session::{Moment, PreviewPlace, Settings, Step};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the window needs of the outside; filled by the program, and by doubles in tests.
pub struct Ports {
    /// The near end of the engine. It wakes the window when it has an event.
    pub client: Box<dyn Client>,
    /// Turns latents into pictures while a run goes on.
    pub previews: Box<dyn Previews>,
    /// Reads and writes picture files.
    pub pictures: Arc<dyn PictureFiles>,
    /// Keeps the settings for the next start.
    pub settings: Box<dyn SettingsStore>,
    /// Keeps the canvas for the next start.
    pub pages: Box<dyn PageStore>,
    /// What is here to paint with, and what can be downloaded.
    pub library: Box<dyn Library>,
    /// What there is to compute on.
    pub devices: Box<dyn Devices>,
    /// The lists that wildcards of prompts choose from.
    pub wildcards: Box<dyn WildcardFiles>,
    /// Every finished frame.
    pub timeline: Box<dyn Timeline>,
    /// The saved pictures.
    pub gallery: Box<dyn Gallery>,
    /// What the program has noted.
    pub logs: Box<dyn Logs>,
    /// The file dialogs of the desktop.
    pub dialogs: Arc<dyn Dialogs>,
    /// A seed that was not there before.
    pub random_seed: Box<dyn FnMut() -> u64>,
    /// Time since the program started; never goes back.
    pub clock: Box<dyn Fn() -> Moment>,
}

/// Decodes a run's latents with a small decoder, within its own budget of time.
pub trait Previews {
    /// Gets this model's decoder ready, so that its first preview does not wait for it.
    fn prepare(&self, model: &ModelRef);

    /// Offers the latents of a step; may be left undone where decoding would slow the run down.
    fn offer(&self, job: PreviewJob);

    /// Asks for these as well, at full size and none left out, when there is nothing newer to decode. What was asked for
    /// before is forgotten.
    fn develop(&self, jobs: Vec<PreviewJob>);

    /// The newest preview that was not handed out yet. Wakes the window when there is one.
    fn newest(&self) -> Option<PreviewPicture>;

    /// Does a slice of what the card that draws the window has to compute; whether there is more. Called once in a frame.
    fn take_turn(&self) -> bool {
        false
    }

    /// The picture of this run is there: its previews are of no use any more.
    fn finish(&self, run: RunId);
}

/// The latents of a step, to be made into a picture.
#[derive(Clone, Debug)]
pub struct PreviewJob {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// Decides the decoder.
    pub model: ModelRef,
    /// `[1, c, h, w]`.
    pub denoised: Arc<Latents>,
    /// What a step takes now, to measure the budget by; 0 where it is not known yet.
    pub step_secs: f64,
    /// What decodes it; what is to be read and not only drawn comes from the processor.
    pub place: PreviewPlace,
}

impl PreviewJob {
    /// What a step looks like, where nothing is known of how long it took.
    pub fn of(step: &Step) -> Self {
        let Step { run, step, denoised, model, .. } = step.clone();
        Self { run, step, model, denoised, step_secs: 0.0, place: PreviewPlace::Processor }
    }
}

/// A decoded preview; may be smaller than the picture.
#[derive(Clone, Debug)]
pub struct PreviewPicture {
    /// Which run.
    pub run: RunId,
    /// 1 … steps.
    pub step: u32,
    /// What it looks like.
    pub image: PreviewImage,
}

/// A preview where it lies.
#[derive(Clone, Debug)]
pub enum PreviewImage {
    /// In memory.
    Picture(Arc<Picture>),
    /// On the card that the window draws with.
    Texture(wgpu::Texture),
}

/// What is here to paint with and what can be downloaded; looks and downloads on threads of its own.
pub trait Library {
    /// The newest list: the same `Arc` until something changes, which wakes the window. The order of what was there
    /// stays, so that no row moves away under the pointer.
    fn items(&self) -> Arc<Vec<LibraryItem>>;

    /// Looks through all folders again.
    fn refresh(&self);

    /// Whether folders are being looked through.
    fn is_looking(&self) -> bool;

    /// Downloads what is not here; what arrived before is kept. How far it is stands in [`items`](Self::items).
    fn download(&self, id: &str);

    /// Ends a download; what arrived is kept.
    fn cancel(&self, id: &str);

    /// Asks what lies at a path that the person dropped or named; the answer comes from [`seen`](Self::seen).
    fn look_at(&self, path: PathBuf);

    /// The next answer, in the order of the questions. What it names is in [`items`](Self::items) by then.
    fn seen(&self) -> Option<Seen>;
}

/// The person's lists of words, from files; read on a thread of its own.
pub trait WildcardFiles {
    /// The newest lists: the same `Arc` until something changes, which wakes the window.
    fn newest(&self) -> Arc<Wildcards>;

    /// Looks whether the files have changed.
    fn refresh(&self);
}

/// What lies at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Something to paint with.
    Item(Box<LibraryItem>),
    /// A folder of models, for example of `ComfyUI`, which belongs to the library from now on.
    Folder {
        /// Which.
        path: PathBuf,
        /// Models in it.
        models: usize,
        /// LoRAs in it.
        loras: usize,
    },
    /// Nothing to paint with: what it is, and what to do instead.
    Failed(Failure),
}

/// Reads and writes picture files; called off the window's thread.
pub trait PictureFiles: Send + Sync {
    /// Writes a picture with its settings, as the ending of its name says: PNG, WebP or JPEG in a quality of 1 … 100;
    /// never leaves half a file.
    ///
    /// # Errors
    /// Where the file cannot be written.
    fn save(&self, path: &Path, finished: &Finished, jpeg_quality: u8) -> Result<(), Failure>;

    /// Writes pictures one after another, as a GIF or an animated PNG; `progress` hears how many are written.
    ///
    /// # Errors
    /// Where there is no picture, or the file cannot be written.
    fn save_recording(&self, path: &Path, shots: &[Shot], progress: &mut dyn FnMut(usize)) -> Result<(), Failure>;

    /// Writes pictures side by side with their captions, and the settings of the first.
    ///
    /// # Errors
    /// Where the sheet would be too large, or the file cannot be written.
    fn save_sheet(&self, path: &Path, sheet: &Sheet) -> Result<(), Failure>;

    /// Writes a grid with its labels, and beside it the times as a table with the ending `.csv`.
    ///
    /// # Errors
    /// Where the page would be too large, or a file cannot be written.
    fn save_grid(&self, path: &Path, grid: &GridSheet) -> Result<(), Failure>;

    /// Reads a picture and the settings saved in it, by this program or another.
    ///
    /// # Errors
    /// Where the file cannot be read or carries no settings.
    fn open(&self, path: &Path, known: &Known) -> Result<OpenedPicture, Failure>;

    /// Reads a picture, whatever it carries.
    ///
    /// # Errors
    /// Where the file cannot be read or is none.
    fn read(&self, path: &Path) -> Result<Arc<Picture>, Failure>;

    /// Where pictures go when nobody chose; made on demand.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    fn default_dir(&self) -> Result<PathBuf, Failure>;

    /// A file name that tells what is in the picture: `a-red-apple-7.png`.
    fn suggested_name(&self, finished: &Finished) -> String;
}

/// Pictures to be compared on one page.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What they have in common.
    pub heading: String,
    /// From left to right.
    pub panels: Vec<SheetPanel>,
    /// The settings that are saved with it.
    pub request: Arc<Request>,
}

/// A picture of a [`Sheet`] and what stands under it.
#[derive(Clone, Debug, PartialEq)]
pub struct SheetPanel {
    /// The picture.
    pub picture: Arc<Picture>,
    /// What it is: `LCM, 4 steps`.
    pub title: String,
    /// More about it, a line each.
    pub lines: Vec<String>,
}

/// A picture of a recording.
#[derive(Clone, Debug)]
pub struct Shot {
    /// What was painted.
    pub picture: Arc<Picture>,
    /// How long it stays, in milliseconds.
    pub stays_ms: u32,
}

/// A grid as it is saved.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSheet {
    /// What the pictures have in common.
    pub heading: String,
    /// Above the columns.
    pub columns: Vec<String>,
    /// Beside the rows.
    pub rows: Vec<String>,
    /// Row by row.
    pub cells: Vec<Option<Arc<Picture>>>,
    /// The settings and times of all, as comma-separated values.
    pub times: String,
    /// The settings that are saved with it.
    pub request: Arc<Request>,
}

/// What there is to paint with, for settings that name it.
#[derive(Clone, Debug)]
pub struct Known {
    /// What a picture does not say stays as it is here.
    pub request: Request,
    /// Models that can be used.
    pub models: Vec<ModelRef>,
    /// What is here and what can be downloaded.
    pub items: Arc<Vec<LibraryItem>>,
}

/// A picture file that was opened.
#[derive(Clone, Debug)]
pub struct OpenedPicture {
    /// The settings saved in it.
    pub request: Request,
    /// What it looks like.
    pub picture: Arc<Picture>,
    /// What could not be brought back.
    pub lost: Vec<Lost>,
}

/// Keeps the settings for the next start.
pub trait SettingsStore {
    /// Called some moments after they changed and at the end.
    ///
    /// # Errors
    /// Where they cannot be written.
    fn save(&self, settings: &Settings) -> Result<(), Failure>;
}

/// Keeps the canvas's page for the next start.
pub trait PageStore {
    /// Called some moments after it changed and at the end; writes on a thread of its own.
    fn keep(&self, page: KeptPage);

    /// What was kept at the last start; `None` where there is nothing that can be read.
    fn kept(&self) -> Option<KeptPage>;
}

/// A page of the canvas, and how it is painted over.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPage {
    /// Its layers.
    pub page: Page,
    /// How much of it is repainted.
    pub strength: f32,
    /// Repainted around the mask too.
    pub grow_px: u32,
    /// Over so many px the mask fades.
    pub feather_px: u32,
}

/// What the program has noted, the newest thousand or so.
pub trait Logs {
    /// Larger whenever something was noted.
    fn count(&self) -> u64;

    /// What is kept, the oldest first.
    fn entries(&self) -> Vec<LogEntry>;
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Milliseconds since the program started.
    pub at_ms: u64,
    /// How bad it is.
    pub level: log::Level,
    /// The room that noted it.
    pub target: String,
    /// What it says.
    pub text: String,
}

/// What came out of a file dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The person chose this.
    Path(PathBuf),
    /// The person thought better of it.
    Cancelled,
    /// This desktop has no dialogs.
    NoDialogs,
}

/// The file dialogs of the desktop; each call blocks and is made off the window's thread.
pub trait Dialogs: Send + Sync {
    /// Where to save a picture.
    fn save_picture(&self, folder: &Path, name: &str) -> Choice;
    /// Where to save a recording.
    fn save_recording(&self, folder: &Path, name: &str) -> Choice;
    /// Which picture to open.
    fn open_picture(&self, folder: &Path) -> Choice;
    /// Which picture to paint over, of any kind.
    fn any_picture(&self, folder: &Path) -> Choice;
    /// Which folder holds a model.
    fn model_folder(&self) -> Choice;
    /// Which `.safetensors` file to open: a model, a LoRA or an autoencoder.
    fn model_file(&self) -> Choice;
}

/// The native dialogs.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDialogs;

impl Dialogs for SystemDialogs {
    fn save_picture(&self, folder: &Path, name: &str) -> Choice {
        ask(|d| {
            d.set_title(tr("dialog-save"))
                .set_directory(folder)
                .set_file_name(name)
                .add_filter("PNG", &["png"])
                .add_filter("WebP", &["webp"])
                .add_filter("JPEG", &["jpg", "jpeg"])
                .save_file()
        })
    }

    fn save_recording(&self, folder: &Path, name: &str) -> Choice {
        ask(|d| {
            d.set_title(tr("dialog-recording"))
                .set_directory(folder)
                .set_file_name(name)
                .add_filter("GIF", &["gif"])
                .add_filter("PNG", &["png"])
                .save_file()
        })
    }

    fn open_picture(&self, folder: &Path) -> Choice {
        let endings = ["png", "webp", "jpg", "jpeg"];
        ask(|d| {
            d.set_title(tr("dialog-open")).set_directory(folder).add_filter(tr("dialog-pictures"), &endings).pick_file()
        })
    }

    fn any_picture(&self, folder: &Path) -> Choice {
        let endings = ["png", "jpg", "jpeg", "webp"];
        ask(|d| {
            d.set_title(tr("dialog-import")).set_directory(folder).add_filter("PNG, JPEG, WebP", &endings).pick_file()
        })
    }

    fn model_folder(&self) -> Choice {
        ask(|d| d.set_title(tr("dialog-model-folder")).pick_folder())
    }

    fn model_file(&self) -> Choice {
        let endings = ["safetensors", "sft"];
        ask(|d| d.set_title(tr("dialog-model-file")).add_filter("safetensors", &endings).pick_file())
    }
}

/// Nobody cancels a dialog this soon after asking for it: the desktop has none.
const SOONEST_CANCEL: Duration = Duration::from_millis(250);

fn ask(dialog: impl FnOnce(rfd::FileDialog) -> Option<PathBuf>) -> Choice {
    let asked = Instant::now();
    match dialog(rfd::FileDialog::new()) {
        Some(path) => Choice::Path(path),
        None if asked.elapsed() < SOONEST_CANCEL => Choice::NoDialogs,
        None => Choice::Cancelled,
    }
}
