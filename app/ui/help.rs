//! The overlay with all shortcuts.

use crate::i18n::tr;
use crate::icons;
use crate::intent::{Intent, View};
use crate::shortcuts::{self, Chord, TABLE};
use crate::stage::tool_keys;
use crate::theme::{self, palette};
use crate::widgets::{Button, icon_button};
use egui::{Align, Context, Frame, Id, Layout, Margin, Modal, RichText, ScrollArea, Sense, Ui, vec2};

/// Width of a column, and of the keys in it, in points.
const COLUMN: f32 = 388.0;
const KEYS: f32 = 132.0;
const GUTTER: f32 = 32.0;
const ROW: f32 = 26.0;
/// Of the window's height, in points: the title, and what stays free above and below.
const AROUND: f32 = 120.0;

/// Draws it; whether it was closed.
pub(crate) fn show(ctx: &Context, view: &mut View<'_>) -> bool {
    let modal = Modal::new(Id::unique("help")).frame(theme::modal_frame(ctx)).show(ctx, |ui| {
        ui.set_width(2.0 * COLUMN + GUTTER);
        ui.spacing_mut().item_spacing = vec2(GUTTER, 2.0);
        let closed = title(ui, view);
        let height = ctx.content_rect().height() - AROUND;
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                for groups in columns() {
                    ui.vertical(|ui| {
                        ui.set_width(COLUMN);
                        for group in &groups {
                            show_group(ui, group);
                        }
                    });
                }
            });
        });
        closed
    });
    modal.inner || modal.backdrop_response.clicked()
}

fn title(ui: &mut Ui, view: &mut View<'_>) -> bool {
    ui.horizontal(|ui| {
        ui.label(RichText::new(tr("help-title")).font(theme::semibold(18.0)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let closed = icon_button(ui, icons::X, tr("help-close"), "Esc").clicked();
            if Button::new(tr("help-log")).show(ui).clicked() {
                view.want(Intent::ShowLog);
            }
            if Button::new(tr("help-welcome")).show(ui).clicked() {
                view.want(Intent::ShowWelcome);
            }
            closed
        })
        .inner
    })
    .inner
}

/// A part of the help: its name, and lines of keys and what they do.
struct Group {
    name: &'static str,
    lines: Vec<(Vec<String>, &'static str)>,
}

/// Painting, settings and canvas; everything about what is seen.
fn columns() -> [Vec<Group>; 2] {
    let mut left = groups();
    let right = left.split_off(left.len().min(2));
    left.push(canvas());
    [left, right]
}

/// Keys of the canvas that cannot be changed.
fn canvas() -> Group {
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let (free, forms) = tool_keys();
    Group {
        name: "help-canvas",
        lines: vec![
            (keys(&free), "help-tools"),
            (keys(&forms), "help-forms"),
            (keys(&["[", "]"]), "help-brush-size"),
            (keys(&["X"]), "canvas-swap-colors"),
        ],
    }
}

/// The table as the help shows it, with the keys that cannot be changed.
fn groups() -> Vec<Group> {
    let bindings = shortcuts::current();
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while at < TABLE.len() {
        let row = &TABLE[at];
        let end = TABLE[at..].iter().position(|other| other.help != row.help).map_or(TABLE.len(), |count| at + count);
        let firsts: Vec<Chord> = (at..end).filter_map(|index| bindings.chords(index).first().copied()).collect();
        let line = (joined(&firsts), row.help);
        match groups.last_mut().filter(|group| group.name == row.group) {
            Some(group) => group.lines.push(line),
            None => groups.push(Group { name: row.group, lines: vec![line] }),
        }
        at = end;
    }
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    if let Some(painting) = groups.first_mut() {
        painting.lines.insert(1, (keys(&["Shift", "Enter"]), "help-new-line"));
        painting.lines.push((keys(&["Esc"]), "help-stop"));
        painting.lines.push((keys(&["Ctrl", "↑", "↓"]), "help-weight"));
        painting.lines.push((keys(&["Alt"]), "help-without"));
    }
    groups
}

/// Keys as caps: two alternatives, or the first and the last of a row.
fn joined(chords: &[Chord]) -> Vec<String> {
    let caps = |chord: &Chord| chord.caps().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let sign = if chords.len() > 2 { "…" } else { "/" };
    match (chords.first(), chords.last()) {
        (Some(first), Some(last)) if chords.len() > 1 => [caps(first), vec![sign.into()], caps(last)].concat(),
        (Some(only), _) => caps(only),
        _ => vec!["–".into()],
    }
}

fn show_group(ui: &mut Ui, group: &Group) {
    let p = palette(ui);
    ui.add_space(12.0);
    ui.label(RichText::new(tr(group.name)).font(theme::medium(13.0)).color(p.secondary));
    let (line, _) = ui.allocate_exact_size(vec2(COLUMN, 7.0), Sense::hover());
    ui.painter().hline(line.x_range(), line.center().y, (1.0, p.hairline));
    for (keys, what) in &group.lines {
        let row = |ui: &mut Ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.allocate_ui_with_layout(vec2(KEYS, ROW), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(KEYS);
                for key in keys {
                    cap(ui, key);
                }
            });
            ui.label(RichText::new(tr(what)).size(13.0));
        };
        ui.allocate_ui_with_layout(vec2(COLUMN, ROW), Layout::left_to_right(Align::Center), row);
    }
}

/// A key as it looks on a keyboard.
pub(crate) fn cap(ui: &mut Ui, key: &str) {
    let p = palette(ui);
    if matches!(key, "…" | "/") {
        ui.label(RichText::new(key).color(p.secondary));
        return;
    }
    let frame = Frame::new().fill(p.control).corner_radius(4).inner_margin(Margin::symmetric(6, 2));
    frame.show(ui, |ui| ui.label(RichText::new(key).font(theme::medium(12.0))));
}
