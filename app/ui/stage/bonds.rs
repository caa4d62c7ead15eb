//! Following the run of the picture that is shown: its first steps, or its composition.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::View;
use crate::theme::palette;
use crate::widgets::{Button, Cell, Slider, caption, segmented};
use egui::{Popup, PopupCloseBehavior, Ui};
use fourstep_session::{Action, Bond};

/// Points of the list that opens.
const WIDTH: f32 = 264.0;
/// So many choices stand beside each other; more are a slider.
const CELLS: u32 = 8;

/// A button for each way of following, from left to right.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    button(ui, view, Bond::Fork, &Texts { icon: icons::FORK, name: "bond-fork", meaning: "bond-fork-meaning" });
    let held = Texts { icon: icons::COMPOSITION, name: "bond-composition", meaning: "bond-composition-meaning" };
    button(ui, view, Bond::Composition, &held);
}

/// How a bond is called.
struct Texts {
    icon: &'static str,
    name: &'static str,
    meaning: &'static str,
}

fn button(ui: &mut Ui, view: &mut View<'_>, bond: Bond, texts: &Texts) {
    let steps = bond.of(view.session.request()).map(|anchor| anchor.steps);
    let range = view.session.bond_range();
    let count = steps.map(|steps| steps.to_string()).unwrap_or_default();
    let name = match steps {
        Some(steps) => tr_with("bond-on", &[("name", tr(texts.name).into()), ("n", steps.into())]),
        None => tr(texts.name).to_owned(),
    };
    let button = Button::new(&count).icon(texts.icon).name(&name).quiet().on(steps.is_some());
    let response = ui.add_enabled_ui(steps.is_some() || range.is_some(), |ui| button.show(ui)).inner;
    let popup = Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    popup.width(WIDTH).accessible_name(tr(texts.name)).show(|ui| {
        ui.set_width(WIDTH);
        ui.spacing_mut().item_spacing.y = 6.0;
        caption(ui, tr(texts.name));
        ui.label(egui::RichText::new(tr(texts.meaning)).small().color(palette(ui).secondary));
        let most = range.map_or(steps.unwrap_or(1), |range| *range.end());
        if let Some(steps) = choose(ui, most, steps) {
            view.act(Action::Follow { bond, steps: Some(steps) });
        }
        if steps.is_some() && Button::new(tr("bond-off")).icon(icons::X).show(ui).clicked() {
            view.act(Action::Follow { bond, steps: None });
            ui.close();
        }
    });
}

/// How many steps; what was chosen anew.
fn choose(ui: &mut Ui, most: u32, chosen: Option<u32>) -> Option<u32> {
    if most > CELLS {
        let value = chosen.unwrap_or(1) as f32;
        let moved = Slider::new(tr("bond-steps"), 1.0..=most as f32, 1.0, 1.0).show(ui, value);
        return moved.map(|steps| steps.round() as u32);
    }
    let numbers: Vec<String> = (1..=most).map(|n| n.to_string()).collect();
    let names: Vec<String> = (1..=most).map(|n| tr_with("bond-first", &[("n", n.into())])).collect();
    let cells: Vec<Cell<'_>> = numbers.iter().zip(&names).map(|(text, name)| Cell::new(text, name)).collect();
    segmented(ui, &cells, chosen.map(|steps| steps as usize - 1)).map(|index| index as u32 + 1)
}
