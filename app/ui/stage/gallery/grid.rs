use super::{Gallery, Wish};
use crate::i18n::{self, tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::keeping::{Gallery as GalleryPort, Load, SavedPicture};
use crate::theme::{self, palette};
use crate::widgets::tip;
use egui::{Align2, Color32, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

/// About the side of a cell, and the space to the next, in points.
const SIDE: f32 = 148.0;
const GAP: f32 = 8.0;
/// Of the line below that says how many there are, in points.
const FOOTER: f32 = 28.0;

/// As many columns as fit; only the rows in sight are drawn, however many there are.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, gallery: &mut Gallery, port: &dyn GalleryPort) {
    let count = gallery.shown().count();
    if count == 0 {
        empty(ui, gallery);
        return;
    }
    let width = ui.available_width();
    let columns = ((width + GAP) / (SIDE + GAP)).floor().max(1.0);
    let side = ((width + GAP) / columns - GAP).floor();
    let columns = columns as usize;
    let height = (ui.available_height() - FOOTER).max(side);
    ui.spacing_mut().item_spacing = Vec2::splat(GAP);
    ui.allocate_ui(vec2(width, height), |ui| {
        ui.set_min_height(height);
        let rows = count.div_ceil(columns);
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, side, rows, |ui, rows| {
            let seen: Vec<SavedPicture> =
                gallery.shown().skip(rows.start * columns).take(rows.len() * columns).cloned().collect();
            for row in seen.chunks(columns) {
                ui.horizontal(|ui| {
                    for picture in row {
                        cell(ui, view, gallery, port, picture, side);
                    }
                });
            }
        });
    });
    footer(ui, gallery, count);
}

fn cell(
    ui: &mut Ui,
    view: &mut View<'_>,
    gallery: &mut Gallery,
    port: &dyn GalleryPort,
    picture: &SavedPicture,
    side: f32,
) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click());
    let name = title(picture);
    response.widget_info(|| {
        let key = if picture.starred { "gallery-picture-starred" } else { "gallery-picture" };
        WidgetInfo::labeled(Role::Button, true, tr_with(key, &[("name", name.as_str().into())]))
    });
    ui.painter().rect_filled(rect, 4.0, p.panel);
    let small = || match port.thumbnail(picture.id) {
        Load::Here(picture) => Some(picture),
        Load::Asked | Load::Gone => None,
    };
    if let Some(texture) = gallery.textures.get(ui.ctx(), picture.id, small) {
        let size = texture.size_vec2();
        let place = Rect::from_center_size(rect.center(), size * (side / size.max_elem()));
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(texture.id(), place, whole, Color32::WHITE);
    }
    if response.hovered() || response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(2.0, p.accent), StrokeKind::Inside);
    }
    if picture.starred {
        let at = rect.right_top() + vec2(-16.0, 16.0);
        ui.painter().circle_filled(at, 12.0, p.panel.gamma_multiply(0.85));
        ui.painter().text(at, Align2::CENTER_CENTER, icons::STAR, theme::icon(16.0), p.text);
    }
    if tip(ui, response, &name, "").clicked() {
        view.want(Intent::Gallery(Wish::Open(picture.path.clone())));
    }
}

/// What was painted, else the file's name.
pub(super) fn title(picture: &SavedPicture) -> String {
    if picture.prompt.is_empty() {
        return picture.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    picture.prompt.replace('\n', " ")
}

fn empty(ui: &Ui, gallery: &Gallery) {
    let p = palette(ui);
    let rect = ui.available_rect_before_wrap();
    let text = match &gallery.listing.failure {
        Some(failure) => i18n::failure(failure).to_string(),
        None if gallery.listing.waiting > 0 => waiting(gallery),
        None if gallery.listing.total > 0 => tr("gallery-nothing-found").to_owned(),
        None => tr("gallery-empty").to_owned(),
    };
    let galley = ui.painter().layout(text, theme::regular(14.0), p.secondary, (rect.width() - 64.0).min(560.0));
    let centre = rect.center();
    ui.painter().text(centre - vec2(0.0, 28.0), Align2::CENTER_CENTER, icons::IMAGE, theme::icon(32.0), p.disabled);
    ui.painter().galley(centre - vec2(galley.size().x / 2.0, 0.0), galley, p.secondary);
}

fn waiting(gallery: &Gallery) -> String {
    tr_with("gallery-waiting", &[("n", gallery.listing.waiting.into())])
}

fn footer(ui: &mut Ui, gallery: &Gallery, count: usize) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), FOOTER - GAP), Sense::hover());
    let mut text = tr_with("gallery-count", &[("n", count.into()), ("total", gallery.listing.total.into())]);
    if gallery.listing.waiting > 0 {
        text = format!("{text} · {}", waiting(gallery));
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &text));
    let ink = palette(ui).secondary;
    ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, text, theme::regular(12.0), ink);
}
