//! What the window needs of rooms that it may not know.

mod dialogs;
mod kept;
mod library;
mod pictures;
mod previews;

pub use dialogs::{Choice, Dialogs, SystemDialogs};
pub use kept::{KeptPage, LogEntry, Logs, PageStore, SettingsStore};
pub use library::{Library, Seen, WildcardFiles};
pub use pictures::{GridSheet, Known, OpenedPicture, PictureFiles, Sheet, SheetPanel, Shot};
pub use previews::{PreviewImage, PreviewJob, PreviewPicture, Previews};

use crate::devices::Devices;
use crate::keeping::{Gallery, Timeline};
use fourstep_protocol::Client;
use fourstep_session::Moment;
use std::sync::Arc;

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
