//! The settings that come back at the next start: one JSON file in the person's config folder.

use fourstep_gallery::write_atomically;
use fourstep_protocol::Failure;
use fourstep_session::Settings;
use fourstep_ui::SettingsStore;
use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
};

/// Writes to `settings.json` in the config folder.
pub(crate) struct Store;

impl SettingsStore for Store {
    fn save(&self, settings: &Settings) -> Result<(), Failure> {
        let Some(path) = path() else { return Ok(()) };
        let failed = |why: &dyn Display| {
            let what = "The settings could not be kept for the next start";
            Failure::machine(what, why, format!("Check that {} may be written.", path.display()))
        };
        let json = serde_json::to_vec_pretty(settings).map_err(|e| failed(&e))?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        }
        write_atomically(&path, |file| file.write_all(&json)).map_err(|e| failed(&e.why))
    }
}

/// What was saved; `None` at the first start, and where the file cannot be read: then it is kept beside the new one.
pub(crate) fn load() -> Option<Settings> {
    let path = path()?;
    read(&path)
}

fn read(path: &Path) -> Option<Settings> {
    let text = match std::fs::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
        text => text,
    };
    let why = match text.map(|text| serde_json::from_slice(&text)) {
        Ok(Ok(settings)) => return Some(settings),
        Ok(Err(e)) => e.to_string(),
        Err(e) => e.to_string(),
    };
    log::warn!("{} cannot be read and is kept as settings.json.bad: {why}", path.display());
    if let Err(e) = std::fs::rename(path, path.with_extension("json.bad")) {
        log::warn!("{} could not be kept: {e}", path.display());
    }
    None
}

fn path() -> Option<PathBuf> {
    Some(fourstep_catalog::config_dir()?.join("settings.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_catalog::Catalog;
    use fourstep_session::Session;

    #[test]
    fn settings_that_cannot_be_read_are_kept_beside_and_numbers_out_of_range_are_fitted() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (path, bad) = (folder.path().join("settings.json"), folder.path().join("settings.json.bad"));
        let models = Catalog::builtin().models();
        let good = serde_json::to_string(&Settings::sample(&models)).expect("JSON");
        assert_eq!(read(&path), None);
        assert!(!bad.exists());
        for (from, to) in [("\"guidance_scale\":1.0", "\"guidance_scale\":null"), ("\"lcm\"", "\"warp\""), ("{", "")] {
            let damaged = good.replacen(from, to, 1);
            assert_ne!(damaged, good);
            std::fs::write(&path, &damaged).expect("writes");
            assert_eq!(read(&path), None);
            assert_eq!(std::fs::read_to_string(&bad).expect("kept"), damaged);
        }
        // Larger than any f32, so it is read as infinity.
        std::fs::write(&path, good.replace("\"guidance_scale\":1.0", "\"guidance_scale\":1e39")).expect("writes");
        let session = Session::new(models, read(&path).expect("numbers"));
        assert_eq!(session.request().validate(session.model()), Ok(()));
    }
}
