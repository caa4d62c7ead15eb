use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Rect, Ui, pos2, vec2};

/// How a line of text came out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    /// Right edge of the text.
    pub right: f32,
    /// It was too long and ends in ….
    pub elided: bool,
}

/// One line of text at the left of `rect`, in its middle, ending in … where it is too long.
pub(crate) fn line(ui: &Ui, rect: Rect, text: &str, font: FontId, ink: Color32) -> Drawn {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = TextWrapping::truncate_at_width(rect.width().max(0.0));
    let galley = ui.painter().layout_job(job);
    let at = pos2(rect.left(), rect.center().y) - vec2(0.0, galley.size().y / 2.0);
    let right = at.x + galley.size().x;
    let elided = galley.elided;
    ui.painter().galley(at, galley, ink);
    Drawn { right, elided }
}
