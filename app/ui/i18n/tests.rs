use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const FILES: [(&str, &str); 2] = [
    ("en", include_str!("../../../assets/i18n/en.ftl")),
    ("zh-Hant", include_str!("../../../assets/i18n/zh-Hant.ftl")),
];

/// Each key of a file with the names of its arguments.
type Messages = BTreeMap<String, BTreeSet<String>>;

fn messages(file: &str) -> Messages {
    let mut messages = Messages::new();
    let mut key = String::new();
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, _)) = line.split_once(" =").filter(|(name, _)| is_key(name)) {
            key = name.to_owned();
            assert!(messages.insert(key.clone(), BTreeSet::new()).is_none(), "{key} is there twice");
        }
        let arguments =
            line.split('$').skip(1).map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect::<String>());
        messages.entry(key.clone()).or_default().extend(arguments);
    }
    messages.remove("");
    messages
}

fn is_key(text: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.contains('-') && text.split('-').all(letters)
}

/// The window's sources without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("i18n/tests.rs") {
                let text = std::fs::read_to_string(&path).expect("a text");
                let code =
                    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
                let end = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
                found.push((path, code[..end].to_owned()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(root, &mut found);
    found.retain(|(path, _)| !path.starts_with(root.join("tests")));
    found
}

#[test]
fn both_files_have_the_same_keys_with_the_same_arguments() {
    let [english, chinese] = FILES.map(|(_, file)| messages(file));
    let only = |a: &Messages, b: &Messages| -> Vec<String> {
        let differs = |(key, arguments): &(&String, &BTreeSet<String>)| b.get(*key) != Some(*arguments);
        a.iter().filter(differs).map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(only(&english, &chinese), Vec::<String>::new(), "missing or different in zh-Hant");
    assert_eq!(only(&chinese, &english), Vec::<String>::new(), "missing or different in en");
    for (locale, file) in FILES {
        assert!(FluentResource::try_new(file.to_owned()).is_ok(), "{locale}");
    }
}

#[test]
fn every_key_that_is_used_has_a_text_and_every_text_is_used() {
    let messages = messages(FILES[0].1);
    let areas: BTreeSet<&str> = messages.keys().filter_map(|key| key.split('-').next()).collect();
    let mut used = BTreeSet::new();
    for (path, code) in sources() {
        for literal in code.split('"').skip(1).step_by(2) {
            let area = literal.split('-').next().unwrap_or_default();
            if messages.contains_key(literal) {
                used.insert(literal.to_owned());
            } else {
                assert!(!(is_key(literal) && areas.contains(area)), "{}: no text for {literal}", path.display());
            }
        }
        for call in code.split("tr(\"").skip(1) {
            let key = call.split('"').next().unwrap_or_default();
            let arguments = messages.get(key).unwrap_or_else(|| panic!("{}: no text for {key}", path.display()));
            assert!(arguments.is_empty(), "{}: {key} has arguments", path.display());
        }
    }
    let unused: Vec<&String> = messages.keys().filter(|key| !used.contains(*key)).collect();
    assert!(unused.is_empty(), "texts that nobody shows: {unused:?}");
}

#[test]
fn arguments_given_are_those_of_the_text() {
    let messages = messages(FILES[0].1);
    let mut calls = 0;
    for (path, code) in sources() {
        for call in code.split("tr_with(").skip(1).filter(|call| call.trim_start().starts_with('"')) {
            let key = call.split('"').nth(1).unwrap_or_default();
            let wanted = messages.get(key).unwrap_or_else(|| panic!("{}: no text for {key}", path.display()));
            // Where the arguments have a name of their own, filling the text tells what is missing.
            let behind = call.splitn(3, '"').nth(2).unwrap_or_default();
            let Some(list) = behind.trim_start_matches([',', ' ', '\n']).strip_prefix("&[") else { continue };
            let end = closing(list);
            let pairs =
                list[..end].split("(\"").skip(1).filter_map(|rest| rest.split_once("\",").map(|(name, _)| name));
            let given: BTreeSet<String> = pairs.map(str::to_owned).collect();
            assert_eq!(given, *wanted, "{}: {key}", path.display());
            calls += 1;
        }
    }
    assert!(calls > 20, "{calls}");
}

/// Where the list that begins before `text` ends.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        depth += match c {
            '[' => 1,
            ']' => -1,
            _ => 0,
        };
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[test]
fn plurals_follow_the_language_and_it_changes_at_run_time() {
    let steps = |n: u32| tr_with("steps-count", &[("n", n.into())]);
    assert_eq!([steps(1), steps(4)], ["1 step", "4 steps"]);
    assert_eq!(tr("prompt-name"), "Prompt");
    set(Language::TraditionalChinese);
    assert_eq!([steps(1), steps(4)], ["1 步", "4 步"]);
    assert_eq!(tr("prompt-name"), "提示詞");
    assert_eq!(current(), Language::TraditionalChinese);
    set(Language::English);
    assert_eq!(tr("prompt-name"), "Prompt");
}

#[test]
fn the_systems_language_is_found() {
    use Tongue::{English, TraditionalChinese};
    let seen = ["zh-TW", "zh_Hant_HK", "zh-CN", "en-GB", "de", ""].map(Tongue::of_locale);
    assert_eq!(seen, [TraditionalChinese, TraditionalChinese, English, English, English, English]);
}
