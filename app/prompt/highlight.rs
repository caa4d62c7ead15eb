//! What each part of a typed prompt is, for an editor that shows it.

use crate::{
    attention::fragments,
    comments::comments,
    tags::tags,
    wildcards::{Choice, choices},
};
use std::ops::Range;

/// What a part of a prompt is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// Words that count as much as others.
    Text,
    /// Words with this weight.
    Weighted(f64),
    /// Brackets, weights, backslashes.
    Syntax,
    /// `BREAK`
    Break,
    /// `<lora:…>`
    Tag,
    /// Braces and bars of `{a|b}`.
    Choice,
    /// `__name__`
    Wildcard,
    /// `# …`
    Comment,
}

/// A part of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// In bytes.
    pub range: Range<usize>,
    /// What it is.
    pub mark: Mark,
}

/// Every part of a text, in order and without gaps.
pub fn highlight(text: &str) -> Vec<Span> {
    let comments = comments(text);
    let spoken = blank(text, comments.iter().cloned());
    let tags: Vec<_> = tags(&spoken).into_iter().map(|tag| tag.range).collect();
    let words = blank(&spoken, tags.iter().cloned());

    let mut marks = vec![Mark::Syntax; text.len()];
    for fragment in fragments(&words) {
        let is_break = fragment.weight < 0.0 && &words[fragment.source.clone()] == "BREAK";
        let mark = match fragment.weight {
            _ if is_break => Mark::Break,
            1.0 => Mark::Text,
            weight => Mark::Weighted(weight),
        };
        marks[fragment.source].fill(mark);
    }
    mark_choices(&words, 0, &mut marks);
    tags.into_iter().for_each(|range| marks[range].fill(Mark::Tag));
    comments.into_iter().for_each(|range| marks[range].fill(Mark::Comment));
    runs(&marks)
}

fn mark_choices(text: &str, offset: usize, marks: &mut [Mark]) {
    for (range, choice) in choices(text) {
        let place = offset + range.start..offset + range.end;
        match choice {
            Choice::Named(_) => marks[place].fill(Mark::Wildcard),
            Choice::Among(options) => {
                marks[place.start] = Mark::Choice;
                for option in options {
                    marks[offset + option.end] = Mark::Choice;
                    mark_choices(&text[option.clone()], offset + option.start, marks);
                }
            }
        }
    }
}

/// The text with spaces in these places, so that all others stay where they are.
fn blank(text: &str, ranges: impl Iterator<Item = Range<usize>>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        out.push_str(&text[from..range.start]);
        out.extend(std::iter::repeat_n(' ', range.len()));
        from = range.end;
    }
    out.push_str(&text[from..]);
    out
}

fn runs(marks: &[Mark]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (at, mark) in marks.iter().enumerate() {
        match spans.last_mut() {
            Some(last) if last.mark == *mark => last.range.end = at + 1,
            _ => spans.push(Span { range: at..at + 1, mark: *mark }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str) -> Vec<(&str, Mark)> {
        highlight(text).into_iter().map(|span| (&text[span.range], span.mark)).collect()
    }

    #[test]
    fn every_part_has_its_mark() {
        use Mark::{Break, Choice, Comment, Syntax, Tag, Text, Weighted, Wildcard};
        assert_eq!(
            marked("a (red:1.2) {cat|(dog)} __hat__ BREAK <lora:ink:0.5> # (x"),
            [
                ("a ", Text),
                ("(", Syntax),
                ("red", Weighted(1.2)),
                (":1.2)", Syntax),
                (" ", Text),
                ("{", Choice),
                ("cat", Text),
                ("|", Choice),
                ("(", Syntax),
                ("dog", Weighted(1.1)),
                (")", Syntax),
                ("}", Choice),
                (" ", Text),
                ("__hat__", Wildcard),
                (" ", Syntax),
                ("BREAK", Break),
                (" ", Syntax),
                ("<lora:ink:0.5>", Tag),
                (" ", Syntax),
                ("# (x", Comment),
            ]
        );
    }

    #[test]
    fn comments_and_tags_have_no_brackets() {
        assert_eq!(marked("ä # (ö\nü")[2..], [("\nü", Mark::Text)]);
        assert!(marked("<lora:a(b:1> x").iter().all(|(_, mark)| !matches!(mark, Mark::Weighted(_))));
    }
}
