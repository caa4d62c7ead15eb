//! A prompt nobody asked for, from what the model in the program knows.

/// Things it draws.
const THINGS: [&str; 16] = [
    "apple", "pear", "lemon", "cat", "dog", "fish", "bird", "frog", "fox", "penguin", "bear", "house", "tree", "car",
    "rocket", "boat",
];
/// Colours of things.
const COLOURS: [&str; 7] = ["red", "orange", "yellow", "green", "blue", "purple", "pink"];
/// Colours of backgrounds.
const BACKGROUNDS: [&str; 12] =
    ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "gray", "brown", "teal"];

/// `a pink rocket on a teal background`; the same for the same `chance`.
pub(crate) fn prompt(chance: u64) -> String {
    let mut chance = chance;
    let mut pick = |from: &[&'static str]| {
        let count = from.len() as u64;
        let word = from[(chance % count) as usize];
        chance /= count;
        word
    };
    let (thing, colour, mut background) = (pick(&THINGS), pick(&COLOURS), pick(&BACKGROUNDS));
    // A thing in the colour of its background cannot be seen.
    if background == colour {
        background = "white";
    }
    format!("{} {colour} {thing} on {} {background} background", article(colour), article(background))
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::prompt;

    #[test]
    fn prompts_are_sentences_and_differ() {
        assert_eq!(prompt(0), "a red apple on a white background");
        assert_eq!(prompt(16 * 7 * 11), "a red apple on a teal background");
        assert_eq!(prompt(8 + 16), "an orange fox on a red background");
        let all: std::collections::BTreeSet<_> = (0..16 * 7 * 12).map(prompt).collect();
        assert!(all.len() > 1200);
    }
}
