use crate::{
    Location, LoraLocation, Places, embedded,
    entry::{Entries, Entry, HubSource, ModelEntry, PartEntry, Source},
    hub_cache,
    own::Own,
    places::expand,
    scan::{
        look::{Kept, NO_LORA},
        walk::refuse_pickle,
    },
};
use fourstep_protocol::{Failure, Family, ItemKind, ModelInfo, ModelRef};
use fourstep_weights::{ModelSource, Storage};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// Every model, LoRA, autoencoder and tiny decoder that the program knows by name or finds on this machine.
///
/// Clones share what they know: an entry added through one is known to all.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) places: Places,
    pub(crate) builtin: Vec<Entry>,
    pub(crate) own: RwLock<Own>,
    pub(crate) kept: Kept,
}

pub(crate) const NO_MODEL: &str = "The model could not be opened";
const NO_VAE: &str = "The autoencoder could not be opened";

impl Catalog {
    /// What `models.toml` lists, with the files that lie in the Hugging Face cache.
    pub fn builtin() -> Self {
        Self::at(Places { cache: hub_cache::cache_dir(), ..Places::default() })
    }

    /// What `models.toml` and the person's own list say, and what lies in the usual places of this machine. See
    /// [`problems`](Self::problems) for what was wrong with the person's own files.
    pub fn load() -> Self {
        Self::at(Places::of_this_machine())
    }

    /// As [`load`](Self::load), with these places.
    pub fn at(places: Places) -> Self {
        let builtin: Entries = toml::from_str(include_str!("../../models.toml"))
            .expect("models.toml is part of the program, and the tests of this crate read it");
        let builtin: Vec<Entry> = builtin.into_all().collect();
        let own = Own::read(&places, &builtin);
        Self { shared: Arc::new(Shared { places, builtin, own: RwLock::new(own), kept: Kept::default() }) }
    }

    /// What is wrong with the person's own list and folders; the rest is known all the same.
    pub fn problems(&self) -> Vec<Failure> {
        self.own(|own| own.problems.clone())
    }

    /// The models in the program, which are always here; the first is what it starts with.
    pub fn models(&self) -> Vec<ModelInfo> {
        let embedded = |entry: &Entry| matches!(entry.source(), Source::Embedded(_));
        let ids = self.shared.builtin.iter().filter(|e| embedded(e)).filter_map(|entry| match entry {
            Entry::Model(model) => Some(ModelRef::new(&model.id)),
            Entry::Part(..) => None,
        });
        ids.filter_map(|id| self.inspect(&id).ok()).collect()
    }

    /// Where a model's files are. An id of the catalog comes before a folder or file of the same name; write `./NAME`
    /// for the latter.
    ///
    /// # Errors
    /// An input failure where there is no such model, or its files were not downloaded.
    pub fn locate(&self, model: &ModelRef) -> Result<Location, Failure> {
        match self.entry(model.as_str()) {
            Some(Entry::Model(entry)) => self.locate_entry(&entry),
            Some(Entry::Part(kind, part)) => Err(Failure::input(
                NO_MODEL,
                format!("`{}` is {}", part.id, a(kind)),
                "Give a model; LoRAs go with --lora and autoencoders with --vae.",
            )),
            None => self.by_path(model.as_str()).map(Location::of),
        }
    }

    /// Where a LoRA is: an id of the catalog, or the path of a file.
    ///
    /// # Errors
    /// An input failure where there is no such LoRA, it was not downloaded, or it is not a `.safetensors` file.
    pub fn locate_lora(&self, source: &str) -> Result<LoraLocation, Failure> {
        if let Some(part) = self.part(ItemKind::Lora, source) {
            if let Source::Embedded(name) = &part.source {
                return embedded::file(name).map(LoraLocation::Embedded).ok_or_else(|| not_embedded(NO_LORA, name));
            }
            return self.part_file(&part, NO_LORA).map(LoraLocation::File);
        }
        let path = expand(source);
        if path.is_file() {
            return safetensors(NO_LORA, path).map(LoraLocation::File);
        }
        let why = match path.is_dir() {
            true => format!("`{source}` is a folder"),
            false => format!("`{source}` is neither a LoRA of the catalog nor a file"),
        };
        Err(Failure::input(
            NO_LORA,
            why,
            format!("Give {}, or the path of a .safetensors file.", self.known(ItemKind::Lora)),
        ))
    }

