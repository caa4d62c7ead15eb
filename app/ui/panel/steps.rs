use crate::i18n::tr;
use crate::intent::View;
use crate::shortcuts::{Command, keys};
use crate::theme::palette;
use crate::widgets::{Cell, Slider, caption_row, segmented};
use crate::words;
use egui::Ui;
use fourstep_session::Action;

const DIGITS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let request = view.session.request();
    let (steps, range) = (request.steps, view.session.model().steps_range(request.sampler));
    let cells = *range.end() as usize;
    if cells <= DIGITS.len() {
        caption_row(ui, tr("steps-name"), "", palette(ui).text);
        let names: Vec<String> = (1..=*range.end()).map(words::steps).collect();
        let shortcuts: Vec<String> = (1..=*range.end()).map(|steps| keys(Command::Steps(steps))).collect();
        let cells: Vec<Cell<'_>> = DIGITS
            .into_iter()
            .zip(names.iter().zip(&shortcuts))
            .take(cells)
            .map(|(digit, (name, shortcut))| Cell { shortcut, ..Cell::new(digit, name) })
            .collect();
        // Settings of another program may ask for more.
        let chosen = Some(steps as usize - 1).filter(|i| *i < cells.len());
        if let Some(i) = segmented(ui, &cells, chosen) {
            view.act(Action::SetSteps(i as u32 + 1));
        }
        return;
    }
    caption_row(ui, tr("steps-name"), &steps.to_string(), palette(ui).text);
    let (start, end) = (*range.start() as f32, *range.end() as f32);
    let ticks = [start, 25.0, 50.0, 75.0, end];
    let slider =
        Slider::new(tr("steps-name"), start..=end, 1.0, 1.0).ticks(&ticks).reset(25.0).tooltip(tr("steps-tip"));
    if let Some(steps) = slider.show(ui, steps as f32) {
        view.act(Action::SetSteps(steps as u32));
    }
}
