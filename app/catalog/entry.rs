use fourstep_protocol::{Family, Guidance, ModelInfo, ModelRef, Recipe, Size};
use serde::Deserialize;

/// The whole of `models.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entries {
    #[serde(rename = "model")]
    pub(crate) models: Vec<ModelEntry>,
    #[serde(rename = "lora")]
    pub(crate) loras: Vec<LoraEntry>,
}

/// A model of `models.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// What a request calls it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What kind it is, in a few words.
    pub detail: String,
    /// Licence of the weights, an SPDX expression.
    pub licence: String,
    /// Where its folder is.
    pub source: Source,
    /// The networks it is made of.
    pub family: Family,
    /// The size it was trained at.
    pub native_size: Size,
    /// How guidance reaches the network.
    pub guidance: Guidance,
    /// How it paints live.
    pub live: Recipe,
    /// How it paints slowly.
    pub compare: Option<Recipe>,
}

impl ModelEntry {
    /// What the window and the command line need to know of it.
    pub fn info(&self) -> ModelInfo {
        ModelInfo {
            model: ModelRef::new(&self.id),
            name: self.name.clone(),
            detail: self.detail.clone(),
            family: self.family,
            guidance: self.guidance,
            native_size: self.native_size,
            live: self.live.clone(),
            compare: self.compare.clone(),
            few_step: None,
        }
    }
}

/// A LoRA of `models.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraEntry {
    /// What a request calls it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Licence of the weights, an SPDX expression.
    pub licence: String,
    /// Where its file is.
    pub source: Source,
}

/// Where the files of an entry are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// In the binary, under this name.
    Embedded(String),
}
