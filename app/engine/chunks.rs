//! A prompt cut into the windows of a text encoder, with the weight of each token.

use crate::tokenizer::{ClipTokenizer, Token, TokenizerError};
use fourstep_prompt::{Piece, pieces};
use fourstep_protocol::{PromptReading, TokenCount};
use std::collections::BTreeSet;

/// What a text encoder takes at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Start, text, end, padding.
    pub ids: Vec<u32>,
    /// One for each id; 1 for start, end and padding.
    pub weights: Vec<f32>,
}

/// A whole prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunks {
    /// At least one.
    pub chunks: Vec<Chunk>,
    /// What the person is told of it.
    pub reading: PromptReading,
}

/// After a comma so near to a chunk's end the rest goes to the next chunk, so that it is not torn apart:
/// AUTOMATIC1111's `comma_padding_backtrack` as it is set when nobody changed it.
const NEAR: usize = 20;
/// Chunks that are read; what is longer is no prompt, and would take the memory of a model.
const MOST: usize = 32;

impl Chunk {
    /// Whether some of its tokens count more or less than others.
    pub fn is_weighted(&self) -> bool {
        self.weights.iter().any(|weight| *weight != 1.0)
    }

    fn new(tokenizer: &ClipTokenizer, tokens: &[Weighted]) -> Self {
        let ids = tokenizer.window(tokens.iter().map(|token| token.id));
        let mut weights = vec![1.0; ids.len()];
        for (weight, token) in weights[1..].iter_mut().zip(tokens) {
            *weight = token.weight;
        }
        Self { ids, weights }
    }

    /// Of a prompt without words, to make one prompt as long as another.
    pub fn empty(tokenizer: &ClipTokenizer) -> Self {
        Self::new(tokenizer, &[])
    }
}

/// Cuts a prompt as AUTOMATIC1111 does (`sd_hijack_clip.py` `tokenize_line`): a chunk ends where it is full, at the last
/// comma where that is near, and at each `BREAK`. At most 32 are read.
///
/// # Errors
/// [`TokenizerError::Library`].
pub fn chunks(tokenizer: &ClipTokenizer, prompt: &str) -> Result<Chunks, TokenizerError> {
    let mut cutter = Cutter::new(tokenizer.places(), tokenizer.comma());
    let mut unknown = BTreeSet::new();
    for piece in pieces(prompt) {
        if piece.is_break() {
            cutter.end_chunk();
            continue;
        }
        let tokens = tokenizer.tokens(&piece.text)?;
        unknown.extend(unknown_words(tokenizer, &piece, &tokens));
        let weight = piece.weight as f32;
        for Token { id, range, .. } in tokens {
            cutter.push(Weighted { id, weight, at: piece.source_of(range.start) });
        }
    }
    let Cutter { mut done, open, places, .. } = cutter;
    let used = done.len() * places + open.len();
    if !open.is_empty() || done.is_empty() {
        done.push(open);
    }
    let unread_from = done.get(MOST).and_then(|chunk| Some(chunk.first()?.at));
    done.truncate(MOST);
    let tokens = TokenCount { used, window: done.len() * places };
    let chunk_starts = done.iter().skip(1).filter_map(|chunk| Some(chunk.first()?.at)).collect();
    let reading = PromptReading { tokens, chunk_starts, unread_from, unknown_words: unknown.into_iter().collect() };
    Ok(Chunks { chunks: done.iter().map(|tokens| Chunk::new(tokenizer, tokens)).collect(), reading })
}

/// A token and how much it counts.
struct Weighted {
    id: u32,
    weight: f32,
    /// Where it stands in the prompt.
    at: usize,
}

struct Cutter {
    places: usize,
    comma: Option<u32>,
    done: Vec<Vec<Weighted>>,
    open: Vec<Weighted>,
    /// Where the last comma of the open chunk stands in it.
    last_comma: Option<usize>,
}

impl Cutter {
    fn new(places: usize, comma: Option<u32>) -> Self {
        Self { places, comma, done: Vec::new(), open: Vec::new(), last_comma: None }
    }

    fn push(&mut self, token: Weighted) {
        if Some(token.id) == self.comma {
            self.last_comma = Some(self.open.len());
        } else if self.open.len() == self.places
            && let Some(comma) = self.last_comma.filter(|comma| self.places - comma <= NEAR)
        {
            let moved = self.open.split_off(comma + 1);
            self.end_chunk();
            self.open = moved;
        }
        if self.open.len() == self.places {
            self.end_chunk();
        }
        self.open.push(token);
    }

    fn end_chunk(&mut self) {
        self.last_comma = None;
        self.done.push(std::mem::take(&mut self.open));
    }
}

fn unknown_words(tokenizer: &ClipTokenizer, piece: &Piece, tokens: &[Token]) -> Vec<String> {
    let of_words = tokens.chunk_by(|a, b| a.word.is_some() && a.word == b.word);
    let words = of_words.filter_map(|tokens| {
        let range = tokens.first()?.range.start..tokens.last()?.range.end;
        let word = piece.text.get(range)?;
        tokenizer.spells_unknown(word, tokens.len()).then(|| word.to_lowercase())
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(prompt: &str) -> Chunks {
        chunks(&ClipTokenizer::standard(false).expect("a tokenizer"), prompt).expect("tokens")
    }

    fn counts(prompt: &str) -> (usize, usize, usize) {
        let read = read(prompt);
        (read.reading.tokens.used, read.reading.tokens.window, read.chunks.len())
    }

    #[test]
    fn tokens_are_counted_in_chunks() {
        assert_eq!(counts(""), (0, 75, 1));
        assert_eq!(counts("a red apple"), (3, 75, 1));
        assert_eq!(counts(&"red ".repeat(75)), (75, 75, 1));
        assert_eq!(counts(&"red ".repeat(76)), (76, 150, 2));
        assert_eq!(counts("a BREAK b"), (76, 150, 2));
        assert_eq!(counts("BREAK"), (75, 75, 1));
    }

    #[test]
    fn what_follows_a_near_comma_moves_and_a_far_one_moves_nothing() {
        let near = format!("{}, {}", "red ".repeat(70), "blue ".repeat(10));
        let read_near = read(&near);
        assert_eq!(read_near.reading.chunk_starts, [near.find("blue").expect("stands there")]);
        let far = format!("{}, {}", "red ".repeat(50), "blue ".repeat(30));
        assert_eq!(read(&far).reading.chunk_starts, [far.find("blue").expect("stands there") + 5 * (75 - 51)]);
    }

    #[test]
    fn a_book_is_not_read_to_its_end() {
        let book = "red ".repeat(75 * MOST + 10);
        let read = read(&book);
        assert_eq!((read.chunks.len(), read.reading.tokens.window), (MOST, 75 * MOST));
        assert_eq!((read.reading.tokens.used, read.reading.unread_from), (75 * MOST + 10, Some(4 * 75 * MOST)));
    }

    #[test]
    fn weights_stand_beside_their_tokens() {
        let read = read("a (red:1.5) apple");
        assert_eq!(read.chunks[0].weights[..6], [1.0, 1.0, 1.5, 1.0, 1.0, 1.0]);
        assert!(read.chunks[0].is_weighted());
    }

    #[test]
    fn words_that_are_spelt_in_letters_are_not_known() {
        assert_eq!(read("a red apple, 12 masterpieces ! \u{1f600}").reading.unknown_words, [""; 0]);
        assert_eq!(read("a (xqzk:1.2) 貓𓆏").reading.unknown_words, ["xqzk", "貓𓆏"]);
    }
}
