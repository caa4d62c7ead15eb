use fourstep_canvas::Page;
use fourstep_protocol::Failure;
use fourstep_session::Settings;

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
