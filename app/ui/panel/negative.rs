use super::{explain, prompt::edit};
use crate::intent::{Fold, Intent, View};
use crate::widgets::fold;
use egui::{Id, Ui};
use fourstep_session::{Action, NegativeEffect};

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let open = view.session.settings().ui.negative_open;
    let effect = view.session.negative_effect();
    let (note, reason) = match effect {
        NegativeEffect::Active => ("", "What to steer away from."),
        NegativeEffect::NoUnconditionalPass => {
            ("no effect at 1.0", "Has no effect while guidance is 1.0: no unconditional pass runs.")
        }
        NegativeEffect::GuidanceEmbedded => {
            ("no effect", "Has no effect: this model's guidance is trained in, no unconditional pass runs.")
        }
        NegativeEffect::NoGuidance => ("no effect", "Has no effect: this model has no guidance."),
    };
    if fold(ui, "Negative prompt", note, open) {
        view.want(Intent::Fold(Fold::Negative));
    }
    if !open {
        return;
    }
    let mut text = view.session.request().negative_prompt.clone();
    let changed = ui.add_enabled_ui(effect == NegativeEffect::Active, |ui| {
        edit(ui, Id::unique("negative prompt"), "Negative prompt", "blurry, text, watermark", 2, &mut text)
    });
    if changed.inner {
        view.act(Action::SetNegativePrompt(text));
    }
    explain(ui, reason);
}
