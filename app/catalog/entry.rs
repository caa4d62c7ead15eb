//! What `models.toml` says, the program's own and a person's: the same format.

use crate::HubFile;
use fourstep_protocol::{Family, Guidance, ItemKind, Recipe, Size};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// The whole of a `models.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Entries {
    #[serde(rename = "model")]
    pub(crate) models: Vec<ModelEntry>,
    #[serde(rename = "lora")]
    pub(crate) loras: Vec<PartEntry>,
    #[serde(rename = "vae")]
    pub(crate) vaes: Vec<PartEntry>,
    #[serde(rename = "tiny-decoder")]
    pub(crate) tiny_decoders: Vec<PartEntry>,
}

/// A `[[model]]`. What it leaves out is read from its files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelEntry {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) licence: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gated: bool,
    pub(crate) source: Source,
    /// The model whose U-Net `source` replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<String>,
    /// A better autoencoder than its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vae: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) family: Option<Family>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) native_size: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) guidance: Option<Guidance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<Recipe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compare: Option<Recipe>,
}

impl ModelEntry {
    /// An entry that leaves everything to its files.
    pub(crate) fn new(id: String, name: String, source: Source) -> Self {
        Self {
            id,
            name,
            detail: String::new(),
            licence: None,
            gated: false,
            source,
            base: None,
            vae: None,
            family: None,
            native_size: None,
            guidance: None,
            live: None,
            compare: None,
        }
    }
}

/// A `[[lora]]`, `[[vae]]` or `[[tiny-decoder]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartEntry {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) licence: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gated: bool,
    /// The networks it fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) families: Vec<Family>,
    /// LoRAs: it teaches these families to paint in few steps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) few_step: bool,
    pub(crate) source: Source,
}

impl PartEntry {
    /// An entry of which nothing else is known.
    pub(crate) fn new(id: String, name: String, source: Source) -> Self {
        let detail = String::new();
        Self { id, name, detail, licence: None, gated: false, families: Vec::new(), few_step: false, source }
    }
}

/// Where the files of an entry are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// In the binary, under this name.
    Embedded(String),
    /// On the hub, and in its cache once downloaded.
    Hub(HubSource),
    /// On this machine.
    Path(PathBuf),
}

/// Files of a repository on the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HubSource {
    /// `stabilityai/sdxl-turbo`
    pub(crate) repo: String,
    /// A branch, a tag or a commit.
    #[serde(default = "main")]
    pub(crate) revision: String,
    /// Paths in the repository, and about how many bytes each has.
    pub(crate) files: BTreeMap<String, u64>,
}

fn main() -> String {
    "main".into()
}

impl HubSource {
    pub(crate) fn files(&self) -> impl Iterator<Item = HubFile> + '_ {
        self.files.iter().map(|(path, &size)| HubFile {
            repo: self.repo.clone(),
            revision: self.revision.clone(),
            path: path.clone(),
            size_bytes: (size > 0).then_some(size),
            sha256: None,
        })
    }

    /// As far as the entry knows.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.files.values().sum()
    }
}

/// Any entry, with what all have in common.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Model(ModelEntry),
    Part(ItemKind, PartEntry),
}

impl Entry {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Model(model) => &model.id,
            Self::Part(_, part) => &part.id,
        }
    }

    pub(crate) fn source(&self) -> &Source {
        match self {
            Self::Model(model) => &model.source,
            Self::Part(_, part) => &part.source,
        }
    }
}

impl Entries {
    /// Every entry, models first, in the order of the file.
    pub(crate) fn into_all(self) -> impl Iterator<Item = Entry> {
        let part = |kind| move |entry| Entry::Part(kind, entry);
        let models = self.models.into_iter().map(Entry::Model);
        models
            .chain(self.loras.into_iter().map(part(ItemKind::Lora)))
            .chain(self.vaes.into_iter().map(part(ItemKind::Vae)))
            .chain(self.tiny_decoders.into_iter().map(part(ItemKind::TinyDecoder)))
    }
}
