//! What happened last, and how far something long is.

use crate::happening::Happening;
use crate::icons;
use crate::intent::View;
use crate::theme::{self, palette};
use crate::widgets::tip;
use egui::{Align2, Frame, Margin, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fourstep_protocol::Finished;
use fourstep_session::{Action, Status};

/// Draws the bar.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>, happening: &Happening) {
    let p = palette(ui);
    let frame = Frame::new().fill(p.panel).inner_margin(Margin::symmetric(16, 0));
    egui::Panel::bottom("status bar").exact_size(32.0).resizable(false).frame(frame).show(ui, |ui| {
        let rect = ui.max_rect();
        let right = right_side(ui, view, rect);
        let left = rect.with_max_x(right - 16.0);
        match view.session.notice().map(|n| n.text.clone()) {
            Some(notice) => {
                if line(ui, left, &notice, true).clicked() {
                    view.act(Action::DismissNotice);
                }
            }
            None => {
                line(ui, left, happening.text(), happening.warns);
            }
        }
    });
}

fn line(ui: &mut Ui, rect: Rect, text: &str, warns: bool) -> egui::Response {
    let p = palette(ui);
    let response = ui.interact(rect, ui.scope_id().with("happening"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, text));
    let painter = ui.painter().with_clip_rect(rect);
    let mut x = rect.left();
    if warns {
        let at = pos2(x + 8.0, rect.center().y);
        painter.text(at, Align2::CENTER_CENTER, icons::INFO, theme::icon(16.0), p.text);
        x += 22.0;
    }
    let ink = if warns { p.text } else { p.secondary };
    let drawn = painter.text(pos2(x, rect.center().y), Align2::LEFT_CENTER, text, theme::regular(12.0), ink);
    if drawn.right() > rect.right() { tip(ui, response, text, "") } else { response }
}

/// Progress of what is being loaded, or what the picture is; its left edge.
fn right_side(ui: &mut Ui, view: &View<'_>, rect: Rect) -> f32 {
    match view.session.status(view.now) {
        Status::Loading { what, fraction } => progress(ui, rect, &what, fraction),
        _ => {
            let text = view.session.shown().map(picture).unwrap_or_default();
            let p = palette(ui);
            let at = rect.right_center();
            ui.painter().text(at, Align2::RIGHT_CENTER, text, theme::regular(12.0), p.secondary).left()
        }
    }
}

fn progress(ui: &mut Ui, rect: Rect, what: &str, fraction: f32) -> f32 {
    let p = palette(ui);
    let bar = Rect::from_min_size(pos2(rect.right() - 160.0, rect.center().y - 3.0), vec2(160.0, 6.0));
    ui.painter().rect_filled(bar, 3.0, p.control);
    ui.painter().rect_filled(bar.with_max_x(bar.left() + bar.width() * fraction), 3.0, p.accent);
    let percent = if fraction > 0.0 { format!(" {:.0} %", fraction * 100.0) } else { String::new() };
    let text = format!("Opening {what}{percent}");
    let response = ui.interact(bar, ui.scope_id().with("progress"), Sense::hover());
    response.widget_info(|| WidgetInfo {
        value: Some(f64::from(fraction)),
        ..WidgetInfo::labeled(Role::ProgressIndicator, true, &text)
    });
    let at = pos2(bar.left() - 12.0, rect.center().y);
    ui.painter().text(at, Align2::RIGHT_CENTER, text, theme::regular(12.0), p.text).left()
}

/// What the picture on the stage is.
fn picture(finished: &Finished) -> String {
    let r = &finished.request;
    format!("{} × {} · {} · seed {}", finished.picture.width(), finished.picture.height(), r.sampler.label(), r.seed)
}
