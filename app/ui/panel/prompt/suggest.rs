//! What a prompt can go on with: LoRAs, wildcards, styles.

use egui::{CompletionQuery, Suggestion};
use fourstep_protocol::{Availability, ItemKind};
use fourstep_session::{Session, tag_name};

const LORA: &str = "<lora:";
const WILDCARD: &str = "__";
/// Begins the name of a style.
const STYLE: char = '/';
/// More than anybody reads.
const MOST: usize = 40;

/// Whether a word that is completed ends here.
pub(super) fn is_between(c: char) -> bool {
    c.is_whitespace() || ",()[]{}|>".contains(c)
}

/// What a field offers besides wildcards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offers {
    /// LoRAs and styles: the prompt.
    All,
    /// LoRAs: a prompt of the mix.
    Loras,
    /// Nothing: the negative prompt.
    Wildcards,
}

/// What fits the word before the cursor.
pub(super) fn suggestions(session: &Session, query: &CompletionQuery<'_>, offers: Offers) -> Vec<Suggestion> {
    let word = query.word;
    if let Some(name) = word.strip_prefix(LORA).or_else(|| begun(word, LORA)) {
        return if offers == Offers::Wildcards { Vec::new() } else { loras(session, name) };
    }
    if let Some(name) = word.strip_prefix(WILDCARD).filter(|name| !name.contains(WILDCARD)) {
        return wildcards(session, name);
    }
    let style = word.strip_prefix(STYLE).filter(|_| offers == Offers::All);
    style.map_or_else(Vec::new, |name| styles(session, name))
}

/// The style that was accepted, by its name.
pub(super) fn accepted_style(accepted: &Suggestion) -> Option<&str> {
    accepted.insert.strip_prefix(STYLE)
}

/// `<`, `<lo`: everything that begins like this.
fn begun<'a>(word: &'a str, whole: &str) -> Option<&'a str> {
    (!word.is_empty() && whole.starts_with(word)).then_some("")
}

fn holds(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn loras(session: &Session, part: &str) -> Vec<Suggestion> {
    let here = session.library().iter().filter(|i| i.kind == ItemKind::Lora && i.availability == Availability::Ready);
    let fitting = here.filter(|item| session.misfit(item.family).is_none());
    let named = fitting.filter(|item| !part.contains(':') && (holds(tag_name(item), part) || holds(&item.name, part)));
    let suggestion = |item| Suggestion::new(format!("{LORA}{}:1>", tag_name(item))).description(&item.name);
    named.take(MOST).map(suggestion).collect()
}

fn wildcards(session: &Session, part: &str) -> Vec<Suggestion> {
    let lists = session.wildcards();
    let choices = |name: &str| lists.choices(name).map(|choices| choices.join(", ")).unwrap_or_default();
    let named = lists.names().filter(|name| holds(name, part));
    let suggestion = |name| Suggestion::new(format!("{WILDCARD}{name}{WILDCARD}")).description(short(&choices(name)));
    named.take(MOST).map(suggestion).collect()
}

fn styles(session: &Session, part: &str) -> Vec<Suggestion> {
    let named = session.styles().iter().filter(|style| holds(&style.name, part));
    let suggestion = |style: &fourstep_prompt::Style| {
        Suggestion::new(format!("{STYLE}{}", style.name)).description(short(&style.prompt))
    };
    named.take(MOST).map(suggestion).collect()
}

/// As much as stands beside a name.
fn short(text: &str) -> String {
    const LETTERS: usize = 24;
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
