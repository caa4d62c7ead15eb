//! The settings that come back at the next start: one JSON file in the person's config folder.

use fourstep_protocol::Failure;
use fourstep_session::Settings;
use fourstep_ui::SettingsStore;
use std::{io::Write, path::PathBuf};

/// Writes to `settings.json` in the config folder.
pub(crate) struct Store;

impl SettingsStore for Store {
    fn save(&self, settings: &Settings) -> Result<(), Failure> {
        let Some(path) = path() else { return Ok(()) };
        write(&path, settings).map_err(|e| {
            let what = "The settings could not be kept for the next start";
            Failure::machine(what, format!("{}: {e}", path.display()), "Check that the folder may be written to.")
        })
    }
}

/// What was saved; `None` at the first start, and where the file cannot be read: then it is kept beside the new one.
pub(crate) fn load() -> Option<Settings> {
    let path = path()?;
    let text = std::fs::read(&path).ok()?;
    match serde_json::from_slice(&text) {
        Ok(settings) => Some(settings),
        Err(e) => {
            log::warn!("{} is not read and kept as settings.json.bad: {e}", path.display());
            let _ = std::fs::rename(&path, path.with_extension("json.bad"));
            None
        }
    }
}

fn path() -> Option<PathBuf> {
    Some(fourstep_catalog::config_dir()?.join("settings.json"))
}

/// Whole or not at all: a crash in the middle leaves the old file.
fn write(path: &std::path::Path, settings: &Settings) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("json.new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(&serde_json::to_vec_pretty(settings)?)?;
    file.sync_all()?;
    std::fs::rename(new, path)
}
