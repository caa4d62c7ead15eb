use crate::{LoraTag, Piece, Wildcards, comments, pieces, tags, wildcards};

/// What a typed prompt comes to with one seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// Words and weights: what is encoded.
    pub text: String,
    /// LoRAs that its tags ask for, in their order.
    pub loras: Vec<LoraTag>,
    /// What could not be followed.
    pub problems: Vec<Problem>,
}

/// Something in a prompt that has no effect, or another than it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// `__name__` without a file of this name; it stays in the prompt as it is.
    UnknownWildcard(String),
    /// `<name:…>` of a kind that is not known; it is left out.
    UnknownTag(String),
    /// The weight of this LoRA's tag is no number; it counts as 1.
    TagWeight(String),
}

impl Resolved {
    /// The words with their weights.
    pub fn pieces(&self) -> Vec<Piece> {
        pieces(&self.text)
    }
}

/// Takes comments out, chooses among wildcards by the seed and takes tags out, in this order, and the space that is left
/// at both ends. Text without any of them stays as it is.
pub fn resolve(typed: &str, wildcards: &Wildcards, seed: u64) -> Resolved {
    let mut problems = Vec::new();
    let text = comments::strip(typed);
    let text = wildcards::expand(&text, wildcards, seed, &mut problems);
    let (text, loras) = tags::take(&text, &mut problems);
    let text = if text == typed { text } else { text.trim().to_owned() };
    Resolved { text, loras, problems }
}
