//! A prompt cut into brackets, weights, escapes and text.

use std::ops::Range;

/// Which brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bracket {
    /// `(` `)`
    Round,
    /// `[` `]`
    Square,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `\(`, `\)`, `\[`, `\]`, `\\`: the second character itself; or a lone `\`, which is nothing.
    Escape,
    Open(Bracket),
    Close(Bracket),
    /// `:1.2)`: ends a round bracket with this weight.
    Weight(f64),
    Text,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// In bytes; tokens follow each other without gaps.
    pub(crate) span: Range<usize>,
}

/// Cuts the whole text, from left to right.
pub(crate) fn scan(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some((kind, length)) = first(&text[at..]) {
        tokens.push(Token { kind, span: at..at + length });
        at += length;
    }
    tokens
}

fn first(rest: &str) -> Option<(Kind, usize)> {
    let c = rest.chars().next()?;
    Some(match c {
        '\\' => match rest[1..].chars().next() {
            Some('(' | ')' | '[' | ']' | '\\') => (Kind::Escape, 2),
            _ => (Kind::Escape, 1),
        },
        '(' => (Kind::Open(Bracket::Round), 1),
        '[' => (Kind::Open(Bracket::Square), 1),
        ')' => (Kind::Close(Bracket::Round), 1),
        ']' => (Kind::Close(Bracket::Square), 1),
        ':' => weight(rest).unwrap_or((Kind::Text, 1)),
        _ => (Kind::Text, rest.find(['\\', '(', ')', '[', ']', ':']).unwrap_or(rest.len())),
    })
}

/// `: 1.2 )`. What looks like a number and is none (`1.2.3`), where AUTOMATIC1111 gives up, is text.
fn weight(rest: &str) -> Option<(Kind, usize)> {
    let number = rest[1..].trim_start();
    let unsigned = number.strip_prefix(['+', '-']).unwrap_or(number);
    let after = unsigned.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let value: f64 = number[..number.len() - after.len()].parse().ok().filter(|v: &f64| v.is_finite())?;
    let end = after.trim_start().strip_prefix(')')?;
    Some((Kind::Weight(value), rest.len() - end.len()))
}
