//! Words of a prompt, as the cursor and the pointer find them.

use std::ops::Range;

/// What stands between words for AUTOMATIC1111's editor, with brackets and bars.
const BETWEEN: &str = ".,\\/!?%^*;:{}=`~()[]<>|#\"";

/// The word that a place, in bytes, lies in or beside.
pub fn word_at(text: &str, at: usize) -> Option<Range<usize>> {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at))?;
    let between = |c: char| c.is_whitespace() || BETWEEN.contains(c);
    let start = text[..at].rfind(between).map_or(0, |i| i + text[i..].chars().next().map_or(1, char::len_utf8));
    let end = text[at..].find(between).map_or(text.len(), |i| at + i);
    (start < end).then_some(start..end)
}

/// The text without a word, and without the space or comma that stood between it and its neighbours.
pub fn without(text: &str, word: Range<usize>) -> String {
    let (mut before, mut after) = (&text[..word.start], &text[word.end..]);
    let bare = before.trim_end_matches(' ');
    if (bare.is_empty() || bare.ends_with(',')) && after.trim_start_matches(' ').starts_with(',') {
        after = &after.trim_start_matches(' ')[1..];
    }
    if before.is_empty() || before.ends_with(char::is_whitespace) {
        after = after.trim_start_matches(' ');
    }
    if after.is_empty() || after.starts_with(char::is_whitespace) {
        before = before.trim_end_matches(' ');
    }
    format!("{before}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_inside_and_at_both_ends() {
        let text = "a (röd apple:1.2), red";
        let word = |at| word_at(text, at).map(|range| &text[range]);
        assert_eq!([word(3), word(4), word(6), word(7)], [Some("röd"); 4]);
        assert_eq!([word(5), word(13)], [Some("röd"), Some("apple")]);
        assert_eq!([word(22), word(999)], [Some("red"); 2]);
        assert_eq!((word_at("", 0), word_at("( )", 1)), (None, None));
    }

    #[test]
    fn a_word_goes_with_what_joined_it() {
        let cut = |text: &str, word: &str| {
            let at = text.find(word).expect("stands there");
            without(text, at..at + word.len())
        };
        assert_eq!(cut("a red apple", "red"), "a apple");
        assert_eq!(cut("red apple", "red"), "apple");
        assert_eq!(cut("an apple red", "red"), "an apple");
        assert_eq!(cut("cat, red, dog", "red"), "cat, dog");
        assert_eq!(cut("red, dog", "red"), "dog");
        assert_eq!(cut("a (red:1.3) dog", "red"), "a (:1.3) dog");
    }
}
