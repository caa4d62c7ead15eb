use crate::{LoraEntry, ModelEntry, Source, embedded, entry::Entries, folder, places::expand};
use fourstep_protocol::{Failure, ModelInfo, ModelRef};
use fourstep_weights::{ModelSource, Storage};
use std::path::PathBuf;

/// Where the files of a model are.
#[derive(Clone, Debug)]
pub struct Location {
    /// The model itself, or the base of a composite one.
    pub source: ModelSource,
    /// Replaces the base's U-Net.
    pub unet: Option<PathBuf>,
    /// A better autoencoder than the base's own.
    pub vae: Option<PathBuf>,
}

/// Where a LoRA is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoraLocation {
    /// A `.safetensors` file on disk.
    File(PathBuf),
    /// In the binary.
    Embedded(&'static [u8]),
}

/// Every model and LoRA the program knows by name.
#[derive(Clone, Debug)]
pub struct Catalog {
    models: Vec<ModelEntry>,
    loras: Vec<LoraEntry>,
}

const NO_MODEL: &str = "The model could not be opened";
const NO_LORA: &str = "The LoRA could not be opened";

impl Catalog {
    /// What `models.toml` lists.
    pub fn builtin() -> Self {
        let Entries { models, loras } = toml::from_str(include_str!("../../models.toml"))
            .expect("models.toml is part of the program, and the tests of this crate read it");
        Self { models, loras }
    }

    /// The models it knows, in the order of menus; the first is what the program starts with.
    pub fn models(&self) -> Vec<ModelInfo> {
        self.models.iter().map(ModelEntry::info).collect()
    }

    /// The entries behind [`models`](Self::models).
    pub fn model_entries(&self) -> &[ModelEntry] {
        &self.models
    }

    /// The LoRAs it knows.
    pub fn lora_entries(&self) -> &[LoraEntry] {
        &self.loras
    }

    /// What a model is, from the catalog or from the configuration files in its folder. Weights are not touched.
    ///
    /// # Errors
    /// An input failure where there is no such model or it is of a kind the program does not paint with.
    pub fn inspect(&self, model: &ModelRef) -> Result<ModelInfo, Failure> {
        match self.model(model.as_str()) {
            Some(entry) => Ok(entry.info()),
            None => folder::inspect(model, &self.directory(model)?),
        }
    }

    /// Where a model's files are. An id of the catalog comes before a folder of the same name; write `./NAME` for
    /// the folder.
    ///
    /// # Errors
    /// An input failure where there is no such model.
    pub fn locate(&self, model: &ModelRef) -> Result<Location, Failure> {
        match self.model(model.as_str()).map(|entry| &entry.source) {
            Some(Source::Embedded(name)) => {
                let storage = embedded::folder(name).map(Storage::Embedded);
                storage.map(located).ok_or_else(|| not_embedded(NO_MODEL, name))
            }
            None => self.directory(model).map(Storage::Directory).map(located),
        }
    }

    /// Where an autoencoder is.
    ///
    /// # Errors
    /// An input failure where there is none.
    pub fn locate_vae(&self, source: &str) -> Result<PathBuf, Failure> {
        Ok(expand(source))
    }

    /// A tiny decoder for this model.
    pub fn tiny_decoder(&self, _model: &ModelInfo) -> Option<PathBuf> {
        None
    }

    /// Where a LoRA is: an id of the catalog, or the path of a file.
    ///
    /// # Errors
    /// An input failure where there is no such LoRA or the file is not a `.safetensors` file.
    pub fn locate_lora(&self, source: &str) -> Result<LoraLocation, Failure> {
        if let Some(LoraEntry { source: Source::Embedded(name), .. }) = self.loras.iter().find(|l| l.id == source) {
            return embedded::file(name).map(LoraLocation::Embedded).ok_or_else(|| not_embedded(NO_LORA, name));
        }
        let path = expand(source);
        if !path.is_file() {
            let known = list(self.loras.iter().map(|l| l.id.as_str()));
            let remedy = format!("Give {known}, or the path of a .safetensors file.");
            let why = if path.is_dir() {
                format!("`{source}` is a folder")
            } else {
                format!("`{source}` is neither a LoRA of the catalog nor a file")
            };
            return Err(Failure::input(NO_LORA, why, remedy));
        }
        if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")) {
            let why = format!("`{source}` is not a .safetensors file, and other kinds can run code when opened");
            return Err(Failure::input(NO_LORA, why, "Download or convert it as .safetensors."));
        }
        Ok(LoraLocation::File(path))
    }

    fn model(&self, id: &str) -> Option<&ModelEntry> {
        self.models.iter().find(|entry| entry.id == id)
    }

    /// The folder a model names, which exists and has a `model_index.json`.
    fn directory(&self, model: &ModelRef) -> Result<PathBuf, Failure> {
        let path = expand(model.as_str());
        if path.is_file() {
            return Err(Failure::input(
                NO_MODEL,
                format!("`{model}` is a single file, and models are folders here"),
                "Convert it: in Python, diffusers' StableDiffusionPipeline.from_single_file(FILE) and then \
                 save_pretrained(FOLDER); give that folder.",
            ));
        }
        if !path.is_dir() {
            let known = list(self.models.iter().map(|entry| entry.id.as_str()));
            return Err(Failure::input(
                NO_MODEL,
                format!("`{model}` is neither a model of the catalog nor a folder"),
                format!("Give {known}, or the path of a folder in the diffusers layout."),
            ));
        }
        if !path.join(folder::INDEX).is_file() {
            return Err(Failure::input(
                NO_MODEL,
                format!("`{model}` has no {}", folder::INDEX),
                "Choose the folder that holds model_index.json and the folders unet, vae and text_encoder.",
            ));
        }
        Ok(path)
    }
}

