//! State, model, speed; and the two things that are about the window itself.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::shortcuts::{Command, keys};
use crate::theme::{self, palette};
use crate::widgets::{icon_button, tip};
use crate::{model_menu, status_view};
use egui::{Align, Align2, CursorIcon, Frame, Layout, Margin, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use fourstep_protocol::DeviceInfo;
use fourstep_session::Status;

/// Draws the bar.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>, status: &Status) {
    let p = palette(ui);
    let frame = Frame::new().fill(p.panel).inner_margin(Margin::symmetric(16, 0));
    egui::Panel::top("top bar").exact_size(56.0).resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            status_view::show(ui, status, view.now);
            model_menu::show(ui, view);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                window_buttons(ui, view);
                ui.add_space(12.0);
                metrics(ui, view);
            });
        });
    });
}

fn window_buttons(ui: &mut Ui, view: &mut View<'_>) {
    if icon_button(ui, icons::QUESTION, tr("top-shortcuts"), &keys(Command::Help)).clicked() {
        view.want(Intent::ToggleHelp);
    }
    if icon_button(ui, icons::GEAR, tr("top-preferences"), &keys(Command::Preferences)).clicked() {
        view.want(Intent::Preferences);
    }
}

/// From the right edge inwards, each in a place of fixed width.
fn metrics(ui: &mut Ui, view: &mut View<'_>) {
    ui.spacing_mut().item_spacing.x = 16.0;
    let m = view.session.metrics();
    let rate = m.pictures_per_sec.map(|r| if r < 10.0 { format!("{r:.1}") } else { format!("{r:.0}") });
    cell(ui, 76.0, tr("top-rate"), rate, tr("top-rate-meaning"));
    let first = m.first_preview_secs.map(duration);
    cell(ui, 76.0, tr("top-first-preview"), first, tr("top-first-preview-meaning"));
    cell(ui, 56.0, tr("top-last-run"), m.last_run_secs.map(duration), tr("top-last-run-meaning"));
    device(ui, view);
}

/// Width of the place of what computes, in points; its text may reach further to the left.
const DEVICE: f32 = 72.0;

/// What computes; a click leads to where it is chosen.
fn device(ui: &mut Ui, view: &mut View<'_>) {
    let device = view.session.device();
    let meaning = device.map_or_else(String::new, |d| match d.on_card() {
        true => tr_with("top-device-card", &[("device", d.device.as_str().into())]),
        false => {
            tr_with("top-device-meaning", &[("backend", d.backend.as_str().into()), ("threads", d.threads.into())])
        }
    });
    let value = device.map_or_else(|| "–".into(), |d| device_value(ui, d));
    let (rect, response) = ui.allocate_exact_size(vec2(DEVICE, 36.0), Sense::click());
    let name = tr("top-device");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{name} {value}")));
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(6.0, 4.0)), theme::RADIUS, palette(ui).hover);
    }
    written(ui, rect, name, &value);
    if tip(ui, response, &meaning, "").on_hover_cursor(CursorIcon::PointingHand).clicked() {
        view.want(Intent::ShowDevices);
    }
}

/// What computes and how wide its numbers are. The names of cards are long, and a small window has no room for the
/// instructions of a processor.
fn device_value(ui: &Ui, device: &DeviceInfo) -> String {
    let named = |name: &str| format!("{name} {}", device.precision);
    if device.on_card() {
        return named("GPU");
    }
    let whole = named(&device.device);
    let fits = ui.painter().layout_no_wrap(whole.clone(), theme::medium(14.0), palette(ui).text).size().x
        <= ui.available_width();
    if fits { whole } else { named(device.device.split(' ').next().unwrap_or_default()) }
}

fn cell(ui: &mut Ui, width: f32, name: &str, value: Option<String>, meaning: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 36.0), Sense::hover());
    let value = value.unwrap_or_else(|| "–".into());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name} {value}")));
    written(ui, rect, name, &value);
    tip(ui, response, meaning, "");
}

/// A name and its value below.
fn written(ui: &Ui, rect: Rect, name: &str, value: &str) {
    let p = palette(ui);
    let painter = ui.painter();
    painter.text(rect.right_top(), Align2::RIGHT_TOP, name, theme::regular(12.0), p.secondary);
    painter.text(rect.right_bottom(), Align2::RIGHT_BOTTOM, value, theme::medium(14.0), p.text);
}

/// A time in three or so figures.
pub(crate) fn duration(secs: f64) -> String {
    match secs {
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 99.95 => format!("{s:.1} s"),
        s => format!("{s:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_short() {
        let seen = [0.0345, 0.112, 0.9999, 2.314, 9.999, 12.34, 142.2].map(duration);
        assert_eq!(seen, ["34 ms", "112 ms", "1.00 s", "2.31 s", "10.0 s", "12.3 s", "142 s"]);
    }
}
