use super::explain;
use crate::i18n::tr;
use crate::intent::{Fold, Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Cell, NumberField, caption, dropdown, fold, segmented};
use egui::{Align2, Sense, Ui, vec2};
use fourstep_protocol::{Availability, ItemKind, LibraryItem, Noise, Sampler, Size};
use fourstep_session::Action;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let open = view.session.settings().ui.advanced_open;
    let sampler = view.session.request().sampler;
    if fold(ui, tr("advanced-name"), sampler.label(), open) {
        view.want(Intent::Fold(Fold::Advanced));
    }
    if !open {
        return;
    }
    caption(ui, tr("advanced-sampler"));
    let labels = Sampler::ALL.map(Sampler::label);
    let current = Sampler::ALL.iter().position(|known| *known == sampler);
    if let Some(at) = dropdown(ui, tr("advanced-sampler"), sampler.label(), &labels, current) {
        view.act(Action::SetSampler(Sampler::ALL[at]));
    }
    ui.add_space(6.0);
    caption(ui, tr("advanced-vae"));
    vae(ui, view);
    ui.add_space(6.0);
    caption(ui, tr("advanced-noise"));
    let cells = [Cell::new("PyTorch CPU", tr("advanced-torch-tip")), Cell::new("Philox", tr("advanced-philox-tip"))];
    let kinds = [Noise::Torch, Noise::Philox];
    let current = view.session.request().noise;
    if let Some(i) = segmented(ui, &cells, kinds.iter().position(|k| *k == current)) {
        view.act(Action::SetNoise(kinds[i]));
    }
    ui.add_space(6.0);
    caption(ui, tr("advanced-exact-size"));
    if let Some(size) = exact_size(ui, view.session.request().size) {
        view.act(Action::SetSize(size));
    }
    explain(ui, tr("advanced-exact-size-hint"));
}

/// The model's own autoencoder, or one of the library.
fn vae(ui: &mut Ui, view: &mut View<'_>) {
    let library = std::sync::Arc::clone(view.session.library());
    let fits = |item: &&LibraryItem| {
        item.kind == ItemKind::Vae
            && item.availability == Availability::Ready
            && view.session.misfit(item.family).is_none()
    };
    let vaes: Vec<&LibraryItem> = library.iter().filter(fits).collect();
    let current = view.session.request().vae.as_deref();
    let mut names = vec![tr("advanced-own-vae")];
    names.extend(vaes.iter().map(|item| item.name.as_str()));
    let chosen = match current {
        None => Some(0),
        Some(id) => vaes.iter().position(|item| item.id == id).map(|at| at + 1),
    };
    // One that is not listed, for example from a picture's settings, goes by its path.
    let shown = chosen.and_then(|at| names.get(at).copied()).or(current).unwrap_or(tr("advanced-own-vae"));
    if let Some(at) = dropdown(ui, tr("advanced-vae"), shown, &names, chosen) {
        let vae = at.checked_sub(1).and_then(|at| vaes.get(at)).map(|item| item.id.clone());
        view.act(Action::SetVae(vae));
    }
}

fn exact_size(ui: &mut Ui, size: Size) -> Option<Size> {
    ui.horizontal(|ui| {
        const CROSS: f32 = 24.0;
        ui.spacing_mut().item_spacing.x = 0.0;
        let width = ((ui.available_width() - CROSS) / 2.0).floor();
        let w = NumberField::new(tr("advanced-width"), width).when_left().show(ui, u64::from(size.width));
        let (cross, _) = ui.allocate_exact_size(vec2(CROSS, theme::CONTROL), Sense::hover());
        ui.painter().text(cross.center(), Align2::CENTER_CENTER, "×", theme::regular(14.0), palette(ui).secondary);
        let h = NumberField::new(tr("advanced-height"), width).when_left().show(ui, u64::from(size.height));
        let side = |typed: Option<u64>, now: u32| typed.map_or(now, |v| u32::try_from(v).unwrap_or(u32::MAX));
        (w.is_some() || h.is_some()).then(|| Size::new(side(w, size.width), side(h, size.height)))
    })
    .inner
}
