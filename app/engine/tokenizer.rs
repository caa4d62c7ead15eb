//! Text to the token ids of CLIP text encoders.

mod clip_vocabulary;

use fourstep_weights::{Storage, WeightsError};
use serde::Deserialize;
use std::{collections::HashMap, ops::Range};
use tokenizers::{
    AddedToken, SplitDelimiterBehavior, Tokenizer,
    models::bpe::BPE,
    normalizers::{Lowercase, NFC, NormalizerWrapper, Replace, Sequence, replace::ReplacePattern},
    pre_tokenizers::{
        PreTokenizerWrapper,
        byte_level::ByteLevel,
        sequence::Sequence as PreSequence,
        split::{Split, SplitPattern},
    },
};

/// CLIP's tokenizer: lower case, words, byte-level BPE with `</w>` at the end of a word
/// (transformers 5 `tokenization_clip.py`).
pub struct ClipTokenizer {
    tokenizer: Tokenizer,
    bos: u32,
    eos: u32,
    pad: u32,
    /// `,</w>`
    comma: Option<u32>,
    max_length: usize,
    /// The vocabulary was cut down to the words of one training, each of which is a token.
    pruned: bool,
}

/// A piece of text that a text encoder knows by a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// Which word of the text it belongs to; `None` for special tokens.
    pub word: Option<u32>,
}

/// A vocabulary with fewer tokens than this was cut down; CLIP's has 49408.
const WHOLE_VOCABULARY: usize = 20_000;

