//! The model in use and the ones to choose from.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::shortcuts::{Command, keys};
use crate::theme::{self, CONTROL, RADIUS, palette};
use crate::widgets::tip;
use egui::{Align2, Popup, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fourstep_protocol::{ItemKind, ModelInfo};
use fourstep_session::{Action, Session};

/// Models of the menu; the others are in the browser.
const LISTED: usize = 8;

/// Draws the button; its list opens below.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let p = palette(ui);
    let width = (ui.available_width() - 420.0).clamp(200.0, 320.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, CONTROL), Sense::click());
    let model = view.session.model();
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name_of(model)));
    let fill = if response.hovered() { p.hover } else { p.control };
    ui.painter().rect_filled(rect, RADIUS, fill);
    title(ui, rect.with_min_x(rect.left() + 10.0).with_max_x(rect.right() - 28.0), model, icons::CUBE);
    let caret = rect.right_center() - vec2(16.0, 0.0);
    ui.painter().text(caret, Align2::CENTER_CENTER, icons::CARET_DOWN, theme::icon(13.0), p.secondary);
    let response = tip(ui, response, tr("menu-choose"), "");
    Popup::menu(&response).width(width.max(280.0)).accessible_name(tr("menu-models")).show(|ui| list(ui, view));
}

fn name_of(model: &ModelInfo) -> String {
    tr_with("menu-model", &[("name", model.name.as_str().into()), ("detail", model.detail.as_str().into())])
}

fn list(ui: &mut Ui, view: &mut View<'_>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let current = &view.session.request().model;
    let mut chosen = None;
    for info in near_at_hand(view.session) {
        let is_current = info.model == *current;
        if row(ui, info, if is_current { icons::CHECK } else { "" }, is_current) {
            chosen = Some(info.model.clone());
        }
    }
    if let Some(model) = chosen {
        view.act(Action::ChooseModel(model));
    }
    ui.separator();
    let all = command(ui, icons::GRID, tr("menu-all"), tr("menu-all-tip"), &keys(Command::Library));
    if all {
        view.want(Intent::Browse(ItemKind::Model));
    }
    if command(ui, icons::FOLDER_OPEN, tr("menu-open-folder"), tr("menu-open-folder-tip"), &keys(Command::OpenModel)) {
        view.want(Intent::OpenModel);
    }
}

/// The models used last, and others that are here, in the order of the list.
fn near_at_hand(session: &Session) -> Vec<&ModelInfo> {
    let models = session.models();
    let recent = &session.settings().recent;
    let is_recent = |info: &&ModelInfo| info.model == session.request().model || recent.contains(&info.model);
    let room = LISTED.saturating_sub(models.iter().filter(is_recent).count());
    let mut others: Vec<_> = models.iter().filter(|info| !is_recent(info)).take(room).map(|info| &info.model).collect();
    others.extend(models.iter().filter(is_recent).map(|info| &info.model));
    models.iter().filter(|info| others.contains(&&info.model)).collect()
}

/// A line that leads elsewhere; whether it was clicked.
fn command(ui: &mut Ui, icon: &str, text: &str, hint: &str, shortcut: &str) -> bool {
    let (rect, response) = entry(ui, text);
    let p = palette(ui);
    let at = pos2(rect.left() + 18.0, rect.center().y);
    ui.painter().text(at, Align2::CENTER_CENTER, icon, theme::icon(16.0), p.secondary);
    let at = pos2(rect.left() + 36.0, rect.center().y);
    ui.painter().text(at, Align2::LEFT_CENTER, text, theme::medium(13.0), p.text);
    let clicked = tip(ui, response, hint, shortcut).clicked();
    if clicked {
        ui.close();
    }
    clicked
}

fn row(ui: &mut Ui, info: &ModelInfo, icon: &str, selected: bool) -> bool {
    let (rect, response) = entry(ui, &format!("{}, {}", info.name, info.detail));
    response.widget_info(|| {
        WidgetInfo::selected(Role::RadioButton, true, selected, format!("{}, {}", info.name, info.detail))
    });
    title(ui, rect.with_min_x(rect.left() + 10.0), info, icon);
    let clicked = tip(ui, response, info.model.as_str(), "").clicked();
    if clicked {
        ui.close();
    }
    clicked
}

/// A line of the list.
fn entry(ui: &mut Ui, name: &str) -> (Rect, egui::Response) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, RADIUS, palette(ui).hover);
    }
    (rect, response)
}

/// Icon, name, and in quieter letters what kind it is; cut off where it is too long.
fn title(ui: &Ui, rect: Rect, info: &ModelInfo, icon: &str) {
    let p = palette(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let at = pos2(rect.left() + 8.0, rect.center().y);
    painter.text(at, Align2::CENTER_CENTER, icon, theme::icon(16.0), p.secondary);
    let at = pos2(rect.left() + 26.0, rect.center().y);
    let name = painter.text(at, Align2::LEFT_CENTER, &info.name, theme::medium(13.0), p.text);
    let at = pos2(name.right() + 8.0, rect.center().y);
    painter.text(at, Align2::LEFT_CENTER, &info.detail, theme::regular(13.0), p.secondary);
}
