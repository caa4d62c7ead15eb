//! The contents of LoRAs as infotext names them, each file read once.

use fourstep_catalog::{Catalog, LoraLocation};
use fourstep_gallery::{lora_hash, lora_hash_of};
use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

/// Finds LoRAs through the catalog. A file that was written again is read again.
pub(crate) struct LoraHashes {
    catalog: Catalog,
    known: Mutex<HashMap<Stamp, Option<String>>>,
}

/// Which file, in which state; without a time for one in the program.
type Stamp = (PathBuf, Option<SystemTime>);

impl LoraHashes {
    pub(crate) fn new(catalog: Catalog) -> Self {
        Self { catalog, known: Mutex::default() }
    }

    /// 64 hexadecimal digits; `None` where there is no such file. May take seconds for a large one.
    pub(crate) fn of(&self, source: &str) -> Option<String> {
        let location = self.catalog.locate_lora(source).ok()?;
        let stamp = match &location {
            LoraLocation::File(path) => (path.clone(), fs::metadata(path).and_then(|m| m.modified()).ok()),
            LoraLocation::Embedded(_) => (PathBuf::from(source), None),
        };
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hash) = known().get(&stamp) {
            return hash.clone();
        }
        let hash = match location {
            LoraLocation::File(path) => lora_hash(&path),
            LoraLocation::Embedded(bytes) => lora_hash_of(bytes),
        };
        let hash = hash.inspect_err(|e| log::warn!("{source} cannot be told apart from others: {e}")).ok();
        known().insert(stamp, hash.clone());
        hash
    }
}
