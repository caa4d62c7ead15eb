//! Saving and opening, off the window's thread: a dialog may stay open for minutes, a disk may be slow.

use crate::i18n;
use crate::path_dialog::Wanted;
use crate::ports::{Choice, Dialogs, GridSheet, Known, OpenedPicture, PictureFiles, Sheet, Shot};
use crossbeam_channel::{Receiver, Sender, unbounded};
use fourstep_protocol::{Failure, Finished, Picture};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What came of it.
pub(crate) enum Outcome {
    /// The picture is there.
    Saved(PathBuf),
    /// The settings and the picture.
    Opened(PathBuf, Box<OpenedPicture>),
    /// A picture to paint over.
    Imported(PathBuf, Arc<Picture>),
    /// The file or folder to paint with.
    Model(PathBuf),
    /// The desktop has no dialogs, the window must ask itself.
    Ask(Wanted),
    /// What, why, what now.
    Failed(Failure),
}

/// Runs the work and collects what came of it.
pub(crate) struct Files {
    pictures: Arc<dyn PictureFiles>,
    dialogs: Arc<dyn Dialogs>,
    ctx: egui::Context,
    sender: Sender<Outcome>,
    receiver: Receiver<Outcome>,
    saving: Arc<Mutex<Option<Saving>>>,
}

/// How far something is that is being written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saving {
    /// 0 … 1.
    pub fraction: f32,
    /// Since it began.
    pub secs: f64,
}

impl Files {
    pub(crate) fn new(pictures: Arc<dyn PictureFiles>, dialogs: Arc<dyn Dialogs>, ctx: egui::Context) -> Self {
        let (sender, receiver) = unbounded();
        Self { pictures, dialogs, ctx, sender, receiver, saving: Arc::default() }
    }

    /// The next outcome, if there is one.
    pub(crate) fn try_outcome(&self) -> Option<Outcome> {
        self.receiver.try_recv().ok()
    }

    /// Asks where, and saves; without dialogs in the pictures folder.
    pub(crate) fn save(&self, finished: Finished, jpeg_quality: u8) {
        let of = finished.clone();
        self.save_as(of, "", move |pictures, path| pictures.save(path, &finished, jpeg_quality));
    }

    /// Asks where, and saves a recording; it is called as its last picture would be.
    pub(crate) fn save_recording(&self, last: Finished, shots: Vec<Shot>) {
        let saving = Arc::clone(&self.saving);
        let ctx = self.ctx.clone();
        self.work(move |pictures, dialogs| {
            let folder = pictures.default_dir()?;
            let name = pictures.suggested_name(&last);
            let name = format!("{}.gif", name.strip_suffix(".png").unwrap_or(&name));
            let path = match dialogs.save_recording(&folder, &name) {
                Choice::Path(path) if path.extension().is_none() => path.with_extension("gif"),
                Choice::Path(path) => path,
                Choice::NoDialogs => unused(&folder, &name),
                Choice::Cancelled => return Ok(None),
            };
            let began = Instant::now();
            let told = |fraction: Option<f32>| {
                let progress = fraction.map(|fraction| Saving { fraction, secs: began.elapsed().as_secs_f64() });
                *saving.lock().unwrap_or_else(PoisonError::into_inner) = progress;
                ctx.request_repaint();
            };
            told(Some(0.0));
            let saved =
                pictures.save_recording(&path, &shots, &mut |count| told(Some(count as f32 / shots.len() as f32)));
            told(None);
            saved.map(|()| Some(Outcome::Saved(path)))
        });
    }

