//! More or less weight for what the cursor stands in, as AUTOMATIC1111's editor does with Ctrl+↑ and Ctrl+↓.

use crate::{
    scan::{Bracket, Kind, scan},
    tags::{Tag, tags},
    words::word_at,
};
use std::ops::Range;

/// A prompt with another weight in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reweighed {
    /// The whole prompt.
    pub text: String,
    /// What has the weight now, to be selected: the next change is about the same words.
    pub selection: Range<usize>,
}

/// A tag's weight changes by this.
const TAG_STEP: f64 = 0.05;

/// Changes the weight of the selection, else of the brackets or the word around the cursor, by `by`; of a tag by half a
/// tenth. At a weight of 1 the brackets go. `None` where there is nothing to weigh.
pub fn reweigh(text: &str, selection: Range<usize>, by: f64) -> Option<Reweighed> {
    if !(text.is_char_boundary(selection.start) && text.is_char_boundary(selection.end))
        || selection.start > selection.end
    {
        return None;
    }
    let inside = |tag: &Tag<'_>| tag.range.start < selection.start && selection.end < tag.range.end;
    if let Some(tag) = tags(text).into_iter().find(inside) {
        return reweigh_tag(text, &tag, selection, TAG_STEP.copysign(by));
    }
    let groups = groups(text);
    let group = if selection.is_empty() {
        let around = |g: &&Group| g.whole.start < selection.start && selection.start < g.whole.end;
        let inner = |g: &&Group| groups.iter().all(|other| other == *g || !g.holds(other));
        groups.iter().find(|g| around(g) && inner(g))
    } else {
        groups.iter().find(|g| g.content == selection || g.whole == selection)
    };
    if let Some(group) = group {
        return write(text, group.whole.clone(), group.content.clone(), group.weight, by);
    }
    let words = if selection.is_empty() { word_at(text, selection.start)? } else { trimmed(text, selection)? };
    write(text, words.clone(), words, 1.0, by)
}

/// Puts `content`, with its new weight, in the place of `whole`.
fn write(text: &str, whole: Range<usize>, content: Range<usize>, weight: f64, by: f64) -> Option<Reweighed> {
    let new = rounded((weight + by).max(0.0));
    if new == weight {
        return None;
    }
    let words = &text[content];
    let (before, after) = if new == 1.0 { ("", String::new()) } else { ("(", format!(":{new})")) };
    let start = whole.start + before.len();
    let text = format!("{}{before}{words}{after}{}", &text[..whole.start], &text[whole.end..]);
    Some(Reweighed { text, selection: start..start + words.len() })
}

fn reweigh_tag(text: &str, tag: &Tag<'_>, selection: Range<usize>, by: f64) -> Option<Reweighed> {
    let mut arguments: Vec<&str> = tag.arguments.split(':').collect();
    let weight: f64 = arguments.get(1).map_or(Some(1.0), |stated| stated.trim().parse().ok())?;
    let new = rounded(weight + by).to_string();
    arguments.truncate(arguments.len().min(1));
    let others = tag.arguments.splitn(3, ':').nth(2).map(|rest| format!(":{rest}")).unwrap_or_default();
    let new = format!("<{}:{}:{new}{others}>", tag.kind, arguments[0]);
    let end = tag.range.start + new.len() - 1;
    let text = format!("{}{new}{}", &text[..tag.range.start], &text[tag.range.end..]);
    let within = |at: usize| (0..=at.min(end)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Some(Reweighed { selection: within(selection.start)..within(selection.end), text })
}

/// Brackets that belong together.
#[derive(Debug, PartialEq)]
struct Group {
    whole: Range<usize>,
    content: Range<usize>,
    weight: f64,
}

impl Group {
    fn holds(&self, other: &Self) -> bool {
        self.content.start <= other.whole.start && other.whole.end <= self.content.end
    }
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    let (mut round, mut square) = (Vec::new(), Vec::new());
    for token in scan(text) {
        let (open, weight) = match token.kind {
            Kind::Open(Bracket::Round) => {
                round.push(token.span);
                continue;
            }
            Kind::Open(Bracket::Square) => {
                square.push(token.span);
                continue;
            }
            Kind::Weight(weight) => (round.pop(), weight),
            Kind::Close(Bracket::Round) => (round.pop(), 1.1),
            Kind::Close(Bracket::Square) => (square.pop(), 0.9),
            Kind::Escape | Kind::Text => continue,
        };
        if let Some(open) = open {
            groups.push(Group { whole: open.start..token.span.end, content: open.end..token.span.start, weight });
        }
    }
    groups
}

fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let words = &text[range.clone()];
    let start = range.start + (words.len() - words.trim_start().len());
    let end = start + words.trim().len();
    (start < end).then_some(start..end)
}

