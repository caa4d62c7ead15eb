//! `{red|green|blue}` and `__colour__`: one of several, chosen by the seed.

use crate::resolve::Problem;
use std::{collections::BTreeMap, ops::Range};

/// Lists that `__name__` chooses from: the lines of text files, by file name without its ending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wildcards(BTreeMap<String, Vec<String>>);

/// A list may name another list; one that names itself ends here.
const DEEPEST: u32 = 16;

impl Wildcards {
    /// Adds the text of a file: a choice a line, without empty lines and those that begin with `#`.
    pub fn insert(&mut self, name: impl Into<String>, text: &str) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        self.0.insert(name.into(), lines.map(str::to_owned).collect());
    }

    /// The names of all lists, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The choices of a list; `None` where there is no such list or nothing in it.
    pub fn choices(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice).filter(|choices| !choices.is_empty())
    }
}

/// Something to choose from.
pub(crate) enum Choice<'a> {
    /// `{a|b}`: what stands between the bars.
    Among(Vec<Range<usize>>),
    /// `__name__`
    Named(&'a str),
}

/// The text with every choice made.
pub(crate) fn expand(text: &str, lists: &Wildcards, seed: u64, problems: &mut Vec<Problem>) -> String {
    let mut out = String::with_capacity(text.len());
    Expansion { lists, problems, out: &mut out }.run(text, seed, 0);
    out
}

struct Expansion<'a> {
    lists: &'a Wildcards,
    problems: &'a mut Vec<Problem>,
    out: &'a mut String,
}

impl Expansion<'_> {
    /// Each choice has a number of its own from the seed and its place, so that what is chosen in one does not change
    /// what is chosen in the next.
    fn run(&mut self, text: &str, state: u64, depth: u32) {
        let mut from = 0;
        for (number, (range, choice)) in choices(text).into_iter().enumerate() {
            self.out.push_str(&text[from..range.start]);
            from = range.end;
            let state = mix(state.wrapping_add(number as u64 + 1));
            match choice {
                Choice::Among(options) => {
                    let option = options[pick(state, options.len())].clone();
                    self.run(&text[option], state, depth);
                }
                Choice::Named(name) => match self.lists.choices(name).filter(|_| depth < DEEPEST) {
                    Some(lines) => self.run(&lines[pick(state, lines.len())], state, depth + 1),
                    None => {
                        self.problems.push(Problem::UnknownWildcard(name.to_owned()));
                        self.out.push_str(&text[range]);
                    }
                },
            }
        }
        self.out.push_str(&text[from..]);
    }
}

/// The choices of a text that are not inside of others, in order.
pub(crate) fn choices(text: &str) -> Vec<(Range<usize>, Choice<'_>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find(['\\', '{', '_']) {
        let start = at + offset;
        at = match text.as_bytes()[start] {
            b'\\' => start + 1 + text[start + 1..].chars().next().map_or(0, char::len_utf8),
            b'{' => match among(text, start) {
                Some((end, options)) => {
                    found.push((start..end, Choice::Among(options)));
                    end
                }
                None => start + 1,
            },
            _ => match named(text, start) {
                Some((end, name)) => {
                    found.push((start..end, Choice::Named(name)));
                    end
                }
                None => start + 1,
            },
        };
    }
    found
}

/// The end and the options of braces that open at `start`; `None` without a bar or a closing brace.
fn among(text: &str, start: usize) -> Option<(usize, Vec<Range<usize>>)> {
    let (mut depth, mut from, mut options, mut escaped) = (0u32, start + 1, Vec::new(), false);
    for (i, c) in text[start..].char_indices().map(|(i, c)| (start + i, c)) {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '{' => depth += 1,
            '|' if depth == 1 => {
                options.push(from..i);
                from = i + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            options.push(from..i);
            return (options.len() > 1).then_some((i + 1, options));
        }
    }
    None
}

/// The end and the name of `__name__` at `start`.
fn named(text: &str, start: usize) -> Option<(usize, &str)> {
    let inner = text[start..].strip_prefix("__")?;
    let name = &inner[..inner.find("__")?];
    let fits = |c: char| c.is_alphanumeric() || "_-/.".contains(c);
    let is_name = !name.is_empty() && name.chars().all(fits);
    is_name.then_some((start + 2 + name.len() + 2, name))
}

fn pick(state: u64, count: usize) -> usize {
    ((u128::from(state) * count as u128) >> 64) as usize
}

/// The finaliser of `SplitMix64`: close seeds choose differently.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn lists() -> Wildcards {
        let mut lists = Wildcards::default();
        lists.insert("colour", "red\n# not this\n\n green \n");
        lists.insert("animal", "a __colour__ {cat|dog}");
        lists.insert("self", "again __self__");
        lists.insert("empty", "# nothing");
        lists
    }

    fn expanded(text: &str, seed: u64) -> (String, Vec<Problem>) {
        let mut problems = Vec::new();
        (expand(text, &lists(), seed, &mut problems), problems)
    }

    fn all(text: &str) -> HashSet<String> {
        (0..200).map(|seed| expanded(text, seed).0).collect()
    }

    #[test]
    fn a_seed_gives_the_same_choice_and_seeds_give_all() {
        assert_eq!(expanded("{a|b|c} {d|e}", 7), expanded("{a|b|c} {d|e}", 7));
        assert_eq!(all("{a|b|c}").len(), 3);
        assert_eq!(all("{a|b} {c|d}").len(), 4, "choices do not hang together");
        assert_eq!(all("x {a|{b|c} y|}"), ["x a", "x b y", "x c y", "x "].map(str::to_owned).into());
    }

    #[test]
    fn a_choice_does_not_change_what_follows() {
        for seed in 0..50 {
            let ends = |text: &str| expanded(text, seed).0.chars().last();
            assert_eq!(ends("{a|b} {x|y}"), ends("{a{c|d}|b{e|f}} {x|y}"), "seed {seed}");
        }
    }

    #[test]
    fn lists_choose_lines_and_may_name_lists() {
        assert_eq!(all("__colour__ car"), ["red car", "green car"].map(str::to_owned).into());
        let animals = ["a red cat", "a red dog", "a green cat", "a green dog"].map(str::to_owned);
        assert_eq!(all("__animal__"), animals.into());
    }

    #[test]
    fn what_is_not_known_stays_and_is_told() {
        for name in ["none", "empty"] {
            let text = format!("a __{name}__ car");
            assert_eq!(expanded(&text, 1), (text, vec![Problem::UnknownWildcard(name.into())]));
        }
        let (text, problems) = expanded("__self__", 1);
        assert!(text.starts_with("again again") && problems.len() == 1, "{text}");
    }

    #[test]
    fn what_is_no_choice_stays() {
        for text in ["{a}", "{a", "a|b}", "{{a}}", "\\{a|b\\}", "__", "___", "a __ b __ c", "snake_case", "\\", "ä{ö"]
        {
            assert_eq!(expanded(text, 3), (text.to_owned(), vec![]));
        }
        assert_eq!(all("{{a|b}}"), ["{a}", "{b}"].map(str::to_owned).into());
    }
}