fn located(storage: Storage) -> Location {
    Location { source: ModelSource::Folder(storage), unet: None, vae: None }
}

/// A defect of the program itself, which the tests of this crate rule out.
fn not_embedded(what: &str, name: &str) -> Failure {
    Failure::machine(what, format!("`{name}` is not in this program"), "Choose another model.")
}

/// `a`, `b` or `c`.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_protocol::{FailureKind, Guidance, Request, Sampler};

    #[test]
    fn every_entry_is_valid_and_has_its_files() {
        let catalog = Catalog::builtin();
        for entry in catalog.model_entries() {
            let Location::Embedded(files) = catalog.locate(&ModelRef::new(&entry.id)).expect("located") else {
                panic!("{} is embedded", entry.id);
            };
            assert!(files.iter().any(|(path, _)| *path == folder::INDEX));
            let info = catalog.inspect(&ModelRef::new(&entry.id)).expect("known");
            for recipe in [Some(&info.live), info.compare.as_ref()].into_iter().flatten() {
                let mut request = Request::new(&info, "");
                request.apply(recipe);
                assert_eq!(request.validate(&info), Ok(()), "{}", entry.id);
                for lora in &recipe.loras {
                    assert!(matches!(catalog.locate_lora(&lora.source), Ok(LoraLocation::Embedded(_))));
                }
            }
        }
        for lora in catalog.lora_entries() {
            assert!(catalog.locate_lora(&lora.id).is_ok());
        }
        let mut ids: Vec<&str> = catalog.models.iter().map(|m| m.id.as_str()).collect();
        ids.extend(catalog.loras.iter().map(|l| l.id.as_str()));
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "ids are unique");
    }

    #[test]
    fn the_sticker_models_are_what_the_program_starts_with() {
        let models = Catalog::builtin().models();
        let (sticker, lcm) = (&models[0], &models[1]);
        assert_eq!(sticker.model.as_str(), "sticker");
        assert_eq!((sticker.live.sampler, sticker.live.steps, sticker.live.loras.len()), (Sampler::Lcm, 4, 1));
        let compare = sticker.compare.as_ref().expect("the teacher");
        assert_eq!((compare.sampler, compare.steps, compare.loras.len()), (Sampler::Ddim, 25, 0));
        assert_eq!(lcm.guidance, Guidance::Embedded { min: 2.0, max: 8.0 });
        assert!(lcm.compare.is_none());
    }

    #[test]
    fn paths_that_are_no_model_say_what_to_do() {
        let catalog = Catalog::builtin();
        let dir = tempfile::tempdir().expect("temporary folder");
        let file = dir.path().join("model.safetensors");
        std::fs::write(&file, b"").expect("write");
        for (path, word) in [
            (dir.path().join("nowhere"), "sticker-lcm"),
            (dir.path().to_path_buf(), "model_index.json"),
            (file, "from_single_file"),
        ] {
            let model = ModelRef::new(path.to_string_lossy());
            let failure = catalog.locate(&model).expect_err("refused");
            assert_eq!(failure.kind, FailureKind::Input);
            assert!(failure.to_string().contains(word), "{failure}");
            assert_eq!(catalog.inspect(&model).expect_err("refused"), failure);
        }
    }

    #[test]
    fn loras_are_safetensors_files() {
        let catalog = Catalog::builtin();
        let dir = tempfile::tempdir().expect("temporary folder");
        for name in ["style.safetensors", "style.pt"] {
            std::fs::write(dir.path().join(name), b"").expect("write");
        }
        let locate = |name: &str| catalog.locate_lora(&dir.path().join(name).to_string_lossy());
        assert_eq!(locate("style.safetensors"), Ok(LoraLocation::File(dir.path().join("style.safetensors"))));
        for (name, word) in [("style.pt", "run code"), ("absent.safetensors", "neither"), (".", "is a folder")] {
            let failure = locate(name).expect_err("refused");
            assert!(failure.to_string().contains(word), "{failure}");
        }
    }
}
