use crate::intent::View;
use crate::theme::palette;
use crate::widgets::{Cell, Slider, caption_row, segmented};
use egui::Ui;
use fourstep_session::Action;

const DIGITS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
const NAMES: [&str; 8] = ["1 step", "2 steps", "3 steps", "4 steps", "5 steps", "6 steps", "7 steps", "8 steps"];

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let request = view.session.request();
    let (steps, range) = (request.steps, view.session.model().steps_range(request.sampler));
    let cells = *range.end() as usize;
    if cells <= DIGITS.len() {
        caption_row(ui, "Steps", "", palette(ui).text);
        let cells: Vec<Cell<'_>> = DIGITS
            .into_iter()
            .zip(NAMES)
            .take(cells)
            .map(|(digit, name)| Cell { shortcut: digit, ..Cell::new(digit, name) })
            .collect();
        // Settings of another program may ask for more.
        let chosen = Some(steps as usize - 1).filter(|i| *i < cells.len());
        if let Some(i) = segmented(ui, &cells, chosen) {
            view.act(Action::SetSteps(i as u32 + 1));
        }
        return;
    }
    caption_row(ui, "Steps", &steps.to_string(), palette(ui).text);
    let (start, end) = (*range.start() as f32, *range.end() as f32);
    let ticks = [start, 25.0, 50.0, 75.0, end];
    let slider = Slider::new("Steps", start..=end, 1.0, 1.0).ticks(&ticks).reset(25.0).tooltip("Denoising steps");
    if let Some(steps) = slider.show(ui, steps as f32) {
        view.act(Action::SetSteps(steps as u32));
    }
}
