//! Token ids equal transformers' `CLIPTokenizer`'s.

use fourstep_engine::tokenizer::{ClipTokenizer, TokenizerConfig, TokenizerError};
use fourstep_weights::Storage;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sticker() -> PathBuf {
    root().join("assets/sticker/teacher")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(sticker().join("tokenizer").join(name)).expect("the embedded tokenizer")
}

#[derive(serde::Deserialize)]
struct Case {
    prompt: String,
    used: usize,
    head: Vec<u32>,
    fill: u32,
}

fn golden(pad: &str) -> Vec<Case> {
    cases("golden.json", pad)
}

fn cases(file: &str, pad: &str) -> Vec<Case> {
    let json = std::fs::read(root().join("tests/golden/tokenizer").join(file)).expect(file);
    let mut all: BTreeMap<String, Vec<Case>> = serde_json::from_slice(&json).expect(file);
    all.remove(pad).expect("this padding")
}

fn compare(tokenizer: &ClipTokenizer, cases: &[Case]) {
    assert!(cases.len() > 40);
    for Case { prompt, used, head, fill } in cases {
        let tokens = tokenizer.tokens(prompt).expect("every text has tokens");
        let mut ids = head.clone();
        ids.resize(77, *fill);
        assert_eq!(tokenizer.window(tokens.iter().map(|token| token.id)), ids, "{prompt:?}");
        assert_eq!((tokens.len(), tokenizer.places()), (*used, 75), "{prompt:?}");
        assert!(tokens.iter().all(|token| prompt.get(token.range.clone()).is_some()), "{prompt:?}");
    }
}

#[test]
fn from_vocab_and_merges() {
    let tokenizer = ClipTokenizer::load(&Storage::Directory(sticker()), "tokenizer").expect("tokenizer");
    compare(&tokenizer, &golden("endoftext"));
}

#[test]
fn padded_with_another_token() {
    let config = TokenizerConfig { pad: "!".into(), ..TokenizerConfig::default() };
    let tokenizer = ClipTokenizer::open(&file("vocab.json"), &file("merges.txt"), &config).expect("tokenizer");
    compare(&tokenizer, &golden("!"));
}

#[test]
fn clips_own_vocabulary_in_the_program() {
    for (pad_with_zero, pad) in [(false, "endoftext"), (true, "!")] {
        let tokenizer = ClipTokenizer::standard(pad_with_zero).expect("tokenizer");
        compare(&tokenizer, &cases("clip.json", pad));
        assert_eq!(tokenizer.eos(), 49407);
    }
}

#[test]
fn from_tokenizer_json_in_both_forms_of_merges() {
    let vocab: Value = serde_json::from_slice(&file("vocab.json")).expect("vocab.json");
    let text = String::from_utf8(file("merges.txt")).expect("UTF-8");
    let lines: Vec<&str> = text.lines().skip(1).filter(|line| !line.is_empty()).collect();
    let pairs: Vec<Vec<&str>> = lines.iter().map(|line| line.split(' ').collect()).collect();
    for merges in [json!(lines), json!(pairs)] {
        let whole = json!({ "version": "1.0", "model": { "type": "BPE", "vocab": vocab, "merges": merges } });
        let dir = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(dir.path().join("tokenizer")).expect("create");
        std::fs::write(dir.path().join("tokenizer/tokenizer.json"), whole.to_string()).expect("write");
        let tokenizer = ClipTokenizer::load(&Storage::Directory(dir.path().into()), "tokenizer").expect("tokenizer");
        compare(&tokenizer, &golden("endoftext"));
    }
}

#[test]
fn special_tokens_are_read_as_names_and_as_objects() {
    let config = br#"{"pad_token": {"content": "!", "lstrip": false}, "model_max_length": 1e30}"#;
    let map = br#"{"pad_token": "x", "bos_token": "<s>"}"#;
    let read = TokenizerConfig::read(Some(config), Some(map)).expect("read");
    assert_eq!((read.pad.as_str(), read.bos.as_str(), read.eos.as_str()), ("!", "<s>", "<|endoftext|>"));
    assert_eq!(read.max_length, 77);
    assert_eq!(TokenizerConfig::read(None, None).expect("defaults"), TokenizerConfig::default());
}

#[test]
fn damaged_files_are_errors() {
    let (vocab, merges, config) = (file("vocab.json"), file("merges.txt"), TokenizerConfig::default());
    let refused = |vocab: &[u8], merges: &[u8], config: &TokenizerConfig| {
        let error = ClipTokenizer::open(vocab, merges, config).map(|_| ()).expect_err("refused");
        assert!(matches!(error, TokenizerError::Damaged { .. }), "{error}");
    };
    refused(&vocab[..100], &merges, &config);
    refused(b"{}", &merges, &config);
    refused(&vocab, b"i n extra\n", &config);
    refused(&vocab, b"single\n", &config);
    refused(&vocab, b"<|endoftext|> <|endoftext|>\n", &config);
    refused(&vocab, b"\xff\xfe", &config);
    refused(&vocab, &merges, &TokenizerConfig { pad: "<pad>".into(), ..config.clone() });
    let dir = tempfile::tempdir().expect("temporary folder");
    let missing = ClipTokenizer::load(&Storage::Directory(dir.path().into()), "tokenizer").map(|_| ());
    assert!(matches!(missing, Err(TokenizerError::File(_))));
}
