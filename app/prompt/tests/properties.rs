//! Whatever is typed, nothing panics, nothing is lost, and plain text stays as it is.

use fourstep_prompt::{Style, Wildcards, highlight, pieces, resolve, reweigh, without, word_at};
use proptest::prelude::*;

/// Text with much syntax in it.
fn typed() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z ,]{0,6}",
        "[()\\[\\]\\\\:{}|<>_#\n]{1,3}",
        "(:[0-9.]{1,3}\\))|(BREAK)|(<lora:[a-z]{1,3}:[0-9.]{0,3}>)|(__[a-z]{1,2}__)",
        "[éß漢🎈]{1,2}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn wildcards() -> Wildcards {
    let mut wildcards = Wildcards::default();
    wildcards.insert("a", "one\n(two:1.3)\n__b__\n{x|y}");
    wildcards.insert("b", "__a__ <lora:q:0.5>\nz");
    wildcards
}

proptest! {
    #[test]
    fn nothing_panics(text in typed(), seed: u64, at in 0usize..80, length in 0usize..20, up: bool) {
        let resolved = resolve(&text, &wildcards(), seed);
        prop_assert_eq!(&resolved, &resolve(&text, &wildcards(), seed));
        prop_assert!(resolved.pieces().iter().all(|piece| piece.weight.is_finite()));
        if let Some(done) = reweigh(&text, at..at + length, if up { 0.1 } else { -0.1 }) {
            prop_assert!(done.text.get(done.selection).is_some());
        }
        if let Some(word) = word_at(&text, at) {
            prop_assert!(without(&text, word).len() < text.len());
        }
    }

    #[test]
    fn highlighting_covers_every_byte_once(text in typed()) {
        let mut at = 0;
        for span in highlight(&text) {
            prop_assert_eq!(span.range.start, at);
            prop_assert!(text.get(span.range.clone()).is_some());
            at = span.range.end;
        }
        prop_assert_eq!(at, text.len());
    }

    #[test]
    fn pieces_come_from_where_they_say(text in typed()) {
        for piece in pieces(&text) {
            let ends = piece.parts.iter().skip(1).map(|part| part.at).chain([piece.text.len()]);
            for (part, end) in piece.parts.iter().zip(ends) {
                prop_assert_eq!(&piece.text[part.at..end], &text[part.source.clone()]);
            }
        }
    }

    #[test]
    fn plain_text_stays(text in "[a-zA-Z0-9 ,.;:!?'\"é漢\n_-]{0,60}", seed: u64) {
        prop_assume!(!text.contains("__") && !text.contains("BREAK"));
        let resolved = resolve(&text, &wildcards(), seed);
        prop_assert_eq!(&resolved.text, &text);
        prop_assert!(resolved.loras.is_empty() && resolved.problems.is_empty());
        let pieces = resolved.pieces();
        prop_assert_eq!((pieces.len(), &pieces[0].text, pieces[0].weight), (1, &text, 1.0));
    }

    #[test]
    fn escaped_text_comes_back(text in "[a-z()\\[\\]\\\\ ]{0,40}") {
        let escaped: String = text.chars().flat_map(|c| "()[]\\".contains(c).then_some('\\').into_iter().chain([c])).collect();
        let pieces = pieces(&escaped);
        prop_assert_eq!((pieces.len(), &pieces[0].text, pieces[0].weight), (1, &text, 1.0));
    }

    #[test]
    fn more_and_less_weight_is_what_it_was(text in "[a-z]{1,5}( [a-z]{1,5}){0,3}", at in 0usize..20) {
        if let Some(more) = reweigh(&text, at..at, 0.1) {
            prop_assert_eq!(reweigh(&more.text, more.selection, -0.1).map(|done| done.text), Some(text));
        }
    }

    #[test]
    fn a_style_with_a_place_keeps_the_prompt(prompt in typed(), before in "[a-z ,]{0,9}", after in "[a-z ,]{0,9}") {
        let style = Style { name: String::new(), prompt: format!("{before}{{prompt}}{after}"), negative: String::new() };
        prop_assert_eq!(style.apply(&prompt, "").0, format!("{before}{prompt}{after}"));
    }
}
