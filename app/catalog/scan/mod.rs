//! What lies about on this machine: other programs' folders and the Hugging Face cache, read where they are.

mod extra_paths;
pub(crate) mod look;
pub(crate) mod roots;
pub(crate) mod walk;

use crate::{
    Catalog,
    catalog::NO_MODEL,
    entry::{Entry, HubSource, Source},
    hub_cache,
    inspect::path_name,
    items::size_on_disk,
    needs::hub,
};
use fourstep_protocol::{Availability, Failure, Family, ItemKind, LibraryItem, LoraInfo, ModelInfo, ModelRef, Origin};
use roots::{Holds, Root};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a list of few-step LoRAs is good for: describing many models one after the other looks once.
const FRESH: Duration = Duration::from_secs(5);

/// What a found file or folder turned out to be.
enum Found {
    Model(Box<ModelInfo>),
    Lora(Box<LoraInfo>),
    Other(ItemKind),
}

impl Catalog {
    /// Models, LoRAs and autoencoders found on this machine that are not listed: in the person's folders, in those of
    /// `ComfyUI` and AUTOMATIC1111, and in the Hugging Face cache. What cannot be used is there with the reason. Reads
    /// headers only, and those of unchanged files once.
    pub fn scan(&self) -> Vec<LibraryItem> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let listed = |entry: &Entry| match entry.source() {
            Source::Path(path) => Some(real(path)),
            Source::Embedded(_) | Source::Hub(_) => None,
        };
        let mut seen: HashSet<PathBuf> = self.entries().iter().filter_map(listed).collect();
        let mut items = Vec::new();
        for root in self.roots() {
            for folder in &root.folders {
                for path in walk::candidates(&folder.path) {
                    if seen.insert(real(&path)) {
                        items.extend(self.found(&path, folder.holds, &root.origin));
                    }
                }
            }
        }
        items.extend(self.cached());
        items
    }

    /// A LoRA found on this machine that teaches this family to paint in few steps, told by its header. Only files
    /// whose path says `lcm` are opened: people have thousands.
    pub(crate) fn found_lcm_lora(&self, family: Family) -> Option<PathBuf> {
        let known = self.shared.kept.few_step(FRESH, || {
            let folders = self.roots().into_iter().flat_map(|root| root.folders);
            let loras = folders.filter(|folder| folder.holds != Holds::Only(ItemKind::Model));
            let paths = loras.flat_map(|folder| walk::candidates(&folder.path));
            let named = paths.filter(|path| path.to_string_lossy().to_ascii_lowercase().contains("lcm"));
            named.filter_map(|path| Some((self.lora_info(&path).ok()?, path))).collect()
        });
        known.into_iter().find(|(info, _)| info.few_step && info.family == Some(family)).map(|(_, path)| path)
    }

    /// What a LoRA file is.
    ///
    /// # Errors
    /// An input failure where it is none, or is damaged.
    pub fn lora_info(&self, path: &Path) -> Result<LoraInfo, Failure> {
        self.shared.kept.lora(path)
    }

    fn roots(&self) -> Vec<Root> {
        let own = self.own(|own| own.folders.clone());
        roots::all(&own, &self.shared.places.homes)
    }

    /// What a file or folder is, as a person sees it; `None` where it is nothing to paint with, such as an embedding.
    fn found(&self, path: &Path, holds: Holds, origin: &Origin) -> Option<LibraryItem> {
        let id = path.to_string_lossy().into_owned();
        let found = match holds {
            Holds::Only(kind) => self.look_as(kind, path),
            Holds::Anything => match self.look_as(ItemKind::Model, path) {
                Ok(found) => Ok(found),
                Err(no_model) => [ItemKind::Lora, ItemKind::Vae]
                    .into_iter()
                    .find_map(|kind| self.look_as(kind, path).ok())
                    .ok_or(no_model),
            },
        };
        let kind = match (&found, holds) {
            (Ok(Found::Model(_)), _) | (Err(_), Holds::Anything) => ItemKind::Model,
            (Ok(Found::Lora(_)), _) => ItemKind::Lora,
            (Ok(Found::Other(kind)), _) => *kind,
            (Err(_), Holds::Only(kind)) => kind,
        };
        let (model, lora, availability) = match found {
            Ok(Found::Model(info)) => (Some(*info), None, Availability::Ready),
            Ok(Found::Lora(info)) => (None, Some(*info), Availability::Ready),
            Ok(Found::Other(_)) => (None, None, Availability::Ready),
            Err(failure) => (None, None, Availability::Unusable(failure)),
        };
        let bytes = size_on_disk(path);
        Some(LibraryItem {
            name: match (&model, &lora) {
                (Some(info), _) => info.name.clone(),
                (_, Some(info)) => info.name.clone(),
                _ => path_name(path),
            },
            kind,
            family: model.as_ref().map(|m| m.family).or(lora.as_ref().and_then(|l| l.family)),
            detail: detail(model.as_ref(), lora.as_ref()),
            licence: None,
            size_bytes: (bytes > 0).then_some(bytes),
            origin: origin.clone(),
            availability,
            model,
            lora,
            id,
        })
    }

    fn look_as(&self, kind: ItemKind, path: &Path) -> Result<Found, Failure> {
        match kind {
            ItemKind::Model => {
                walk::refuse_pickle(NO_MODEL, path)?;
                let model = ModelRef::new(path.to_string_lossy());
                self.inspect(&model).map(|info| Found::Model(Box::new(info)))
            }
            ItemKind::Lora => self.lora_info(path).map(|info| Found::Lora(Box::new(info))),
            ItemKind::Vae | ItemKind::TinyDecoder => self.shared.kept.vae(path).map(Found::Other),
        }
    }

    /// Models and LoRAs that other programs put into the Hugging Face cache. Most repositories there are nothing to
    /// paint with, and are not mentioned.
    fn cached(&self) -> Vec<LibraryItem> {
        let Some(cache) = &self.shared.places.cache else { return Vec::new() };
        let mut items = Vec::new();
        for repo in hub_cache::repos(cache) {
            let listed: Vec<HubSource> =
                self.entries().iter().filter_map(hub).filter(|hub| hub.repo == repo).cloned().collect();
            let whole = |hub: &HubSource| hub_cache::complete(cache, hub).is_some();
            let Some(snapshot) = hub_cache::any_snapshot(cache, &repo) else { continue };
            if listed.iter().any(whole) {
                continue;
            }
            let origin = Origin::Cache { repo };
            for path in walk::candidates(&snapshot) {
                // Of a listed repository half a folder may be here, or other files than the listed ones.
                let is_model = path == snapshot && listed.is_empty();
                let holds = if is_model { Holds::Only(ItemKind::Model) } else { Holds::Anything };
                let item = self.found(&path, holds, &origin);
                items.extend(item.filter(|item| is_model || item.availability == Availability::Ready));
            }
        }
        items
    }
}

fn detail(model: Option<&ModelInfo>, lora: Option<&LoraInfo>) -> String {
    match (model, lora) {
        (Some(info), _) => info.detail.clone(),
        (_, Some(info)) if info.few_step => "LCM-LoRA".to_owned(),
        _ => String::new(),
    }
}
