//! LoRA files, each opened once.

use crate::fault::Result;
use fourstep_catalog::{Catalog, LoraLocation};
use fourstep_protocol::LoraRef;
use fourstep_weights::Lora;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// Files kept open, besides those of the run. They are memory maps: what is kept is the table of their contents.
const KEPT: usize = 16;

/// A LoRA of a run.
#[derive(Clone)]
pub(crate) struct AppliedLora {
    /// As the request names it.
    pub(crate) source: String,
    pub(crate) weight: f32,
    pub(crate) file: Arc<Lora>,
}

impl AppliedLora {
    /// Whether both are the same file, as it was when it was opened.
    pub(crate) fn same_file(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl PartialEq for AppliedLora {
    fn eq(&self, other: &Self) -> bool {
        self.same_file(other) && self.weight == other.weight && self.source == other.source
    }
}

/// LoRA files in use, the most recently used last.
#[derive(Default)]
pub(crate) struct LoraCache(Vec<(Stamp, Arc<Lora>)>);

/// Which file, in which state: a file that was written again is another one.
#[derive(Clone, PartialEq)]
enum Stamp {
    File { path: PathBuf, modified: Option<SystemTime>, bytes: u64 },
    Embedded(String),
}

impl Stamp {
    fn of_file(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        Self::File {
            path: path.into(),
            modified: metadata.as_ref().and_then(|metadata| metadata.modified().ok()),
            bytes: metadata.map_or(0, |metadata| metadata.len()),
        }
    }
}

impl LoraCache {
    /// The LoRAs of a request that have an effect, in its order.
    pub(crate) fn open(&mut self, catalog: &Catalog, loras: &[LoraRef]) -> Result<Vec<AppliedLora>> {
        let active = loras.iter().filter(|lora| lora.weight != 0.0);
        let open = |lora: &LoraRef| -> Result<_> {
            let file = self.one(catalog, &lora.source)?;
            Ok(AppliedLora { source: lora.source.clone(), weight: lora.weight, file })
        };
        let opened = active.map(open).collect::<Result<Vec<_>>>()?;
        let surplus = self.0.len().saturating_sub(KEPT.max(opened.len()));
        self.0.drain(..surplus);
        Ok(opened)
    }

    fn one(&mut self, catalog: &Catalog, source: &str) -> Result<Arc<Lora>> {
        let location = catalog.locate_lora(source)?;
        let stamp = match &location {
            LoraLocation::File(path) => Stamp::of_file(path),
            LoraLocation::Embedded(_) => Stamp::Embedded(source.to_owned()),
        };
        let entry = match self.0.iter().position(|(known, _)| *known == stamp) {
            Some(at) => self.0.remove(at),
            None => {
                let lora = match location {
                    LoraLocation::File(path) => Lora::open(&path)?,
                    LoraLocation::Embedded(bytes) => Lora::from_bytes(source, Arc::new(bytes))?,
                };
                (stamp, Arc::new(lora))
            }
        };
        let lora = entry.1.clone();
        self.0.push(entry);
        Ok(lora)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/lora").join(name)
    }

    #[test]
    fn a_file_is_opened_once_until_it_is_written_again() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("style.safetensors");
        std::fs::copy(golden("first.safetensors"), &path).expect("copied");
        let lora = |weight| LoraRef { source: path.to_string_lossy().into_owned(), weight };
        let (catalog, mut cache) = (Catalog::builtin(), LoraCache::default());
        let mut open = |loras: &[LoraRef]| cache.open(&catalog, loras).expect("opens");

        let twice = open(&[lora(1.0), lora(0.0), lora(0.5)]);
        assert_eq!(twice.len(), 2, "what has no effect is not opened");
        assert!(twice[0].same_file(&twice[1]) && twice[0] != twice[1]);
        assert!(open(&[lora(1.0)])[0] == twice[0]);

        std::fs::copy(golden("second.safetensors"), &path).expect("copied");
        assert!(!open(&[lora(1.0)])[0].same_file(&twice[0]));
    }
}