/// Why a tokenizer cannot be built or used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// A file is missing or unreadable.
    #[error(transparent)]
    File(#[from] WeightsError),
    /// A file does not say what it should.
    #[error("the tokenizer's {file} is damaged: {why}")]
    Damaged {
        /// Which file.
        file: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The library failed.
    #[error("the text cannot be tokenised: {0}")]
    Library(String),
}

type Result<T, E = TokenizerError> = std::result::Result<T, E>;
type Merges = Vec<(String, String)>;

impl ClipTokenizer {
    /// The tokenizer in a model's folder (`tokenizer`, `tokenizer_2`): from `vocab.json` and `merges.txt`, or from
    /// `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::File`] and [`TokenizerError::Damaged`].
    pub fn load(storage: &Storage, folder: &str) -> Result<Self> {
        let path = |name: &str| format!("{folder}/{name}");
        let optional = |name: &str| storage.exists(&path(name)).then(|| storage.read(&path(name))).transpose();
        let config = TokenizerConfig::read(
            optional("tokenizer_config.json")?.as_deref().map(AsRef::as_ref),
            optional("special_tokens_map.json")?.as_deref().map(AsRef::as_ref),
        )?;
        if let (Some(vocab), Some(merges)) = (optional("vocab.json")?, optional("merges.txt")?) {
            return Self::open((*vocab).as_ref(), (*merges).as_ref(), &config);
        }
        Self::from_tokenizer_json((*storage.read(&path("tokenizer.json"))?).as_ref(), &config)
    }

    /// CLIP's own vocabulary, which is in the program: for models that bring none. The window is filled with the end
    /// token, or with id 0 (`!`), as the OpenCLIP encoders of SDXL and SD2 were trained.
    ///
    /// # Errors
    /// None in practice: those of [`open`](Self::open) for a file that is part of the program.
    pub fn standard(pad_with_zero: bool) -> Result<Self> {
        let clip = TokenizerConfig::default();
        let config = if pad_with_zero { TokenizerConfig { pad: "!".into(), ..clip } } else { clip };
        let (vocabulary, merges) = clip_vocabulary::vocabulary();
        Self::build("built-in vocabulary", vocabulary, merges, &config)
    }

    /// From the contents of `vocab.json` and `merges.txt`.
    ///
    /// # Errors
    /// [`TokenizerError::Damaged`].
    pub fn open(vocab_json: &[u8], merges_txt: &[u8], config: &TokenizerConfig) -> Result<Self> {
        let vocab = from_json("vocab.json", vocab_json)?;
        let merges = std::str::from_utf8(merges_txt).map_err(|e| damaged("merges.txt", &e))?;
        let merges = merges
            .lines()
            .filter(|line| !line.starts_with("#version") && !line.trim().is_empty())
            .map(|line| split_merge("merges.txt", line))
            .collect::<Result<Merges>>()?;
        Self::build("merges.txt", vocab, merges, config)
    }

    /// From the contents of `tokenizer.json`. Vocabulary and merges are taken from it and nothing else, as
    /// transformers does: the rules around them are CLIP's.
    ///
    /// # Errors
    /// [`TokenizerError::Damaged`].
    pub fn from_tokenizer_json(json: &[u8], config: &TokenizerConfig) -> Result<Self> {
        const FILE: &str = "tokenizer.json";
        #[derive(Deserialize)]
        struct Whole {
            model: Model,
        }
        #[derive(Deserialize)]
        struct Model {
            vocab: HashMap<String, u32>,
            merges: Vec<Merge>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Merge {
            Line(String),
            Pair(String, String),
        }
        let Whole { model: Model { vocab, merges } } = from_json(FILE, json)?;
        let merges = merges
            .into_iter()
            .map(|merge| match merge {
                Merge::Line(line) => split_merge(FILE, &line),
                Merge::Pair(a, b) => Ok((a, b)),
            })
            .collect::<Result<Merges>>()?;
        Self::build(FILE, vocab, merges, config)
    }

    fn build(
        file: &'static str,
        vocab: HashMap<String, u32>,
        merges: Merges,
        config: &TokenizerConfig,
    ) -> Result<Self> {
        // The library indexes out of bounds where a merge makes a token longer than any in the vocabulary.
        for (a, b) in &merges {
            if let Some(absent) = [a, b, &format!("{a}{b}")].into_iter().find(|token| !vocab.contains_key(*token)) {
                return Err(damaged(file, &format!("the merge `{a} {b}` needs `{absent}`, which is not a token")));
            }
        }
        let id = |token: &str| {
            let absent = || damaged(file, &format!("the special token `{token}` is not in the vocabulary"));
            vocab.get(token).copied().ok_or_else(absent)
        };
        let (bos, eos, pad) = (id(&config.bos)?, id(&config.eos)?, id(&config.pad)?);
        let (comma, pruned) = (vocab.get(",</w>").copied(), vocab.len() < WHOLE_VOCABULARY);
        id(&config.unknown)?;
        let model = BPE::builder()
            .vocab_and_merges(vocab.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges)
            .unk_token(config.unknown.clone())
            .continuing_subword_prefix(String::new())
            .end_of_word_suffix("</w>".into())
            .fuse_unk(false)
            .build()
            .map_err(|e| damaged(file, &e))?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_normalizer(Some(normalizer()?))?;
        tokenizer.with_pre_tokenizer(Some(pre_tokenizer()?));
        // Their names, written in a prompt, mean the tokens themselves. So does `!` where it pads (OpenCLIP bigG).
        let special = [&config.bos, &config.eos, &config.unknown, &config.pad];
        tokenizer.add_special_tokens(special.map(|token| AddedToken::from(token.as_str(), true)))?;
        Ok(Self { tokenizer, bos, eos, pad, comma, max_length: config.max_length, pruned })
    }

    /// The text's tokens, without start and end. Any text but white space has some: characters the vocabulary lacks are
    /// spelt in bytes.
    ///
    /// # Errors
    /// [`TokenizerError::Library`].
    pub fn tokens(&self, text: &str) -> Result<Vec<Token>> {
        let encoding = self.tokenizer.encode(text, false)?;
        let places = encoding.get_offsets().iter().zip(encoding.get_word_ids());
        let tokens = encoding.get_ids().iter().zip(places);
        Ok(tokens.map(|(id, (&(start, end), word))| Token { id: *id, range: start..end, word: *word }).collect())
    }

    /// Start, as many of these tokens as fit, end, padding: what a text encoder takes at a time.
    pub fn window(&self, ids: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut window = Vec::with_capacity(self.max_length);
        window.push(self.bos);
        window.extend(ids.into_iter().take(self.places()));
        window.push(self.eos);
        window.resize(self.max_length, self.pad);
        window
    }

    /// Tokens of text that fit into a window: 75.
    pub fn places(&self) -> usize {
        self.max_length - 2
    }

    /// The token of a comma, if there is one.
    pub fn comma(&self) -> Option<u32> {
        self.comma
    }

    /// Whether these tokens spell a word that the model does not know. A vocabulary that was cut down to the words of
    /// its training has a token for each of them; of CLIP's a word is known where a token is more than a letter.
    pub fn spells_unknown(&self, word: &str, tokens: usize) -> bool {
        let letters = word.chars().count();
        if self.pruned { tokens > 1 && word.chars().any(char::is_alphabetic) } else { tokens >= letters.max(2) }
    }

    /// The token that marks the end, whose place pooling looks for.
    pub fn eos(&self) -> u32 {
        self.eos
    }
}

/// Names of special tokens, and the length of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenizerConfig {
    /// Marks the start.
    pub bos: String,
    /// Marks the end.
    pub eos: String,
    /// Fills the rest of the window.
    pub pad: String,
    /// Stands for what the vocabulary cannot spell.
    pub unknown: String,
    /// Places in the window, with start and end.
    pub max_length: usize,
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        let end = "<|endoftext|>";
        Self { bos: "<|startoftext|>".into(), eos: end.into(), pad: end.into(), unknown: end.into(), max_length: 77 }
    }
}

