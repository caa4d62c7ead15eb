//! What a model is and wants: from its entry, and where that is silent from its files.

use crate::{
    Catalog, Location,
    catalog::NO_MODEL,
    entry::{Entry, ModelEntry},
    recipes::{Wants, with_lcm_lora},
};
use fourstep_protocol::{Failure, Family, ItemKind, ModelInfo, ModelRef, Recipe, Size};
use fourstep_weights::{FewStep, Identity, ModelSource, Storage, WeightsError};
use std::path::Path;

/// Shown for a model that paints with an LCM-LoRA.
const WITH_LORA: &str = "LCM-LoRA";

impl Catalog {
    /// What a model is and wants. Reads headers and configurations only; what the person's entry says comes first.
    ///
    /// # Errors
    /// An input failure where there is no such model, its files were not downloaded, or it is of a kind the program
    /// does not paint with.
    pub fn inspect(&self, model: &ModelRef) -> Result<ModelInfo, Failure> {
        let location = self.locate(model)?;
        match self.entry(model.as_str()) {
            Some(Entry::Model(entry)) => match self.by_entry(&entry) {
                Some(info) => Ok(info),
                None => Ok(self.with_entry(self.by_files(model, &location)?, &entry)),
            },
            _ => self.by_files(model, &location),
        }
    }

    /// An entry that leaves nothing open.
    fn by_entry(&self, entry: &ModelEntry) -> Option<ModelInfo> {
        let live = entry.live.clone()?;
        let info = ModelInfo {
            model: ModelRef::new(&entry.id),
            name: entry.name.clone(),
            detail: entry.detail.clone(),
            family: entry.family?,
            guidance: entry.guidance?,
            native_size: entry.native_size?,
            few_step: None,
            compare: entry.compare.clone(),
            live: live.clone(),
        };
        Some(self.fit(info, Some(live).filter(|recipe| !recipe.loras.is_empty())))
    }

    /// What the files say, with what the entry says put over it.
    fn with_entry(&self, info: ModelInfo, entry: &ModelEntry) -> ModelInfo {
        let few_step = match &entry.live {
            Some(live) => Some(live.clone()).filter(|recipe| !recipe.loras.is_empty()),
            None => info.few_step.clone(),
        };
        let detail = if entry.detail.is_empty() { info.detail } else { entry.detail.clone() };
        let info = ModelInfo {
            model: ModelRef::new(&entry.id),
            name: entry.name.clone(),
            detail,
            family: entry.family.unwrap_or(info.family),
            guidance: entry.guidance.unwrap_or(info.guidance),
            native_size: entry.native_size.unwrap_or(info.native_size),
            live: entry.live.clone().unwrap_or(info.live),
            compare: entry.compare.clone().or(info.compare),
            few_step: None,
        };
        self.fit(info, few_step)
    }

    fn by_files(&self, model: &ModelRef, location: &Location) -> Result<ModelInfo, Failure> {
        let identity = self.shared.kept.model(NO_MODEL, location)?;
        let (name, family) = (name(&location.source, &identity), identity.family);
        let Wants { detail, guidance, own } = Wants::of(identity.few_step, family);
        let [width, height] = identity.native_size;
        let slow = identity.few_step == FewStep::No;
        let info = ModelInfo {
            model: model.clone(),
            name,
            detail: detail.to_owned(),
            family,
            guidance,
            native_size: Size::new(width, height).nearest(),
            compare: slow.then(|| own.clone()),
            live: own,
            few_step: None,
        };
        let wanted = if slow { self.lcm_lora(family).map(|id| with_lcm_lora(&id)) } else { None };
        Ok(self.fit(info, wanted))
    }

    /// Sets how a model paints live by which LoRAs are here: `few_step` is how it would with all of them.
    fn fit(&self, mut info: ModelInfo, few_step: Option<Recipe>) -> ModelInfo {
        let Some(mut wanted) = few_step else { return info };
        let missing = wanted.loras.iter_mut().find_map(|lora| match self.locate_lora(&lora.source) {
            Ok(_) => None,
            Err(failure) => match self.found_lcm_lora(info.family) {
                Some(path) => {
                    lora.source = path.to_string_lossy().into_owned();
                    None
                }
                None => Some(failure),
            },
        });
        match (missing, &info.compare) {
            (None, _) => {
                if info.detail.is_empty() || info.live != wanted {
                    info.detail = WITH_LORA.to_owned();
                }
                info.live = wanted.clone();
            }
            (Some(_), Some(slow)) => info.live = slow.clone(),
            (Some(_), None) => {}
        }
        info.few_step = Some(wanted);
        info
    }

    /// The listed LoRA that teaches a family to paint in few steps, one that is here before others.
    fn lcm_lora(&self, family: Family) -> Option<String> {
        let mut ids: Vec<String> =
            self.parts(ItemKind::Lora, family).into_iter().filter(|part| part.few_step).map(|part| part.id).collect();
        ids.sort_by_key(|id| self.locate_lora(id).is_err());
        ids.into_iter().next()
    }
}

/// A file or folder of weights that could not be read, as a person should hear it.
pub(crate) fn unreadable(what: &str, error: &WeightsError) -> Failure {
    Failure::input(what, format!("{} {}", error.file, error.fault), error.fault.remedy())
}

/// What its maker calls it, else what its file or folder is called.
fn name(source: &ModelSource, identity: &Identity) -> String {
    let path = match source {
        ModelSource::File(path) | ModelSource::Folder(Storage::Directory(path)) => path,
        ModelSource::Folder(Storage::Embedded(_)) => return identity.title.clone().unwrap_or_default(),
    };
    identity.title.clone().filter(|title| !title.trim().is_empty()).unwrap_or_else(|| path_name(path))
}

/// The file's name without its ending, or the folder's own name, also where the path ends in `.` or `..`; of a
/// snapshot in the Hugging Face cache, the repository's name.
pub(crate) fn path_name(path: &Path) -> String {
    if path.is_file() {
        return path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into_owned());
    }
    let folder = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let own = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let repo = folder.parent().filter(|parent| parent.ends_with("snapshots")).and_then(Path::parent);
    let repo = repo.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let repo = repo.as_deref().and_then(|name| name.strip_prefix("models--")).and_then(|name| name.rsplit("--").next());
    repo.map(str::to_owned).or(own).unwrap_or_else(|| path.display().to_string())
}
