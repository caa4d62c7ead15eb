use crate::i18n::tr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
