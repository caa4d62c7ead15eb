use crate::Family;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A LoRA and how strongly it is applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraRef {
    /// An id of the catalog, or the path of a `.safetensors` file.
    pub source: String,
    /// Within [`WEIGHTS`](Self::WEIGHTS); 1 is as trained, 0 is off.
    pub weight: f32,
}

impl LoraRef {
    /// The weights the program accepts.
    pub const WEIGHTS: RangeInclusive<f32> = -2.0..=2.0;
}

/// What a LoRA file is, from its header alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraInfo {
    /// How a [`LoraRef`] names it.
    pub source: String,
    /// What people call it: its title in the metadata, else its file name.
    pub name: String,
    /// The networks it was made for; `None` where its shapes fit none that is known.
    pub family: Option<Family>,
    /// It teaches a model to paint in few steps (an LCM-LoRA), so it comes with a recipe of its own.
    pub few_step: bool,
    /// Words that call it up in a prompt, the most frequent first; from the metadata of its training.
    pub trigger_words: Vec<String>,
    /// Modules that are read.
    pub modules: usize,
    /// Keys of a kind that is not read.
    pub unread: Vec<String>,
    /// Size of the file.
    pub size_bytes: u64,
}

/// What became of a LoRA when it was merged into a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoraReport {
    /// As the [`LoraRef`] names it.
    pub source: String,
    /// Modules that change a weight of the model, in all of its networks.
    pub matched: usize,
    /// Modules of the file.
    pub total: usize,
    /// What has no effect: modules that the model lacks, and keys of a kind that is not read.
    pub ignored: Vec<String>,
}
