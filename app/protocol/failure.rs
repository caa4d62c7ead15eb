use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// Something that went wrong, in the three sentences a person needs: what, why, what now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}: {why}. {remedy}")]
pub struct Failure {
    /// Whose fault it is, which decides the exit code of the command line.
    pub kind: FailureKind,
    /// What could not be done, without a full stop: `The model could not be opened`.
    pub what: String,
    /// The cause, without a full stop: `/models/x has no model_index.json`.
    pub why: String,
    /// What the person can do now, a whole sentence: `Choose a folder in the diffusers layout.`
    pub remedy: String,
}

/// Who can mend a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The input is wrong: another request, file or folder would work. Exit code 2.
    Input,
    /// The machine or the program failed: out of memory, a panic, not-a-number in the result. Exit code 1.
    Machine,
}

impl Failure {
    /// A failure the person mends by giving something else.
    pub fn input(what: impl Into<String>, why: impl Display, remedy: impl Into<String>) -> Self {
        Self::new(FailureKind::Input, what.into(), &why, remedy.into())
    }

    /// A failure of the machine or of the program.
    pub fn machine(what: impl Into<String>, why: impl Display, remedy: impl Into<String>) -> Self {
        Self::new(FailureKind::Machine, what.into(), &why, remedy.into())
    }

    /// Libraries disagree whether an error ends in a full stop; a path may end in one that belongs to it.
    fn new(kind: FailureKind, what: String, why: &dyn Display, remedy: String) -> Self {
        let why = why.to_string();
        let why = why.trim_end();
        let sentence = why.strip_suffix('.').filter(|why| why.ends_with(|c: char| c.is_alphanumeric() || c == ')'));
        Self { kind, what, why: sentence.unwrap_or(why).to_owned(), remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_full_stop_between_why_and_remedy() {
        for why in ["it is cut off", "it is cut off.", "it is cut off.\n"] {
            let failure = Failure::input("It could not be read", why, "Copy it again.");
            assert_eq!(failure.to_string(), "It could not be read: it is cut off. Copy it again.");
        }
        assert_eq!(Failure::input("", "there is nothing in ..", "").why, "there is nothing in ..");
    }
}