fn rounded(weight: f64) -> f64 {
    (weight * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` stands for the cursor, two of them for a selection.
    fn pressed(text: &str, by: f64) -> Option<String> {
        let start = text.find('|')?;
        let plain = text.replacen('|', "", 1);
        let end = plain.find('|').unwrap_or(start);
        let done = reweigh(&plain.replace('|', ""), start..end, by)?;
        let (a, b) = (done.selection.start, done.selection.end);
        Some(format!("{}|{}|{}", &done.text[..a], &done.text[a..b], &done.text[b..]))
    }

    #[test]
    fn a_word_gets_brackets_and_loses_them_at_one() {
        assert_eq!(pressed("a r|ed apple", 0.1).as_deref(), Some("a (|red|:1.1) apple"));
        assert_eq!(pressed("a (|red|:1.1) apple", 0.1).as_deref(), Some("a (|red|:1.2) apple"));
        assert_eq!(pressed("a (|red|:1.1) apple", -0.1).as_deref(), Some("a |red| apple"));
        assert_eq!(pressed("a |red| apple", -0.05).as_deref(), Some("a (|red|:0.95) apple"));
        assert_eq!(pressed("a| red |apple", 0.1).as_deref(), Some("a (|red|:1.1) apple"));
        assert_eq!(pressed("(red:0.0|5)", -0.1).as_deref(), Some("(|red|:0)"));
        assert_eq!(pressed("(r|ed:0.05)", -0.1).as_deref(), Some("(|red|:0)"));
        assert_eq!(pressed("(r|ed:0)", -0.1), None);
    }

    #[test]
    fn brackets_around_the_cursor_are_what_is_weighed() {
        assert_eq!(pressed("(a r|ed apple:1.3), x", 0.1).as_deref(), Some("(|a red apple|:1.4), x"));
        assert_eq!(pressed("(r|ed)", 0.1).as_deref(), Some("(|red|:1.2)"));
        assert_eq!(pressed("(r|ed)", -0.1).as_deref(), Some("|red|"));
        assert_eq!(pressed("[r|ed]", -0.1).as_deref(), Some("(|red|:0.8)"));
        assert_eq!(pressed("(a (b:1.2) c|d)", 0.1).as_deref(), Some("(a (b:1.2) (|cd|:1.1))"));
        assert_eq!(pressed("\\(r|ed\\)", 0.1).as_deref(), Some("\\((|red|:1.1)\\)"));
    }

    #[test]
    fn tags_change_by_half_a_tenth() {
        assert_eq!(pressed("x <lora:in|k:0.5> y", 0.1).as_deref(), Some("x <lora:in||k:0.55> y"));
        assert_eq!(pressed("<lora:ink|>", -0.1).as_deref(), Some("<lora:ink||:0.95>"));
        assert_eq!(pressed("<lora:ink|:1:0.5>", 0.1).as_deref(), Some("<lora:ink||:1.05:0.5>"));
        assert_eq!(pressed("<lora:ink|:x>", 0.1), None);
    }

    #[test]
    fn nothing_is_weighed_where_nothing_is() {
        assert_eq!((pressed("|", 0.1), pressed("a , | , b", 0.1), pressed("a|  |b", 0.1)), (None, None, None));
    }
}