impl TokenizerConfig {
    /// From the contents of `tokenizer_config.json` and `special_tokens_map.json`, either of which may be absent:
    /// what neither says is CLIP's.
    ///
    /// # Errors
    /// [`TokenizerError::Damaged`].
    pub fn read(tokenizer_config: Option<&[u8]>, special_tokens_map: Option<&[u8]>) -> Result<Self> {
        let parse = |file, json: Option<&[u8]>| json.map_or(Ok(Stated::default()), |json| from_json(file, json));
        let first = parse("tokenizer_config.json", tokenizer_config)?;
        let second = parse("special_tokens_map.json", special_tokens_map)?;
        let clip = Self::default();
        let token = |a: Option<Named>, b: Option<Named>, c: String| a.or(b).map_or(c, Named::into_name);
        Ok(Self {
            bos: token(first.bos_token, second.bos_token, clip.bos),
            eos: token(first.eos_token, second.eos_token, clip.eos),
            pad: token(first.pad_token, second.pad_token, clip.pad),
            unknown: token(first.unk_token, second.unk_token, clip.unknown),
            max_length: first.model_max_length.and_then(plausible_length).unwrap_or(clip.max_length),
        })
    }
}

/// What the two files have in common.
#[derive(Default, Deserialize)]
struct Stated {
    bos_token: Option<Named>,
    eos_token: Option<Named>,
    pad_token: Option<Named>,
    unk_token: Option<Named>,
    model_max_length: Option<f64>,
}

/// A token is written as its name or as an object with more about it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Name(String),
    Object { content: String },
}

impl Named {
    fn into_name(self) -> String {
        match self {
            Self::Name(name) | Self::Object { content: name } => name,
        }
    }
}

/// transformers writes 10³⁰ for "not known".
fn plausible_length(length: f64) -> Option<usize> {
    (3.0..=65536.0).contains(&length).then_some(length as usize)
}

fn normalizer() -> tokenizers::Result<NormalizerWrapper> {
    let space = Replace::new(ReplacePattern::Regex(r"\s+".into()), " ")?;
    Ok(Sequence::new(vec![NFC.into(), space.into(), Lowercase.into()]).into())
}

fn pre_tokenizer() -> tokenizers::Result<PreTokenizerWrapper> {
    let words = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    let split = Split::new(SplitPattern::Regex(words.into()), SplitDelimiterBehavior::Removed, true)?;
    Ok(PreSequence::new(vec![split.into(), ByteLevel::new(false, true, true).into()]).into())
}

fn from_json<T: serde::de::DeserializeOwned>(file: &'static str, json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|e| damaged(file, &e))
}

fn split_merge(file: &'static str, line: &str) -> Result<(String, String)> {
    match line.split_once(' ') {
        Some((a, b)) if !b.contains(' ') => Ok((a.into(), b.into())),
        _ => Err(damaged(file, &format!("`{line}` is not two tokens"))),
    }
}

fn damaged(file: &'static str, why: &dyn std::fmt::Display) -> TokenizerError {
    TokenizerError::Damaged { file, why: why.to_string() }
}

impl From<tokenizers::Error> for TokenizerError {
    fn from(error: tokenizers::Error) -> Self {
        Self::Library(error.to_string())
    }
}
