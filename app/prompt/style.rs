use serde::{Deserialize, Serialize};

/// Words that a person keeps for use with other prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// What it is called.
    pub name: String,
    /// Added to the prompt, or put around it where it says `{prompt}`.
    pub prompt: String,
    /// The same for the negative prompt.
    #[serde(default)]
    pub negative: String,
}

const PLACE: &str = "{prompt}";

impl Style {
    /// Prompt and negative prompt with this style.
    pub fn apply(&self, prompt: &str, negative: &str) -> (String, String) {
        (merge(&self.prompt, prompt), merge(&self.negative, negative))
    }
}

/// As AUTOMATIC1111's `merge_prompts`: in the place for it, else before the style's words and a comma.
fn merge(style: &str, prompt: &str) -> String {
    if style.contains(PLACE) {
        return style.replace(PLACE, prompt);
    }
    let both = [prompt.trim(), style.trim()];
    both.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_goes_around_or_behind() {
        let around =
            Style { name: "ink".into(), prompt: "ink drawing of {prompt}, black".into(), negative: "blur".into() };
        assert_eq!(around.apply("a cat", ""), ("ink drawing of a cat, black".into(), "blur".into()));
        let behind = Style { prompt: " soft light".into(), ..Style::default() };
        assert_eq!(behind.apply("a cat ", "text"), ("a cat, soft light".into(), "text".into()));
        assert_eq!(behind.apply("", "").0, "soft light");
    }
}
