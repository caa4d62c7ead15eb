//! A prompt nobody asked for, from what the model in the program knows.

use std::sync::LazyLock;

/// Colours of things; of backgrounds, teal too.
const COLOURS: [&str; 12] =
    ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray", "teal"];
const PAINTS: usize = COLOURS.len() - 1;
/// Where a small thing is.
const PLACES: [&str; 8] = [
    " in the top left",
    " in the top right",
    " in the bottom left",
    " in the bottom right",
    " on the left",
    " on the right",
    " at the top",
    " at the bottom",
];
const LANDSCAPES: [&str; 8] = [
    "on green grass",
    "on a beach",
    "in the snow",
    "at sunset",
    "in the desert",
    "in the sky",
    "in a forest",
    "in the mountains",
];

/// A thing it was trained on: a row of the table of its training.
struct Thing {
    noun: &'static str,
    plural: &'static str,
    natural: &'static str,
    /// It was seen in other colours than its own.
    paintable: bool,
}

static THINGS: LazyLock<Vec<Thing>> = LazyLock::new(|| {
    let table = include_str!("../../assets/sticker/train/things.csv");
    table.lines().skip(1).filter_map(Thing::read).collect()
});

impl Thing {
    /// sprite, noun, plural, other words, colour by nature, what may be painted.
    fn read(row: &'static str) -> Option<Self> {
        let mut fields = row.split(',').skip(1);
        let (noun, plural) = (fields.next()?, fields.next()?);
        let (natural, paint) = (fields.nth(1)?, fields.next()?);
        Some(Self { noun, plural, natural, paintable: paint != "no" })
    }
}

/// Digits of a number, each of its own base.
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: usize) -> usize {
        let count = count as u64;
        let digit = self.0 % count;
        self.0 /= count;
        digit as usize
    }

    fn pick<T>(&mut self, from: &'static [T]) -> &'static T {
        &from[self.below(from.len())]
    }
}

/// `three pink rockets on a teal background`; the same for the same `chance`.
pub(crate) fn prompt(chance: u64) -> String {
    let mut chance = Chance(chance);
    let thing = chance.pick(THINGS.as_slice());
    // Half of what can be painted is; the rest has its own colour, which nobody has to name.
    let paint = COLOURS[chance.below(PAINTS)];
    let painted = chance.below(2) == 0 && thing.paintable;
    let shown = if painted { paint } else { thing.natural };
    let subject = subject(thing, painted.then_some(paint), &mut chance);
    format!("{subject} {}", ground(shown, &mut chance))
}

/// One, two or three of a thing, and where.
fn subject(thing: &Thing, paint: Option<&str>, chance: &mut Chance) -> String {
    let words = |noun| paint.map_or(String::from(noun), |paint| format!("{paint} {noun}"));
    match chance.below(6) {
        0 => format!("two {}", words(thing.plural)),
        1 => format!("three {}", words(thing.plural)),
        2 => with_article(&format!("small {}", words(thing.noun))) + *chance.pick(&PLACES),
        3 => with_article(&format!("big {}", words(thing.noun))),
        _ => with_article(&words(thing.noun)),
    }
}

/// A landscape, or a background in another colour than the thing's.
fn ground(shown: &str, chance: &mut Chance) -> String {
    if chance.below(3) == 0 {
        return (*chance.pick(&LANDSCAPES)).into();
    }
    let colour = COLOURS[chance.below(COLOURS.len())];
    let colour = if colour == shown { "teal" } else { colour };
    format!("on {} background", with_article(colour))
}

fn with_article(words: &str) -> String {
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {words}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_read() {
        assert!(THINGS.len() > 200, "{}", THINGS.len());
        let tree = THINGS.iter().find(|thing| thing.noun == "pine tree").expect("in the table");
        assert_eq!((tree.plural, tree.natural, tree.paintable), ("pine trees", "green", true));
        assert!(THINGS.iter().all(|thing| thing.natural.is_empty() || COLOURS.contains(&thing.natural)));
    }

    #[test]
    fn prompts_are_sentences_and_differ() {
        assert_eq!(prompt(0), "two red pine trees on green grass");
        let known: BTreeSet<_> = include_str!("../../assets/sticker/words.txt").lines().collect();
        let all: BTreeSet<_> = (0..10_000).map(|n| prompt(n * 1_000_003)).collect();
        assert!(all.len() > 5000, "{}", all.len());
        for prompt in all {
            assert!(!prompt.contains("  ") && !prompt.starts_with("a o") && !prompt.contains(" a o"), "{prompt}");
            assert!(prompt.split([' ', '-', '\'']).all(|word| known.contains(word)), "{prompt}");
            // "red" is in other words too.
            let ground = prompt.strip_suffix(" background").and_then(|rest| rest.rsplit(' ').next());
            assert!(ground.is_none_or(|colour| prompt.matches(colour).count() == 1 || colour == "red"), "{prompt}");
        }
    }
}
