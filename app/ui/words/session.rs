//! What the session has to say, in words.

use crate::i18n::{self, tr, tr_with};
use fourstep_protocol::{Failure, Family, Guidance, Sampler};
use fourstep_session::{LoraTrouble, Misfit, Notice};

/// What was done differently from what was asked.
pub(crate) fn notices(notices: &[Notice]) -> String {
    notices.iter().map(notice).collect::<Vec<_>>().join(". ")
}

fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Size { asked, used } => {
            tr_with("notice-size", &[("asked", asked.to_string().into()), ("used", used.to_string().into())])
        }
        Notice::Steps { asked, used, sampler } => {
            let takes = sampler.steps();
            tr_with(
                "notice-steps",
                &[
                    ("asked", (*asked).into()),
                    ("used", (*used).into()),
                    ("sampler", sampler.label().into()),
                    ("least", (*takes.start()).into()),
                    ("most", (*takes.end()).into()),
                ],
            )
        }
        Notice::Guidance { asked, used, guidance, sampler } => tr_with(
            "notice-guidance",
            &[
                ("asked", asked.to_string().into()),
                ("used", used.to_string().into()),
                ("why", why(*guidance, *sampler).into()),
            ],
        ),
        Notice::Mask => tr("notice-mask").to_owned(),
        Notice::LoraInStack { name } => tr_with("notice-lora-in-stack", &[("name", name.as_str().into())]),
        Notice::UnknownModel { missing, used } => {
            tr_with("notice-unknown-model", &[("missing", missing.as_str().into()), ("used", used.as_str().into())])
        }
    }
}

/// Why the guidance scale has the range it has.
fn why(guidance: Guidance, sampler: Sampler) -> &'static str {
    tr(match (guidance, sampler) {
        (Guidance::ClassifierFree, Sampler::Lcm) => "notice-guidance-few-step",
        (Guidance::ClassifierFree, _) => "notice-guidance-classic",
        (Guidance::Embedded { .. }, _) => "notice-guidance-embedded",
        (Guidance::None, _) => "notice-guidance-none",
    })
}

/// Why something does not fit the model.
pub(crate) fn misfit(misfit: &Misfit) -> String {
    let Misfit { made_for, family, model } = misfit;
    let (made, family_name, model) = (made_for.label(), family.label(), model.as_str());
    match (made_for, family) {
        (Family::Custom, _) => {
            tr_with("misfit-from-custom", &[("model", model.into()), ("family", family_name.into())])
        }
        (_, Family::Custom) => tr_with("misfit-to-custom", &[("made", made.into()), ("model", model.into())]),
        _ => {
            tr_with("misfit-family", &[("made", made.into()), ("model", model.into()), ("family", family_name.into())])
        }
    }
}

/// Why a LoRA has no place in the model.
pub(crate) fn lora_trouble(trouble: &LoraTrouble) -> String {
    match trouble {
        LoraTrouble::Misfit(why) => misfit(why),
        LoraTrouble::Failed(told) => failure(told),
    }
}

/// What failed and why, without what to do.
pub(crate) fn failure(failure: &Failure) -> String {
    let failure = i18n::failure(failure);
    tr_with("error-sentence", &[("what", failure.what.as_str().into()), ("why", failure.why.as_str().into())])
}