    /// How far a recording is that is being written.
    pub(crate) fn saving(&self) -> Option<Saving> {
        *self.saving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for pictures that are compared; `kind` becomes part of the name.
    pub(crate) fn save_sheet(&self, of: Finished, kind: &'static str, sheet: Sheet) {
        self.save_as(of, kind, move |pictures, path| pictures.save_sheet(path, &sheet));
    }

    /// The same for a grid, with its times beside it.
    pub(crate) fn save_grid(&self, of: Finished, grid: GridSheet) {
        self.save_as(of, "-grid", move |pictures, path| pictures.save_grid(path, &grid));
    }

    fn save_as<F>(&self, of: Finished, kind: &'static str, write: F)
    where
        F: FnOnce(&dyn PictureFiles, &Path) -> Result<(), Failure> + Send + 'static,
    {
        self.work(move |pictures, dialogs| {
            let folder = pictures.default_dir()?;
            let name = pictures.suggested_name(&of);
            let name = name.strip_suffix(".png").map_or(name.clone(), |stem| format!("{stem}{kind}.png"));
            let path = match dialogs.save_picture(&folder, &name) {
                Choice::Path(path) => with_ending(path),
                Choice::NoDialogs => unused(&folder, &name),
                Choice::Cancelled => return Ok(None),
            };
            write(pictures, &path)?;
            Ok(Some(Outcome::Saved(path)))
        });
    }

    /// Asks which picture, and opens it.
    pub(crate) fn choose_picture(&self, known: Known) {
        self.work(move |pictures, dialogs| match dialogs.open_picture(&pictures.default_dir()?) {
            Choice::Path(path) => open(pictures, path, &known).map(Some),
            Choice::NoDialogs => Ok(Some(Outcome::Ask(Wanted::Picture))),
            Choice::Cancelled => Ok(None),
        });
    }

    /// Opens this picture.
    pub(crate) fn open_picture(&self, path: PathBuf, known: Known) {
        self.work(move |pictures, _| open(pictures, path, &known).map(Some));
    }

    /// Saves in the pictures folder without asking.
    pub(crate) fn keep(&self, finished: Finished, jpeg_quality: u8) {
        self.work(move |pictures, _| {
            let path = unused(&pictures.default_dir()?, &pictures.suggested_name(&finished));
            pictures.save(&path, &finished, jpeg_quality)?;
            Ok(Some(Outcome::Saved(path)))
        });
    }

    /// Asks which picture is to be painted over.
    pub(crate) fn choose_import(&self) {
        self.work(|pictures, dialogs| match dialogs.any_picture(&pictures.default_dir()?) {
            Choice::Path(path) => read(pictures, path).map(Some),
            Choice::NoDialogs => Ok(Some(Outcome::Ask(Wanted::Import))),
            Choice::Cancelled => Ok(None),
        });
    }

    /// Reads a picture to be painted over.
    pub(crate) fn import(&self, path: PathBuf) {
        self.work(move |pictures, _| read(pictures, path).map(Some));
    }

    /// Asks which folder holds a model.
    pub(crate) fn choose_model(&self) {
        self.work(|_, dialogs| Ok(to_look_at(dialogs.model_folder())));
    }

    /// Asks which file is a model, a LoRA or an autoencoder.
    pub(crate) fn choose_model_file(&self) {
        self.work(|_, dialogs| Ok(to_look_at(dialogs.model_file())));
    }

    fn work<F>(&self, job: F)
    where
        F: FnOnce(&dyn PictureFiles, &dyn Dialogs) -> Result<Option<Outcome>, Failure> + Send + 'static,
    {
        let (pictures, dialogs) = (Arc::clone(&self.pictures), Arc::clone(&self.dialogs));
        let (sender, ctx) = (self.sender.clone(), self.ctx.clone());
        let language = i18n::current();
        std::thread::spawn(move || {
            i18n::set(language);
            let outcome = job(&*pictures, &*dialogs).unwrap_or_else(|failure| Some(Outcome::Failed(failure)));
            if let Some(outcome) = outcome
                && sender.send(outcome).is_ok()
            {
                ctx.request_repaint();
            }
        });
    }
}

fn to_look_at(choice: Choice) -> Option<Outcome> {
    match choice {
        Choice::Path(path) => Some(Outcome::Model(path)),
        Choice::NoDialogs => Some(Outcome::Ask(Wanted::Model)),
        Choice::Cancelled => None,
    }
}

fn open(pictures: &dyn PictureFiles, path: PathBuf, known: &Known) -> Result<Outcome, Failure> {
    let opened = pictures.open(&path, known)?;
    Ok(Outcome::Opened(path, Box::new(opened)))
}

fn read(pictures: &dyn PictureFiles, path: PathBuf) -> Result<Outcome, Failure> {
    let picture = pictures.read(&path)?;
    Ok(Outcome::Imported(path, picture))
}

/// Some dialogs do not add the ending.
fn with_ending(path: PathBuf) -> PathBuf {
    if path.extension().is_some() { path } else { path.with_extension("png") }
}

/// A name in `folder` that is not taken: nothing is overwritten without having been asked.
fn unused(folder: &Path, name: &str) -> PathBuf {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "png"));
    let numbered = (2..).map(|n| folder.join(format!("{stem}-{n}.{ending}")));
    let mut names = std::iter::once(folder.join(name)).chain(numbered);
    names.find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}
