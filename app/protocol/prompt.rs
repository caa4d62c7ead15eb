use crate::{LoraRef, Request};
use serde::{Deserialize, Serialize};

/// What a person typed, where wildcards, tags or comments stood in it: the request holds what they came to. Changes no
/// pixel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Typed {
    /// The prompt with all of it.
    pub prompt: String,
    /// The negative prompt.
    #[serde(default)]
    pub negative_prompt: String,
    /// The stack of LoRAs without those of tags.
    #[serde(default)]
    pub loras: Vec<LoraRef>,
    /// The other prompts of the mix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blend: Vec<Blended>,
}

/// Another prompt that is mixed into the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blended {
    /// What it says.
    pub prompt: String,
    /// Its part of the mix, 0 … 1. The request's own prompt has what the others leave.
    pub weight: f32,
}

/// How the text encoder reads a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptReading {
    /// How many tokens it takes.
    pub tokens: TokenCount,
    /// Where each chunk of tokens but the first begins, in bytes of the request's prompt.
    pub chunk_starts: Vec<usize>,
    /// Where what is not read any more begins, in bytes of the request's prompt: it is far longer than prompts are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_from: Option<usize>,
    /// Words that the model has no token for and spells in fragments, in lower case.
    pub unknown_words: Vec<String>,
}

/// How much of the text encoder's window a prompt fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCount {
    /// Tokens up to the end of the prompt, without those that mark start and end; a chunk that a `BREAK` or a comma
    /// ended counts as full.
    pub used: usize,
    /// Tokens that fit into the chunks it takes: 75 for each with CLIP.
    pub window: usize,
}

impl Blended {
    /// Prompts that can be mixed into the first.
    pub const MOST: usize = 3;
    /// Parts that add up to 1 but for rounding.
    const ROUNDING: f32 = 1e-4;

    /// Whether there are not too many and the first prompt's part is not below 0.
    pub(crate) fn fit(blend: &[Self]) -> bool {
        blend.len() <= Self::MOST
            && blend.iter().all(|other| other.weight >= 0.0)
            && blend.iter().map(|other| other.weight).sum::<f32>() <= 1.0 + Self::ROUNDING
    }
}

impl Request {
    /// The prompts of the mix with their parts, which add up to 1: the request's own first.
    pub fn prompts(&self) -> Vec<(&str, f32)> {
        let others = self.blend.iter().map(|other| (other.prompt.as_str(), other.weight));
        let rest = 1.0 - self.blend.iter().map(|other| other.weight).sum::<f32>();
        let rest = if rest <= Blended::ROUNDING { 0.0 } else { rest };
        std::iter::once((self.prompt.as_str(), rest)).chain(others).collect()
    }

    /// Leaves out prompts without a part; one that is all of the mix is the prompt.
    pub(crate) fn simplify_blend(&mut self) {
        let mut parts = self.prompts().into_iter().filter(|(_, weight)| *weight > 0.0);
        let only = match (parts.next(), parts.next()) {
            (Some((prompt, _)), None) => Some(prompt.to_owned()),
            _ => None,
        };
        if let Some(prompt) = only {
            self.prompt = prompt;
            self.blend.clear();
        }
        self.blend.retain(|other| other.weight > 0.0);
    }
}
