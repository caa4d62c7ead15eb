use crate::lora_hash::SHORT;
use fourstep_protocol::{Noise, Request};
use std::fmt;

/// AUTOMATIC1111's infotext: what most programs write into the PNG text chunk `parameters`.
///
/// The prompt, then a line `Negative prompt: …`, then one line of `Key: value` pairs (`modules/infotext_utils.py`).
/// It holds less than a [`Request`]: line breaks at the ends of a prompt are lost, LoRAs are known by file
/// name and the first digits of their hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Infotext {
    /// What to paint, with its `<lora:name:weight>` tags.
    pub prompt: String,
    /// What to steer away from.
    pub negative_prompt: String,
    /// The last line's pairs in their order, unquoted.
    pub fields: Vec<(String, String)>,
}

/// Fewer pairs than this on the last line, and it belongs to the prompt.
const MIN_PAIRS: usize = 3;
const NEGATIVE: &str = "Negative prompt:";

impl Infotext {
    /// What other programs should know of a request. `hash` names the contents of a LoRA, as
    /// [`lora_hash`](crate::lora_hash) does; those it does not know are left out of `Lora hashes`.
    pub fn of(request: &Request, hash: &dyn Fn(&str) -> Option<String>) -> Self {
        let tag = |source: &str, weight: f32| format!("<lora:{}:{weight}>", file_stem(source));
        let mut prompt = request.prompt.clone();
        for lora in &request.loras {
            let gap = if prompt.is_empty() { "" } else { " " };
            prompt += &format!("{gap}{}", tag(&lora.source, lora.weight));
        }
        let rng = match request.noise {
            Noise::Torch => "CPU",
            Noise::Philox => "NV",
        };
        let mut fields = vec![
            pair("Steps", &request.steps),
            pair("Sampler", &request.sampler.label()),
            pair("CFG scale", &request.guidance_scale),
            pair("Seed", &request.seed),
            pair("Size", &request.size),
            pair("Model", &file_stem(request.model.as_str())),
        ];
        fields.extend(request.init.as_ref().map(|init| pair("Denoising strength", &init.strength)));
        let short = |source: &str| hash(source).map(|hash| hash.chars().take(SHORT).collect::<String>());
        let named = |source: &String| short(source).map(|hash| format!("{}: {hash}", file_stem(source)));
        let hashes: Vec<String> = request.loras.iter().filter_map(|lora| named(&lora.source)).collect();
        fields.extend((!hashes.is_empty()).then(|| pair("Lora hashes", &hashes.join(", "))));
        fields.extend([pair("RNG", &rng), pair("Version", &concat!("fourstep ", env!("CARGO_PKG_VERSION")))]);
        Self { prompt, negative_prompt: request.negative_prompt.clone(), fields }
    }

    /// Reads infotext as AUTOMATIC1111 does; text without settings is a prompt.
    pub fn parse(text: &str) -> Self {
        let mut lines: Vec<&str> = text.trim().split('\n').collect();
        let mut fields = lines.last().map(|line| parse_pairs(line)).unwrap_or_default();
        if fields.len() < MIN_PAIRS {
            fields.clear();
        } else {
            lines.pop();
        }
        let mut parsed = Self { fields, ..Self::default() };
        let mut negative = false;
        for line in lines {
            let mut line = line.trim();
            if let Some(rest) = line.strip_prefix(NEGATIVE) {
                negative = true;
                line = rest.trim();
            }
            let part = if negative { &mut parsed.negative_prompt } else { &mut parsed.prompt };
            if !part.is_empty() {
                part.push('\n');
            }
            part.push_str(line);
        }
        parsed
    }

    /// The value of the last pair with this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

impl fmt::Display for Infotext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prompt)?;
        if !self.negative_prompt.is_empty() {
            write!(f, "\n{NEGATIVE} {}", self.negative_prompt)?;
        }
        for (i, (key, value)) in self.fields.iter().enumerate() {
            write!(f, "{}{key}: {}", if i == 0 { "\n" } else { ", " }, quote(value))?;
        }
        Ok(())
    }
}

fn pair(key: &str, value: &dyn fmt::Display) -> (String, String) {
    (key.into(), value.to_string())
}

/// `/models/dream.safetensors` → `dream`; an id stays as it is.
pub(crate) fn file_stem(path: &str) -> &str {
    let name = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path);
    [".safetensors", ".ckpt", ".pt"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

fn quote(value: &str) -> String {
    // The last test is ours: such a value would come back without its quotes, spaces or at all.
    let plain = !value.contains([',', ':', '\n', '\r', '"']) && value.trim() == value && !value.is_empty();
    if plain { value.into() } else { serde_json::Value::from(value).to_string() }
}

fn unquote(value: &str) -> String {
    serde_json::from_str(value).unwrap_or_else(|_| value.into())
}

/// All `key: value` pairs of a line: what `\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)` finds from left to
/// right.
fn parse_pairs(line: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    while let Some(colon) = rest.find(':') {
        let (before, after) = (&rest[..colon], &rest[colon + 1..]);
        let Some(key) = key_at_end(before) else {
            rest = after;
            continue;
        };
        let value = after.trim_start();
        let (value, next) = match quoted_prefix(value) {
            Some(len) => (unquote(&value[..len]), &value[len..]),
            None => {
                let end = value.find(',').unwrap_or(value.len());
                (value[..end].trim_end().to_owned(), &value[end..])
            }
        };
        pairs.push((key.to_owned(), value));
        rest = next.strip_prefix(',').unwrap_or(next);
    }
    pairs
}

/// The longest key that ends where `before` ends: a word character, then at least one of words, spaces, `-`, `/`.
fn key_at_end(before: &str) -> Option<&str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let start = before.char_indices().rev().take_while(|(_, c)| word(*c) || " -/".contains(*c)).last()?.0;
    let key = before[start..].trim_start_matches([' ', '-', '/']);
    (key.chars().nth(1).is_some()).then_some(key)
}

/// Bytes of a quoted value at the start, if one stands there and a comma or the end follows.
fn quoted_prefix(value: &str) -> Option<usize> {
    let inner = value.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.char_indices().find_map(|(i, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(i + 2)
    })?;
    matches!(value[end..].chars().next(), None | Some(',')).then_some(end)
}

#[cfg(test)]
mod tests;
