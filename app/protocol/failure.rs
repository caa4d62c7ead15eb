use serde::{Deserialize, Serialize};

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
    pub fn input(what: impl Into<String>, why: impl ToString, remedy: impl Into<String>) -> Self {
        Self { kind: FailureKind::Input, what: what.into(), why: why.to_string(), remedy: remedy.into() }
    }

    /// A failure of the machine or of the program.
    pub fn machine(what: impl Into<String>, why: impl ToString, remedy: impl Into<String>) -> Self {
        Self { kind: FailureKind::Machine, what: what.into(), why: why.to_string(), remedy: remedy.into() }
    }
}
