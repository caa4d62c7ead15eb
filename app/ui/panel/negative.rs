use super::{
    explain,
    prompt::{Editor, Offers},
};
use crate::i18n::tr;
use crate::intent::{Fold, Intent, View};
use crate::widgets::fold;
use egui::{Id, Ui};
use fourstep_session::{Action, NegativeEffect};

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let open = view.session.settings().ui.negative_open;
    let effect = view.session.negative_effect();
    let (note, reason) = match effect {
        NegativeEffect::Active => ("", tr("negative-active")),
        NegativeEffect::NoUnconditionalPass => (tr("negative-off-at-one"), tr("negative-off-at-one-why")),
        NegativeEffect::GuidanceEmbedded => (tr("negative-off"), tr("negative-embedded-why")),
        NegativeEffect::NoGuidance => (tr("negative-off"), tr("negative-none-why")),
    };
    if fold(ui, tr("negative-name"), note, open) {
        view.want(Intent::Fold(Fold::Negative));
    }
    if !open {
        return;
    }
    let mut text = view.session.request().negative_prompt.clone();
    let changed = ui.add_enabled_ui(effect == NegativeEffect::Active, |ui| {
        let (id, name, hint) = (Id::unique("negative prompt"), tr("negative-name"), tr("negative-hint"));
        let editor = Editor { id, name, hint, min_rows: 2, unknown: &[], unread: None, offers: Offers::Wildcards };
        editor.show(ui, view.session, &mut text).changed
    });
    if changed.inner {
        view.act(Action::SetNegativePrompt(text));
    }
    explain(ui, reason);
}
