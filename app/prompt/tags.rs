//! Tags such as `<lora:ink:0.8>`.

use crate::{comments::without_ranges, resolve::Problem};
use std::ops::Range;

/// A LoRA that a prompt asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraTag {
    /// As it stands in the tag: a name of the library.
    pub name: String,
    /// 1 where the tag gives none.
    pub weight: f32,
}

/// A tag and where it stands.
pub(crate) struct Tag<'a> {
    pub(crate) range: Range<usize>,
    pub(crate) kind: &'a str,
    /// What follows the first colon.
    pub(crate) arguments: &'a str,
}

/// Every `<word:…>` of a text.
pub(crate) fn tags(text: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|offset| at + offset) {
        at = start + 1;
        if let Some(tag) = tag_at(text, start) {
            at = tag.range.end;
            found.push(tag);
        }
    }
    found
}

fn tag_at(text: &str, start: usize) -> Option<Tag<'_>> {
    let inner = &text[start + 1..];
    let inner = &inner[..inner.find('>')?];
    let (kind, arguments) = inner.split_once(':')?;
    let is_word = !kind.is_empty() && kind.chars().all(|c| c.is_alphanumeric() || c == '_');
    let end = start + 1 + inner.len() + 1;
    (is_word && !arguments.is_empty()).then_some(Tag { range: start..end, kind, arguments })
}

impl Tag<'_> {
    fn is_lora(&self) -> bool {
        matches!(self.kind, "lora" | "lyco")
    }
}

/// The LoRAs that a text asks for, and where; a weight that is none counts as 1.
pub fn lora_tags(text: &str) -> Vec<(Range<usize>, LoraTag)> {
    let loras = tags(text).into_iter().filter(Tag::is_lora);
    loras.map(|tag| (tag.range, lora(tag.arguments, &mut Vec::new()))).collect()
}

/// Takes the tags out of a text.
pub(crate) fn take(text: &str, problems: &mut Vec<Problem>) -> (String, Vec<LoraTag>) {
    let tags = tags(text);
    let mut loras = Vec::new();
    for tag in &tags {
        if tag.is_lora() {
            loras.push(lora(tag.arguments, problems));
        } else {
            problems.push(Problem::UnknownTag(tag.kind.to_owned()));
        }
    }
    let ranges: Vec<_> = tags.into_iter().map(|tag| tag.range).collect();
    (without_ranges(text, &ranges), loras)
}

/// `ink:0.8`. A second weight, which AUTOMATIC1111 gives to the U-Net alone, and `key=value` are not used.
fn lora(arguments: &str, problems: &mut Vec<Problem>) -> LoraTag {
    let mut positional = arguments.split(':').filter(|argument| !argument.contains('='));
    let name = positional.next().unwrap_or_default().trim().to_owned();
    let stated = positional.next().map(str::trim);
    let weight = stated.map(|text| text.parse().ok().filter(|weight: &f32| weight.is_finite()));
    if weight == Some(None) {
        problems.push(Problem::TagWeight(name.clone()));
    }
    LoraTag { name, weight: weight.flatten().unwrap_or(1.0) }
}
