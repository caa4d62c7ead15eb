//! Weights of words, as AUTOMATIC1111's `parse_prompt_attention` reads them.

use crate::scan::{Bracket, Kind, Token, scan};
use std::ops::Range;

/// Text with one weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Without brackets and backslashes.
    pub text: String,
    /// 1 for plain text.
    pub weight: f64,
    /// Where each part of the text stands in the prompt.
    pub parts: Vec<Part>,
}

/// A part of a [`Piece`] that stands in the prompt as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it begins in the piece's text, in bytes.
    pub at: usize,
    /// Where it stands in the prompt, in bytes.
    pub source: Range<usize>,
}

const BREAK: &str = "BREAK";
const BREAK_WEIGHT: f64 = -1.0;
/// Of `(x)`, and of `[x]` the other way round.
pub(crate) const STEP: f64 = 1.1;

impl Piece {
    /// Whether it is the word `BREAK`, which ends a chunk of tokens.
    ///
    /// AUTOMATIC1111 knows it by its weight of −1, so inside of brackets, which change that, it is a word like others.
    pub fn is_break(&self) -> bool {
        self.text == BREAK && self.weight == BREAK_WEIGHT
    }

    /// Where the byte at this place of the text stands in the prompt.
    pub fn source_of(&self, at: usize) -> usize {
        let part = self.parts.iter().rev().find(|part| part.at <= at).or(self.parts.first());
        part.map_or(0, |part| (part.source.start + (at - part.at)).min(part.source.end))
    }
}

/// The words of a prompt with their weights; at least one piece. Neighbours with the same weight are one piece.
///
/// `(x)` is ×1.1, `(x:1.2)` is ×1.2, `[x]` is ÷1.1, nested ones are multiplied, `\(` is a bracket, and a bracket that is
/// not closed reaches to the end.
pub fn pieces(prompt: &str) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for fragment in fragments(prompt) {
        let text = &prompt[fragment.source.clone()];
        match merged.last_mut() {
            Some(last) if last.weight == fragment.weight => {
                last.parts.push(Part { at: last.text.len(), source: fragment.source.clone() });
                last.text.push_str(text);
            }
            _ => {
                let parts = vec![Part { at: 0, source: fragment.source.clone() }];
                merged.push(Piece { text: text.to_owned(), weight: fragment.weight, parts });
            }
        }
    }
    if merged.is_empty() {
        merged.push(Piece { text: String::new(), weight: 1.0, parts: vec![Part { at: 0, source: 0..0 }] });
    }
    merged
}

/// Text between two pieces of syntax.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fragment {
    pub(crate) source: Range<usize>,
    pub(crate) weight: f64,
}

/// Every run of text with its weight, in order.
pub(crate) fn fragments(prompt: &str) -> Vec<Fragment> {
    let mut found = Vec::new();
    let (mut round, mut square) = (Vec::new(), Vec::new());
    for Token { kind, span } in scan(prompt) {
        match kind {
            Kind::Escape => found.push(Fragment { source: span.start + 1..span.end, weight: 1.0 }),
            Kind::Open(Bracket::Round) => round.push(found.len()),
            Kind::Open(Bracket::Square) => square.push(found.len()),
            Kind::Weight(weight) if !round.is_empty() => multiply(&mut found, round.pop(), weight),
            Kind::Close(Bracket::Round) if !round.is_empty() => multiply(&mut found, round.pop(), STEP),
            Kind::Close(Bracket::Square) if !square.is_empty() => multiply(&mut found, square.pop(), 1.0 / STEP),
            Kind::Weight(_) | Kind::Close(_) | Kind::Text => split_at_breaks(prompt, span, &mut found),
        }
    }
    for from in round {
        multiply(&mut found, Some(from), STEP);
    }
    for from in square {
        multiply(&mut found, Some(from), 1.0 / STEP);
    }
    found
}

fn multiply(fragments: &mut [Fragment], from: Option<usize>, by: f64) {
    for fragment in fragments.iter_mut().skip(from.unwrap_or(usize::MAX)) {
        fragment.weight *= by;
    }
}

/// `a BREAK b` → `a`, `BREAK`, `b`; the space around the word goes with it.
fn split_at_breaks(prompt: &str, span: Range<usize>, found: &mut Vec<Fragment>) {
    let text = &prompt[span.clone()];
    let mut from = 0;
    for (at, _) in text.match_indices(BREAK) {
        let (before, after) = (&text[..at], &text[at + BREAK.len()..]);
        if before.ends_with(is_word) || after.starts_with(is_word) || at < from {
            continue;
        }
        let end = before.trim_end().len().max(from);
        found.push(Fragment { source: span.start + from..span.start + end, weight: 1.0 });
        found.push(Fragment { source: span.start + at..span.start + at + BREAK.len(), weight: BREAK_WEIGHT });
        from = text.len() - after.trim_start().len();
    }
    found.push(Fragment { source: span.start + from..span.end, weight: 1.0 });
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
