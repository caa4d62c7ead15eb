use fourstep_protocol::{Failure, Finished, LibraryItem, Lost, ModelRef, Picture, Request};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
