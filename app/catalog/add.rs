//! A person's own entries and folders, written into the files of `own`.

use crate::{
    Catalog, FolderKind, HubFile,
    entry::{Entries, Entry, HubSource, ModelEntry, PartEntry, Source},
    inspect::path_name,
    own::{self, FOLDERS, FolderEntry, Folders, MODELS, Own},
    places::expand,
    repository::{self, Repository},
    scan::{
        roots::recognise,
        walk::{candidates, refuse_pickle},
    },
};
use fourstep_protocol::{Failure, ItemKind, LibraryItem, ModelRef};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::PoisonError,
};

/// What a person adds to the list.
#[derive(Clone, Debug, Default)]
pub struct Addition {
    /// A path, a repository of the hub (`org/name`), a file of one (`org/name/FILE`), or the address of either.
    pub what: String,
    /// What it is called in lists; the file's or the repository's own name where it is not given.
    pub name: Option<String>,
    /// What it is; told from the file where it is not given.
    pub kind: Option<ItemKind>,
}

/// What came of an [`Addition`].
#[derive(Clone, Debug, PartialEq)]
pub enum Added {
    /// An entry of the list.
    Item(Box<LibraryItem>),
    /// A folder that is looked through from now on.
    Folder {
        /// Where it is.
        path: PathBuf,
        /// How it is laid out.
        kind: FolderKind,
    },
}

pub(crate) const WHAT: &str = "It could not be added to the list";

/// Names the files of a repository (`ORG/NAME`) at a revision.
pub type ListFiles<'a> = dyn Fn(&str, &str) -> Result<Vec<HubFile>, Failure> + 'a;

impl Catalog {
    /// Adds an entry to the person's own `models.toml`, or a folder to their `folders.toml`. What lies on this machine
    /// is looked at first. `list` names the files of a repository at a revision.
    ///
    /// # Errors
    /// An input failure where there is no such thing, it is of a kind that is not painted with, or it is listed
    /// already; a machine failure where the files cannot be written.
    pub fn add(&self, addition: &Addition, list: &ListFiles<'_>) -> Result<Added, Failure> {
        let path = expand(&addition.what);
        if path.exists() {
            let path = path.canonicalize().unwrap_or(path);
            if path.is_dir() && !path.join("model_index.json").is_file() {
                return self.add_folder(path);
            }
            let kind = self.kind_of(&path, addition.kind)?;
            return self.add_entry(addition, path_name(&path), kind, Source::Path(path));
        }
        let Some(repository) = Repository::parse(&addition.what) else {
            let why = format!("`{}` is neither a file or folder here nor a repository of the hub", addition.what);
            return Err(Failure::input(WHAT, why, "Give a path, or a repository as ORG/NAME."));
        };
        let Repository { repo, revision, file } = repository;
        let name = repo.rsplit('/').next().unwrap_or(&repo).to_owned();
        let (files, kind) = match file {
            Some(file) => repository::one(&list(&repo, &revision)?, &repo, &file, addition.kind)?,
            None => repository::choose(&list(&repo, &revision)?, &repo, addition.kind)?,
        };
        self.add_entry(addition, name, kind, Source::Hub(HubSource { repo, revision, files }))
    }

    /// What a file or model folder is.
    fn kind_of(&self, path: &Path, asked: Option<ItemKind>) -> Result<ItemKind, Failure> {
        let look = |kind| match kind {
            ItemKind::Model => self.inspect(&ModelRef::new(path.to_string_lossy())).map(|_| kind),
            ItemKind::Lora => self.lora_info(path).map(|_| kind),
            ItemKind::Vae | ItemKind::TinyDecoder => self.shared.kept.vae(path),
        };
        match asked {
            Some(kind) => look(kind),
            None => look(ItemKind::Model).or_else(|no_model| {
                let others = [ItemKind::Lora, ItemKind::Vae].into_iter().filter(|_| path.is_file());
                others.into_iter().find_map(|kind| look(kind).ok()).ok_or(no_model)
            }),
        }
    }

    fn add_entry(&self, addition: &Addition, name: String, kind: ItemKind, source: Source) -> Result<Added, Failure> {
        let entries = self.entries();
        if let Some(known) = entries.iter().find(|entry| *entry.source() == source) {
            let why = format!("it is in the list as `{}`", known.id());
            return Err(Failure::input(WHAT, why, "Use it by that name."));
        }
        let name = addition.name.clone().unwrap_or(name);
        let id = free_id(&name, &|id| entries.iter().any(|entry| entry.id() == id));
        let entry = match kind {
            ItemKind::Model => Entry::Model(ModelEntry::new(id, name, source)),
            kind => Entry::Part(kind, self.described(PartEntry::new(id, name, source), kind)),
        };
        self.append(MODELS, &written(&entry)?)?;
        Ok(Added::Item(Box::new(self.item(&entry))))
    }

