//! Failures in the person's language. They are made in rooms that know no languages, as English sentences; here is what
//! those sentences are in other languages: `assets/i18n/failures-zh-Hant.txt`.

use super::{CURRENT, Tongue};
use fourstep_protocol::Failure;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The failure as it is told: what could not be done and what one can do in the person's language. Causes stay as they
/// are, most come from libraries and the system.
pub(crate) fn failure(failure: &Failure) -> Failure {
    match CURRENT.get() {
        Tongue::English => failure.clone(),
        Tongue::TraditionalChinese => {
            let say = |sentence: &str| CHINESE.say(sentence).unwrap_or_else(|| sentence.to_owned());
            Failure { what: say(&failure.what), remedy: say(&failure.remedy), ..failure.clone() }
        }
    }
}

static CHINESE: LazyLock<Sentences> =
    LazyLock::new(|| Sentences::read(include_str!("../../../assets/i18n/failures-zh-Hant.txt")));

/// Sentences and what they are in another language.
pub(super) struct Sentences {
    whole: HashMap<&'static str, &'static str>,
    /// Those that are filled, the ones with the most letters of their own first.
    filled: Vec<(&'static str, &'static str)>,
}

impl Sentences {
    fn read(file: &'static str) -> Self {
        let pairs = file.split("\n\n").filter_map(|pair| {
            let mut lines = pair.lines().filter(|line| !line.starts_with('#'));
            Some((lines.next()?, lines.next()?))
        });
        let (mut filled, whole): (Vec<_>, Vec<_>) = pairs.partition(|(sentence, _)| sentence.contains("{}"));
        filled.sort_by_key(|(sentence, _)| std::cmp::Reverse(sentence.len()));
        Self { whole: whole.into_iter().collect(), filled }
    }

    /// The sentence in the other language; what it is filled with as well, where that is one of them.
    pub(super) fn say(&self, sentence: &str) -> Option<String> {
        if let Some(translated) = self.whole.get(sentence) {
            return Some((*translated).to_owned());
        }
        self.filled.iter().find_map(|(template, translated)| {
            let found = fillings(template, sentence)?;
            let mut text = (*translated).to_owned();
            for (place, filling) in found.into_iter().enumerate() {
                let filling = self.say(filling).unwrap_or_else(|| filling.to_owned());
                let numbered = format!("{{{}}}", place + 1);
                let mark = if text.contains(&numbered) { numbered.as_str() } else { "{}" };
                text = text.replacen(mark, &filling, 1);
            }
            Some(text)
        })
    }
}

/// What stands in `sentence` for each `{}` of `template`; `None` where it is another sentence.
fn fillings<'a>(template: &str, sentence: &'a str) -> Option<Vec<&'a str>> {
    let (first, rest) = template.split_once("{}")?;
    let mut left = sentence.strip_prefix(first)?;
    let mut found = Vec::new();
    let mut pieces = rest.split("{}").peekable();
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_some() { left.find(piece)? } else { left.strip_suffix(piece)?.len() };
        found.push(&left[..end]);
        left = &left[end + piece.len()..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::set;
    use fourstep_session::Language;
    use std::path::Path;

    #[test]
    fn a_failure_is_told_in_chinese_with_what_it_is_filled_with() {
        let offline = "Check the network, HTTPS_PROXY and HF_ENDPOINT (https://hub). What arrived is kept; download it again \
                       to go on.";
        let english = Failure::machine("unet.safetensors of org/name could not be downloaded", "no route", offline);
        assert_eq!(failure(&english), english);
        set(Language::TraditionalChinese);
        let chinese = failure(&english);
        set(Language::English);
        assert_eq!(chinese.what, "無法下載 org/name 的 unet.safetensors");
        assert_eq!(chinese.why, "no route");
        let remedy = "請檢查網路、HTTPS_PROXY 與 HF_ENDPOINT（https://hub）。已下載的部分會保留；再次下載即可繼續。";
        assert_eq!(chinese.remedy, remedy);
        assert_eq!(CHINESE.say("Nobody ever wrote this."), None);
    }

    /// The sentences of all failures that are made anywhere but on the command line: literals that begin with a capital.
    fn sentences(source: &str) -> Vec<String> {
        let mut found = Vec::new();
        for call in
            source.split("Failure::input(").chain(source.split("Failure::machine(")).filter(|s| s.len() < source.len())
        {
            let mut open = 1;
            let mut rest = call;
            while let Some(at) = rest.find(['(', ')', '"']).filter(|_| open > 0) {
                let sign = rest.as_bytes()[at];
                rest = &rest[at + 1..];
                match sign {
                    b'(' => open += 1,
                    b')' => open -= 1,
                    _ => {
                        let (literal, after) = literal(rest);
                        rest = after;
                        let is_sentence =
                            literal.starts_with(|c: char| c.is_ascii_uppercase()) && literal.contains(' ');
                        found.extend(is_sentence.then_some(literal));
                    }
                }
            }
        }
        found
    }

    /// A literal behind its first quote, with `{}` for what it is filled with, and what follows it.
    fn literal(mut source: &str) -> (String, &str) {
        let mut text = String::new();
        while let Some(letter) = source.chars().next() {
            source = &source[letter.len_utf8()..];
            match letter {
                '"' => break,
                '{' => {
                    source = source.split_once('}').map_or("", |(_, after)| after);
                    text += "{}";
                }
                // The next letter stands for itself; a line that goes on begins with its first letter.
                '\\' => match source.strip_prefix('\n') {
                    Some(next_line) => source = next_line.trim_start(),
                    None => {
                        text.extend(source.chars().next());
                        source = source.get(1..).unwrap_or_default();
                    }
                },
                _ => text.push(letter),
            }
        }
        (text, source)
    }

    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if entry.is_dir() && !["cli", "tests", "examples", "window"].contains(&name.as_str()) {
                walk(&entry, found);
            } else if name.ends_with(".rs")
                && !["cli.rs", "tests.rs", "failures.rs", "window.rs"].contains(&name.as_str())
            {
                let source = std::fs::read_to_string(&entry).expect("a text");
                found.extend(sentences(source.split("#[cfg(test)]").next().unwrap_or_default()));
            }
        }
    }

    #[test]
    fn every_failure_has_its_sentences_in_chinese() {
        let mut found = Vec::new();
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut found);
        assert!(found.len() > 80, "only {} sentences were found", found.len());
        let missing: Vec<&String> = found.iter().filter(|sentence| CHINESE.say(sentence).is_none()).collect();
        assert!(missing.is_empty(), "assets/i18n/failures-zh-Hant.txt lacks:\n{missing:#?}");
    }

    #[test]
    fn every_sentence_is_there_once_and_is_filled_with_as_much() {
        let file = include_str!("../../../assets/i18n/failures-zh-Hant.txt");
        let pairs: Vec<Vec<&str>> =
            file.split("\n\n").map(|pair| pair.lines().filter(|line| !line.starts_with('#')).collect()).collect();
        for pair in pairs.iter().filter(|pair| !pair.is_empty()) {
            let [english, chinese] = pair.as_slice() else { panic!("{pair:?} is no pair") };
            assert_eq!(pairs.iter().filter(|other| other.first() == Some(english)).count(), 1, "{english}");
            let places =
                |text: &str| text.matches("{}").count() + (1..9).filter(|n| text.contains(&format!("{{{n}}}"))).count();
            assert_eq!(places(english), places(chinese), "{english}");
        }
    }
}
