//! What typed prompts come to: wildcards by the seed, LoRAs of tags by their names in the library.
//!
//! It happens here, when a request is sent, so that the request that made a picture says what was painted: its prompts
//! hold words and weights alone, its LoRAs are those of the stack and of tags, and what was typed stands beside it.

use crate::{Moment, Session};
use fourstep_prompt::{LoraTag, Problem, Wildcards, resolve};
use fourstep_protocol::{
    Availability, Blended, Family, ItemKind, LibraryItem, LoraRef, PromptReading, Request, TokenCount, Typed,
};
use std::sync::Arc;

/// A request as it is painted, and what of it could not be followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// Without comments, wildcards and tags.
    pub request: Request,
    /// In the order of the prompts.
    pub troubles: Vec<PromptTrouble>,
}

/// Something in a prompt that has no effect, or another than it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptTrouble {
    /// A wildcard or tag by itself.
    Syntax(Problem),
    /// The library has no LoRA of this name.
    UnknownLora(String),
    /// This LoRA is listed and not downloaded yet.
    AbsentLora(String),
    /// This LoRA was made for other networks.
    MisfitLora(String),
    /// LoRAs are named in the prompt; in the negative prompt a tag has no effect.
    NegativeLora(String),
}

/// How a request is read by its prompt.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) prompt: String,
    pub(crate) reading: Arc<PromptReading>,
}

/// What a request comes to with these wildcards and this library, on networks of this family.
///
/// A tag's LoRA has the tag's weight even where it is in the stack too; tags for the same LoRA add up.
pub fn speak(typed: &Request, wildcards: &Wildcards, library: &[LibraryItem], family: Family) -> Spoken {
    let mut speaker = Speaker { wildcards, seed: typed.seed, said: 0, tags: Vec::new(), troubles: Vec::new() };
    let prompt = speaker.say(&typed.prompt, Tags::Count);
    let say = |other: &Blended| {
        let tags = if other.weight > 0.0 { Tags::Count } else { Tags::Ignore };
        Blended { prompt: speaker.say(&other.prompt, tags), weight: other.weight }
    };
    let blend = typed.blend.iter().map(say).collect();
    let negative_prompt = speaker.say(&typed.negative_prompt, Tags::Refuse);
    let Speaker { tags, mut troubles, .. } = speaker;
    let loras = with_tags(&typed.loras, &tags, library, family, &mut troubles);
    let mut request = Request { prompt, blend, negative_prompt, loras, typed: None, ..typed.clone() };
    if request != *typed {
        let Request { prompt, negative_prompt, loras, blend, .. } = typed.clone();
        request.typed = Some(Box::new(Typed { prompt, negative_prompt, loras, blend }));
    }
    Spoken { request, troubles }
}

/// What becomes of LoRA tags.
#[derive(Clone, Copy)]
enum Tags {
    Count,
    /// In a prompt that has no part of the mix.
    Ignore,
    /// In the negative prompt.
    Refuse,
}

struct Speaker<'a> {
    wildcards: &'a Wildcards,
    seed: u64,
    said: u64,
    tags: Vec<LoraTag>,
    troubles: Vec<PromptTrouble>,
}

impl Speaker<'_> {
    /// Each prompt has chances of its own: the same wildcard in two of them is chosen twice.
    fn say(&mut self, text: &str, tags: Tags) -> String {
        let resolved = resolve(text, self.wildcards, self.seed ^ (self.said << 48));
        self.said += 1;
        self.troubles.extend(resolved.problems.into_iter().map(PromptTrouble::Syntax));
        match tags {
            Tags::Count => self.tags.extend(resolved.loras),
            Tags::Ignore => {}
            Tags::Refuse => {
                let refused = resolved.loras.into_iter().map(|tag| PromptTrouble::NegativeLora(tag.name));
                self.troubles.extend(refused);
            }
        }
        resolved.text
    }
}

fn with_tags(
    stack: &[LoraRef],
    tags: &[LoraTag],
    library: &[LibraryItem],
    family: Family,
    troubles: &mut Vec<PromptTrouble>,
) -> Vec<LoraRef> {
    let mut named: Vec<LoraRef> = Vec::new();
    for LoraTag { name, weight } in tags {
        match lora_named(library, name, family) {
            Err(trouble) => troubles.push(trouble),
            Ok(source) => match named.iter_mut().find(|lora| lora.source == source) {
                Some(known) => known.weight += weight,
                None => named.push(LoraRef { source: source.to_owned(), weight: *weight }),
            },
        }
    }
    let mut loras = stack.to_vec();
    for lora in named {
        let weight = lora.weight.clamp(*LoraRef::WEIGHTS.start(), *LoraRef::WEIGHTS.end());
        match loras.iter_mut().find(|known| known.source == lora.source) {
            Some(known) => known.weight = weight,
            None => loras.push(LoraRef { weight, ..lora }),
        }
    }
    loras
}

