//! The list as a person sees it: what there is, what of it is here, what it is.

use crate::{
    Catalog, embedded,
    entry::{Entry, HubSource, ModelEntry, PartEntry, Source},
    hub_cache,
    needs::hub,
};
use fourstep_protocol::{Availability, Failure, ItemKind, LibraryItem, LoraInfo, ModelRef, Origin};
use std::path::Path;

impl Catalog {
    /// Every listed model, LoRA, autoencoder and tiny decoder, the program's own first, with what of it is here.
    /// Headers of those that are here are read.
    pub fn items(&self) -> Vec<LibraryItem> {
        self.entries().iter().map(|entry| self.item(entry)).collect()
    }

    /// An entry as a person sees it.
    pub(crate) fn item(&self, entry: &Entry) -> LibraryItem {
        let item = match entry {
            Entry::Model(model) => self.model_item(model),
            Entry::Part(kind, part) => self.part_item(*kind, part),
        };
        match (&item.availability, entry.source()) {
            (Availability::Unusable(_), Source::Hub(_)) => {
                let availability = self.absent(entry).unwrap_or(item.availability);
                LibraryItem { availability, ..item }
            }
            _ => item,
        }
    }

    fn model_item(&self, entry: &ModelEntry) -> LibraryItem {
        let inspected = self.inspect(&ModelRef::new(&entry.id));
        let (model, availability) = match inspected {
            Ok(info) => (Some(info), Availability::Ready),
            Err(failure) => (None, Availability::Unusable(failure)),
        };
        LibraryItem {
            id: entry.id.clone(),
            name: entry.name.clone(),
            kind: ItemKind::Model,
            family: model.as_ref().map(|info| info.family).or(entry.family),
            detail: model.as_ref().map_or_else(|| entry.detail.clone(), |info| info.detail.clone()),
            licence: licence(entry.licence.as_deref(), entry.gated, &entry.source),
            size_bytes: self.size_bytes(&Entry::Model(entry.clone())),
            origin: origin(&entry.source),
            availability,
            model,
            lora: None,
        }
    }

    fn part_item(&self, kind: ItemKind, part: &PartEntry) -> LibraryItem {
        let (lora, availability) = match self.open_part(kind, part) {
            Ok(lora) => (lora, Availability::Ready),
            Err(failure) => (None, Availability::Unusable(failure)),
        };
        LibraryItem {
            id: part.id.clone(),
            name: part.name.clone(),
            kind,
            family: lora.as_ref().and_then(|info| info.family).or(part.families.first().copied()),
            detail: part.detail.clone(),
            licence: licence(part.licence.as_deref(), part.gated, &part.source),
            size_bytes: self.size_bytes(&Entry::Part(kind, part.clone())),
            origin: origin(&part.source),
            availability,
            model: None,
            lora,
        }
    }

    fn open_part(&self, kind: ItemKind, part: &PartEntry) -> Result<Option<LoraInfo>, Failure> {
        if kind != ItemKind::Lora {
            return self.locate_vae(&part.id).map(|_| None);
        }
        self.lora(&part.id).map(Some)
    }

    /// [`Availability::Absent`] where files of the entry or of its base are missing.
    fn absent(&self, entry: &Entry) -> Option<Availability> {
        let cache = self.shared.places.cache.as_deref();
        let sources = self.own_sources(entry);
        let missing = sources.iter().any(|hub| cache.is_none_or(|cache| hub_cache::complete(cache, hub).is_none()));
        let have = |cache| sources.iter().map(|hub| hub_cache::have_bytes(cache, hub)).sum();
        missing.then(|| Availability::Absent { have_bytes: cache.map_or(0, have) })
    }

    /// Bytes of an entry and of its base; `None` where that is not known.
    fn size_bytes(&self, entry: &Entry) -> Option<u64> {
        let bytes = match entry.source() {
            Source::Embedded(name) => embedded::size_bytes(name),
            Source::Path(path) => size_on_disk(path),
            Source::Hub(_) => self.own_sources(entry).iter().map(HubSource::size_bytes).sum(),
        };
        (bytes > 0).then_some(bytes)
    }

    /// What of an entry and its base is on the hub.
    fn own_sources(&self, entry: &Entry) -> Vec<HubSource> {
        let base = match entry {
            Entry::Model(ModelEntry { base: Some(base), .. }) => self.entry(base),
            _ => None,
        };
        [Some(entry.clone()), base].iter().flatten().filter_map(hub).cloned().collect()
    }
}

fn origin(source: &Source) -> Origin {
    match source {
        Source::Embedded(_) => Origin::BuiltIn,
        Source::Hub(hub) => Origin::Hub { repo: hub.repo.clone() },
        Source::Path(path) => Origin::Path(path.clone()),
    }
}

/// With what is to be done first where the hub asks for it: a download that ends in a refusal is a late place to say so.
fn licence(licence: Option<&str>, gated: bool, source: &Source) -> Option<String> {
    match source {
        Source::Hub(HubSource { repo, .. }) if gated => {
            Some(format!("{}, to be accepted at https://huggingface.co/{repo}", licence.unwrap_or("its own")))
        }
        _ => licence.map(str::to_owned),
    }
}

/// A file's size, or that of the safetensors files in a diffusers folder; 0 where it cannot be told.
pub(crate) fn size_on_disk(path: &Path) -> u64 {
    if path.is_dir() {
        let parts = ["unet", "vae", "text_encoder", "text_encoder_2", ""].map(|part| path.join(part));
        let files = parts.iter().filter_map(|part| std::fs::read_dir(part).ok()).flatten().flatten();
        return files.map(|entry| entry.path()).filter(|p| crate::catalog::is_safetensors(p)).map(|p| len(&p)).sum();
    }
    len(path)
}

fn len(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
