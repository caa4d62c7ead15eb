use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Rect, Ui, pos2, vec2};

/// One line of text at the left of `rect`, in its middle, ending in … where it is too long; its right edge.
pub(crate) fn line(ui: &Ui, rect: Rect, text: &str, font: FontId, ink: Color32) -> f32 {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = TextWrapping::truncate_at_width(rect.width().max(0.0));
    let galley = ui.painter().layout_job(job);
    let at = pos2(rect.left(), rect.center().y) - vec2(0.0, galley.size().y / 2.0);
    let right = at.x + galley.size().x;
    ui.painter().galley(at, galley, ink);
    right
}
