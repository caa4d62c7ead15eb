use std::collections::{BTreeMap, HashMap};

/// Longer lists are training captions, not words that call a LoRA up.
const MAX_WORDS: usize = 8;

/// Words that call a LoRA up: what its maker says (`modelspec.trigger_phrase`), then the most frequent tags of its
/// training (kohya's `ss_tag_frequency`: times by tag by folder).
pub(super) fn trigger_words(metadata: &HashMap<String, String>) -> Vec<String> {
    let said = metadata.get("modelspec.trigger_phrase").into_iter().flat_map(|phrase| phrase.split(','));
    let mut words: Vec<String> = Vec::new();
    for word in said.map(str::to_owned).chain(frequent_tags(metadata)) {
        let word = word.trim();
        if !word.is_empty() && !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
        if words.len() == MAX_WORDS {
            break;
        }
    }
    words
}

/// Tags of all folders together, the most frequent first, then by the alphabet.
fn frequent_tags(metadata: &HashMap<String, String>) -> Vec<String> {
    type Frequencies = HashMap<String, HashMap<String, f64>>;
    let json = metadata.get("ss_tag_frequency").map_or("", String::as_str);
    let mut total = BTreeMap::<String, f64>::new();
    for (tag, times) in serde_json::from_str::<Frequencies>(json).unwrap_or_default().into_values().flatten() {
        *total.entry(tag.trim().to_owned()).or_default() += times;
    }
    let mut tags: Vec<(String, f64)> = total.into_iter().collect();
    tags.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    tags.into_iter().map(|(tag, _)| tag).take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pairs: &[(&str, &str)]) -> Vec<String> {
        trigger_words(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn what_is_said_comes_first_then_the_most_frequent() {
        let tags = r#"{"1_a": {"cat": 3, "dog ": 1, "sks": 9}, "2_b": {"dog": 4}}"#;
        assert_eq!(words(&[("ss_tag_frequency", tags)]), ["sks", "dog", "cat"]);
        let said = [("modelspec.trigger_phrase", "a painting, sks"), ("ss_tag_frequency", tags)];
        assert_eq!(words(&said), ["a painting", "sks", "dog", "cat"]);
    }

    #[test]
    fn damaged_json_has_no_words() {
        for json in ["", "{", "[]", "null", r#"{"a": {"b": "c"}}"#, r#"{"a": 1}"#] {
            assert!(words(&[("ss_tag_frequency", json)]).is_empty(), "{json}");
        }
    }
}