    /// With what a LoRA's header says, so that models of its family find it.
    fn described(&self, part: PartEntry, kind: ItemKind) -> PartEntry {
        match &part.source {
            Source::Path(path) if kind == ItemKind::Lora => match self.lora_info(path) {
                Ok(info) => PartEntry { families: info.family.into_iter().collect(), few_step: info.few_step, ..part },
                Err(_) => part,
            },
            _ => part,
        }
    }

    fn add_folder(&self, path: PathBuf) -> Result<Added, Failure> {
        if self.own(|own| own.folders.iter().any(|folder| folder.path == path)) {
            let why = format!("{} is looked through already", path.display());
            return Err(Failure::input(WHAT, why, "See `fourstep models list --all`."));
        }
        let kind = match recognise(&path) {
            Some(kind) => kind,
            None if candidates(&path).iter().any(|path| refuse_pickle(WHAT, path).is_ok()) => FolderKind::Models,
            None => return Err(nothing_in(&path)),
        };
        let folders = Folders { folders: vec![FolderEntry { path: path.clone(), kind }] };
        self.append(FOLDERS, &toml::to_string(&folders).map_err(not_written)?)?;
        Ok(Added::Folder { path, kind })
    }

    /// Puts text at the end of one of the person's files, in one go, and reads them anew.
    fn append(&self, file: &str, text: &str) -> Result<(), Failure> {
        let Some(config) = &self.shared.places.config else {
            return Err(Failure::machine(
                WHAT,
                "the system names no folder for settings",
                "Give its path with --model.",
            ));
        };
        let path = config.join(file);
        // What cannot be read must not be buried under more.
        match file {
            MODELS => own::read::<Entries>(&path).map(drop)?,
            _ => own::read::<Folders>(&path).map(drop)?,
        }
        let mut whole = std::fs::read_to_string(&path).unwrap_or_default();
        if !whole.is_empty() {
            whole.push_str(if whole.ends_with('\n') { "\n" } else { "\n\n" });
        }
        whole.push_str(text);
        write_atomically(&path, &whole).map_err(|e| {
            let why = format!("{} could not be written ({e})", path.display());
            Failure::machine(WHAT, why, "Check that there is space and that you may write there.")
        })?;
        let own = Own::read(&self.shared.places, &self.shared.builtin);
        *self.shared.own.write().unwrap_or_else(PoisonError::into_inner) = own;
        Ok(())
    }
}

fn nothing_in(path: &Path) -> Failure {
    let why = format!(
        "in {} there is no model folder and no .safetensors file, and it is no ComfyUI or AUTOMATIC1111 folder",
        path.display()
    );
    Failure::input(WHAT, why, "Give a folder with models or LoRAs in it; .ckpt files have to be converted first.")
}

/// Beside the file and then in its place: a crash leaves the old one or the new one.
fn write_atomically(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    let write = || {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

/// An entry as `models.toml` holds it.
fn written(entry: &Entry) -> Result<String, Failure> {
    let (list, text) = match entry {
        Entry::Model(model) => ("model", toml::to_string(&BTreeMap::from([("model", [model])]))),
        Entry::Part(kind, part) => {
            let list = match kind {
                ItemKind::Vae => "vae",
                ItemKind::TinyDecoder => "tiny-decoder",
                ItemKind::Lora | ItemKind::Model => "lora",
            };
            (list, toml::to_string(&BTreeMap::from([(list, [part])])))
        }
    };
    text.map_err(|e| not_written(format!("[[{list}]]: {e}")))
}

fn not_written(why: impl std::fmt::Display) -> Failure {
    Failure::machine(WHAT, why, "Please report this.")
}

/// `My Model v2` → `my-model-v2`, with a number where that is taken.
fn free_id(name: &str, taken: &dyn Fn(&str) -> bool) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|w| !w.is_empty()).collect();
    let id = if words.is_empty() { "model".to_owned() } else { words.join("-") };
    let ids = std::iter::once(id.clone()).chain((2..).map(|n: u32| format!("{id}-{n}")));
    ids.into_iter().find(|id| !taken(id)).unwrap_or(id)
}
