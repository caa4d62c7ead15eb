//! What of an entry is on the hub, and what it paints with besides.

use crate::{
    Catalog, HubFile,
    entry::{Entry, HubSource, Source},
};
use fourstep_protocol::{Failure, ItemKind};

impl Catalog {
    /// The files of an entry on the hub with everything it paints with: those of its base, its better autoencoder,
    /// the LoRAs of its live recipe and the tiny decoder of its family.
    ///
    /// # Errors
    /// An input failure where there is no such entry, or nothing of it is on the hub.
    pub fn files(&self, id: &str) -> Result<Vec<HubFile>, Failure> {
        const NOTHING: &str = "There is nothing to download";
        let Some(entry) = self.entry(id) else {
            let why = format!("`{id}` is not in the list");
            return Err(Failure::input(
                NOTHING,
                why,
                "See `fourstep models list`, or add it with `fourstep models add`.",
            ));
        };
        let mut files: Vec<HubFile> = Vec::new();
        let needed = self.needs(&entry);
        for source in std::iter::once(&entry).chain(&needed).filter_map(hub) {
            files.extend(source.files());
        }
        if files.is_empty() {
            let why = format!("`{id}` is part of the program or lies on this machine");
            return Err(Failure::input(NOTHING, why, "Use it as it is."));
        }
        Ok(files)
    }

    /// The entries that an entry needs or paints better with, without itself.
    fn needs(&self, entry: &Entry) -> Vec<Entry> {
        let Entry::Model(model) = entry else { return Vec::new() };
        let base = model.base.as_deref().and_then(|id| self.entry(id));
        let named = model.vae.as_deref().into_iter();
        let loras = model.live.iter().flat_map(|recipe| recipe.loras.iter().map(|lora| lora.source.as_str()));
        let others = named.chain(loras).filter_map(|id| self.entry(id));
        let decoders = model.family.map(|family| self.parts(ItemKind::TinyDecoder, family)).unwrap_or_default();
        let decoder = decoders.into_iter().next().map(|part| Entry::Part(ItemKind::TinyDecoder, part));
        base.into_iter().chain(others).chain(decoder).collect()
    }
}

/// What of an entry is on the hub.
pub(crate) fn hub(entry: &Entry) -> Option<&HubSource> {
    match entry.source() {
        Source::Hub(hub) => Some(hub),
        Source::Embedded(_) | Source::Path(_) => None,
    }
}
