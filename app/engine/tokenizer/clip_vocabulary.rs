use std::collections::HashMap;

/// What OpenAI's CLIP merges, in order, two tokens a line (`assets/clip/make.py`). Every Stable Diffusion model has this
/// vocabulary; single-file checkpoints leave it out.
const MERGES: &str = include_str!("../../../assets/clip/merges.txt");

/// Ids by token, and merges in order, as `simple_tokenizer.py` of OpenAI's CLIP makes them: a symbol for each byte, the
/// same at the end of a word, what each merge makes, start and end. 49408 tokens.
pub(super) fn vocabulary() -> (HashMap<String, u32>, Vec<(String, String)>) {
    let merges: Vec<(String, String)> =
        MERGES.lines().filter_map(|line| line.split_once(' ')).map(|(a, b)| (a.into(), b.into())).collect();
    let symbols = byte_symbols();
    let tokens = symbols
        .iter()
        .map(char::to_string)
        .chain(symbols.iter().map(|symbol| format!("{symbol}</w>")))
        .chain(merges.iter().map(|(a, b)| format!("{a}{b}")))
        .chain(["<|startoftext|>", "<|endoftext|>"].map(String::from));
    ((0..).zip(tokens).map(|(id, token)| (token, id)).collect(), merges)
}

/// A character for each byte (`bytes_to_unicode`): printable ones stand for themselves and come first, the others are
/// moved to 256 and on. Only the order matters here; which byte is which the byte-level pre-tokenizer knows.
fn byte_symbols() -> Vec<char> {
    let printable = ['!'..='~', '¡'..='¬', '®'..='ÿ'].into_iter().flatten();
    let mut symbols: Vec<char> = printable.collect();
    symbols.extend((256..).take(256 - symbols.len()).filter_map(char::from_u32));
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_has_clips_size_and_order() {
        let (vocabulary, merges) = vocabulary();
        assert_eq!((vocabulary.len(), merges.len()), (49408, 48894));
        for (token, id) in [("!", 0), ("Ā", 188), ("a</w>", 320), ("<|startoftext|>", 49406), ("<|endoftext|>", 49407)]
        {
            assert_eq!(vocabulary.get(token), Some(&id), "{token}");
        }
    }
}