    /// Where an autoencoder is: an id of the catalog, or the path of a file or of a folder in the diffusers layout.
    ///
    /// # Errors
    /// An input failure where there is no such autoencoder, or it was not downloaded.
    pub fn locate_vae(&self, source: &str) -> Result<PathBuf, Failure> {
        if let Some(part) = self.part(ItemKind::Vae, source).or_else(|| self.part(ItemKind::TinyDecoder, source)) {
            return self.part_file(&part, NO_VAE);
        }
        let path = expand(source);
        if path.is_dir() {
            return Ok(path);
        }
        if path.is_file() {
            return safetensors(NO_VAE, path);
        }
        let why = format!("`{source}` is neither an autoencoder of the catalog nor a file or folder");
        Err(Failure::input(
            NO_VAE,
            why,
            format!("Give {}, or the path of a .safetensors file.", self.known(ItemKind::Vae)),
        ))
    }

    /// A tiny decoder for previews of this model's latents, if one is on this machine.
    pub fn tiny_decoder(&self, model: &ModelInfo) -> Option<PathBuf> {
        let parts = self.parts(ItemKind::TinyDecoder, model.family);
        parts.iter().find_map(|part| self.part_file(part, NO_VAE).ok())
    }

    /// Every entry: the program's own, then the person's.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.own(|own| self.shared.builtin.iter().chain(&own.entries).cloned().collect())
    }

    pub(crate) fn entry(&self, id: &str) -> Option<Entry> {
        self.own(|own| self.shared.builtin.iter().chain(&own.entries).find(|entry| entry.id() == id).cloned())
    }

    pub(crate) fn own<T>(&self, read: impl FnOnce(&Own) -> T) -> T {
        read(&self.shared.own.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn part(&self, kind: ItemKind, id: &str) -> Option<PartEntry> {
        match self.entry(id)? {
            Entry::Part(k, part) if k == kind => Some(part),
            _ => None,
        }
    }

    /// Parts of a kind that fit a family, in the order of the list.
    pub(crate) fn parts(&self, kind: ItemKind, family: Family) -> Vec<PartEntry> {
        let fits = |entry| match entry {
            Entry::Part(k, part) if k == kind && part.families.contains(&family) => Some(part),
            _ => None,
        };
        self.entries().into_iter().filter_map(fits).collect()
    }

    fn locate_entry(&self, entry: &ModelEntry) -> Result<Location, Failure> {
        let own = match &entry.source {
            Source::Embedded(name) => {
                let files = embedded::folder(name).ok_or_else(|| not_embedded(NO_MODEL, name))?;
                return Ok(Location::of(ModelSource::Folder(Storage::Embedded(files))));
            }
            Source::Path(path) if entry.base.is_none() => {
                return self.by_path(&path.to_string_lossy()).map(Location::of);
            }
            Source::Path(path) => path.clone(),
            Source::Hub(hub) => self.downloaded(&entry.id, &entry.name, hub, NO_MODEL)?,
        };
        let vae = entry.vae.as_deref().and_then(|id| self.locate_vae(id).ok());
        match &entry.base {
            Some(base) => {
                let base = self.locate_base(entry, base)?;
                Ok(Location { unet: Some(own), vae: vae.or(base.vae), ..base })
            }
            None => Ok(Location { source: source(own), unet: None, vae }),
        }
    }

    /// The model whose U-Net an entry replaces. One that has a base itself is refused: it could lead back here.
    fn locate_base(&self, entry: &ModelEntry, base: &str) -> Result<Location, Failure> {
        if let Some(Entry::Model(ModelEntry { base: Some(_), .. })) = self.entry(base) {
            let why = format!("its base `{base}` is not a whole model but a U-Net for another one");
            let remedy = format!("Give `{}` a whole model as its base in your models.toml.", entry.id);
            return Err(Failure::input(NO_MODEL, why, remedy));
        }
        self.locate(&ModelRef::new(base))
    }

    /// The file or diffusers folder of an entry that is no model.
    pub(crate) fn part_file(&self, part: &PartEntry, what: &str) -> Result<PathBuf, Failure> {
        match &part.source {
            Source::Hub(hub) => self.downloaded(&part.id, &part.name, hub, what),
            Source::Path(path) if path.exists() => Ok(path.clone()),
            Source::Path(path) => {
                let why = format!("{} is not there any more", path.display());
                Err(Failure::input(what, why, "Bring it back, or remove its entry from your models.toml."))
            }
            Source::Embedded(name) => Err(not_embedded(what, name)),
        }
    }

    /// What was downloaded of a repository: its file where it is one, else the folder that holds all of them.
    fn downloaded(&self, id: &str, name: &str, hub: &HubSource, what: &str) -> Result<PathBuf, Failure> {
        let cache = self.shared.places.cache.as_deref();
        let folder = cache.and_then(|cache| hub_cache::complete(cache, hub));
        let Some(folder) = folder else {
            let why = format!("the files of {name} are not on this machine, or not all of them");
            return Err(Failure::input(what, why, format!("Download them: fourstep models download {id}")));
        };
        let mut files = hub.files.keys();
        match (files.next(), files.next()) {
            (Some(only), None) => Ok(hub_cache::in_folder(&folder, only).unwrap_or(folder)),
            _ => Ok(folder),
        }
    }

    /// The model that a path names: a folder in the diffusers layout, or a single file.
    fn by_path(&self, model: &str) -> Result<ModelSource, Failure> {
        const INDEX: &str = "model_index.json";
        let path = expand(model);
        if path.is_file() {
            return safetensors(NO_MODEL, path).map(ModelSource::File);
        }
        if path.join(INDEX).is_file() {
            return Ok(ModelSource::Folder(Storage::Directory(path)));
        }
        if path.is_dir() {
            return Err(Failure::input(
                NO_MODEL,
                format!("`{model}` has no {INDEX}"),
                "Choose the folder that holds model_index.json and the folders unet, vae and text_encoder, or a \
                 .safetensors file in it.",
            ));
        }
        Err(Failure::input(
            NO_MODEL,
            format!("`{model}` is neither a model of the catalog nor a folder or file"),
            "Give an id of `fourstep models list`, a folder in the diffusers layout, or a .safetensors file.",
        ))
    }

    /// Ids of a kind, as alternatives.
    fn known(&self, kind: ItemKind) -> String {
        let ids = self.entries();
        let ids = ids.iter().filter(|entry| matches!(entry, Entry::Part(k, _) if *k == kind));
        ids.map(|entry| format!("`{}`", entry.id())).collect::<Vec<_>>().join(" or ")
    }
}

fn source(path: PathBuf) -> ModelSource {
    if path.is_dir() { ModelSource::Folder(Storage::Directory(path)) } else { ModelSource::File(path) }
}

/// Refuses what is not a `.safetensors` file before anything reads it.
fn safetensors(what: &str, path: PathBuf) -> Result<PathBuf, Failure> {
    if is_safetensors(&path) {
        return Ok(path);
    }
    refuse_pickle(what, &path)?;
    let why = format!("`{}` is not a .safetensors file", path.display());
    Err(Failure::input(what, why, "Choose a .safetensors file; no other kind is read."))
}

pub(crate) fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}

fn a(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Model => "a model",
        ItemKind::Lora => "a LoRA",
        ItemKind::Vae => "an autoencoder",
        ItemKind::TinyDecoder => "a tiny decoder",
    }
}

/// A defect of the program itself, which the tests of this crate rule out.
fn not_embedded(what: &str, name: &str) -> Failure {
    Failure::machine(what, format!("`{name}` is not in this program"), "Choose another model.")
}
