//! Comments: from `#` to the end of the line.

use std::ops::Range;

/// Where the comments of a text stand, without their line breaks.
pub(crate) fn comments(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('#').map(|offset| at + offset) {
        at = text[start..].find('\n').map_or(text.len(), |length| start + length);
        found.push(start..at);
    }
    found
}

/// The text without its comments.
pub(crate) fn strip(text: &str) -> String {
    without_ranges(text, &comments(text))
}

/// The text without what stands in these places, which are in order.
pub(crate) fn without_ranges(text: &str, ranges: &[Range<usize>]) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        rest.push_str(&text[from..range.start]);
        from = range.end;
    }
    rest.push_str(&text[from..]);
    rest
}

#[cfg(test)]
mod tests {
    #[test]
    fn comments_end_with_their_line() {
        assert_eq!(super::strip("a cat # red\n# (old:1.2)\non a mat#"), "a cat \n\non a mat");
        assert_eq!(super::strip("no comment"), "no comment");
    }
}