/// The id of the LoRA that a tag names.
fn lora_named<'a>(library: &'a [LibraryItem], name: &str, family: Family) -> Result<&'a str, PromptTrouble> {
    let named = || library.iter().filter(|item| item.kind == ItemKind::Lora && is_called(item, name));
    let here = || named().filter(|item| item.availability == Availability::Ready);
    let fits = |item: &&LibraryItem| item.family.is_none_or(|made_for| made_for == family);
    if let Some(item) = here().find(fits) {
        return Ok(&item.id);
    }
    Err(match (here().next(), named().next()) {
        (Some(_), _) => PromptTrouble::MisfitLora(name.to_owned()),
        (None, Some(_)) => PromptTrouble::AbsentLora(name.to_owned()),
        (None, None) => PromptTrouble::UnknownLora(name.to_owned()),
    })
}

/// By its id, by what people call it, or by the name of its file, in any case of letters.
fn is_called(item: &LibraryItem, name: &str) -> bool {
    let same = |a: &str| a.to_lowercase() == name.to_lowercase();
    same(&item.id) || same(&item.name) || same(tag_name(item))
}

/// How a tag names this LoRA.
pub fn tag_name(item: &LibraryItem) -> &str {
    let file = item.id.rsplit(['/', '\\']).next().unwrap_or(&item.id);
    file.strip_suffix(".safetensors").unwrap_or(file)
}

impl Session {
    /// Takes over the lists that wildcards choose from; cheap where they are what they were.
    pub fn set_wildcards(&mut self, wildcards: Arc<Wildcards>, now: Moment) {
        if Arc::ptr_eq(&wildcards, &self.wildcards) {
            return;
        }
        self.wildcards = wildcards;
        self.reconcile(now);
    }

    /// The lists that wildcards choose from.
    pub fn wildcards(&self) -> &Arc<Wildcards> {
        &self.wildcards
    }

    /// What the request comes to, and what of its prompts could not be followed.
    pub fn spoken(&self) -> Spoken {
        speak(&self.settings.request, &self.wildcards, &self.library, self.model.family)
    }

    /// What of the prompts could not be followed.
    pub fn prompt_troubles(&self) -> &[PromptTrouble] {
        &self.prompt_troubles
    }

    /// What a request comes to that is typed like this one, as it is sent.
    pub(crate) fn spoken_of(&self, typed: &Request) -> Request {
        let info = self.models.iter().find(|info| info.model == typed.model);
        let family = info.map_or(self.model.family, |info| info.family);
        let mut request = speak(typed, &self.wildcards, &self.library, family).request;
        request.loras.retain(|lora| lora.weight != 0.0);
        request
    }

    /// What was typed for this picture, where it comes to the same now; else what it came to then.
    pub(crate) fn as_typed(&self, mut request: Request) -> Request {
        let Some(typed) = request.typed.take() else { return request };
        let Typed { prompt, negative_prompt, loras, blend } = *typed;
        let again = Request { prompt, negative_prompt, loras, blend, ..request.clone() };
        let family =
            self.models.iter().find(|info| info.model == request.model).map_or(self.model.family, |m| m.family);
        let spoken = speak(&again, &self.wildcards, &self.library, family).request;
        if (Request { typed: None, ..spoken }) == request { again } else { request }
    }

    /// How much of the text encoder's window the prompt of the last run filled.
    pub fn tokens(&self) -> Option<TokenCount> {
        self.read.as_ref().map(|read| read.reading.tokens)
    }

    /// Words of the last run's prompt that its model has no token for, in lower case.
    pub fn unknown_words(&self) -> &[String] {
        self.read.as_ref().map_or(&[], |read| &read.reading.unknown_words)
    }

    /// Where chunks of tokens begin in the prompt as it was typed, in bytes; none where it was typed otherwise since.
    pub fn chunk_starts(&self) -> &[usize] {
        self.reading_as_typed().map_or(&[], |reading| &reading.chunk_starts)
    }

    /// Where what is not read of the prompt begins, in bytes; `None` where all is, or it was typed otherwise since.
    pub fn unread_from(&self) -> Option<usize> {
        self.reading_as_typed()?.unread_from
    }

    fn reading_as_typed(&self) -> Option<&PromptReading> {
        let read = self.read.as_ref().filter(|read| read.prompt == self.settings.request.prompt);
        read.map(|read| &*read.reading)
    }
}
