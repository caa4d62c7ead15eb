use crate::i18n::{tr, tr_with};
use fourstep_session::{AxisError, AxisKind, Session};

/// What an axis is called.
pub(super) fn kind(kind: &AxisKind, session: &Session) -> String {
    let key = match kind {
        AxisKind::Nothing => "grid-nothing",
        AxisKind::Words => "grid-words",
        AxisKind::Seed => "grid-seed",
        AxisKind::Steps => "grid-steps",
        AxisKind::Guidance => "grid-guidance",
        AxisKind::Sampler => "grid-sampler",
        AxisKind::Model => "grid-model",
        AxisKind::Lora(source) => return tr_with("grid-lora", &[("name", session.lora_name(source).into())]),
    };
    tr(key).to_owned()
}

/// How the values of an axis are written.
pub(super) fn hint(kind: &AxisKind) -> &'static str {
    tr(match kind {
        AxisKind::Nothing => "grid-nothing-hint",
        AxisKind::Words => "grid-words-hint",
        AxisKind::Seed | AxisKind::Steps => "grid-whole-hint",
        AxisKind::Guidance | AxisKind::Lora(_) => "grid-number-hint",
        AxisKind::Sampler | AxisKind::Model => "grid-list-hint",
    })
}

/// Why values cannot be used.
pub(super) fn error(error: &AxisError) -> String {
    let about = |key: &'static str, what: &String| tr_with(key, &[("what", what.as_str().into())]);
    match error {
        AxisError::Empty => tr("grid-empty").to_owned(),
        AxisError::NotANumber(what) => about("grid-not-a-number", what),
        AxisError::NotWhole(what) => about("grid-not-whole", what),
        AxisError::NoWay(what) => about("grid-no-way", what),
        AxisError::TooMany => tr("grid-too-many").to_owned(),
        AxisError::UnknownSampler(what) => about("grid-unknown-sampler", what),
        AxisError::UnknownModel(what) => about("grid-unknown-model", what),
        AxisError::NotInPrompt(what) => about("grid-not-in-prompt", what),
        AxisError::Weight(what) => about("grid-weight", what),
    }
}
