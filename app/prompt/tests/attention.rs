//! Weights equal those of AUTOMATIC1111's rule (`tests/golden/prompt/attention.py`), bit for bit.

use fourstep_prompt::pieces;
use serde_json::Value;
use std::path::Path;

#[test]
fn every_prompt_has_the_weights_of_the_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/prompt/attention.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).expect("golden data")).expect("JSON");
    assert!(cases.len() > 70);
    for case in &cases {
        let prompt = case["prompt"].as_str().expect("a prompt");
        let expected: Vec<(&str, f64)> = case["pieces"]
            .as_array()
            .expect("pieces")
            .iter()
            .map(|piece| {
                (
                    piece[0].as_str().expect("text"),
                    piece[1].as_str().and_then(|weight| weight.parse().ok()).expect("a weight"),
                )
            })
            .collect();
        let found = pieces(prompt);
        let found: Vec<(&str, f64)> = found.iter().map(|piece| (piece.text.as_str(), piece.weight)).collect();
        assert_eq!(found, expected, "{prompt:?}");
    }
}

#[test]
fn a_number_that_is_none_is_text() {
    let found = pieces("(a:1.2.3)");
    assert_eq!((found.len(), found[0].text.as_str(), found[0].weight), (1, "a:1.2.3", 1.1));
}

#[test]
fn pieces_know_where_they_stand() {
    let prompt = "x \\(y\\) (red \\[z:1.2)";
    let found = pieces(prompt);
    let at = |piece: usize, word: &str| {
        let start = found[piece].source_of(found[piece].text.find(word).expect("a word"));
        &prompt[start..start + word.len()]
    };
    assert_eq!((at(0, "x"), at(0, "y"), at(1, "red"), at(1, "z")), ("x", "y", "red", "z"));
}
