//! What the program has noted: for finding out why something went wrong, and for sending it to somebody who knows.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::ports::{LogEntry, Logs};
use crate::theme::{self, Palette, palette};
use crate::widgets::{Button, Cell, icon_button, line, segmented, tip};
use egui::{
    Align, Align2, Color32, Context, Id, Layout, Modal, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2,
    vec2,
};
use log::Level;

/// The log while it is open.
#[derive(Default)]
pub(crate) struct LogView {
    least: Least,
    /// How many notes there were when these were listed.
    count: u64,
    listed: Vec<LogEntry>,
    listed_for: Option<Least>,
}

/// How bad a note must be to be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Least {
    #[default]
    All,
    Warnings,
    Errors,
}

const CHOICES: [(Least, &str); 3] =
    [(Least::All, "log-all"), (Least::Warnings, "log-warnings"), (Least::Errors, "log-errors")];
/// Height of a note, and width of its time and level, in points.
const ROW: f32 = 24.0;
const TIME: f32 = 76.0;
const LEVEL: f32 = 60.0;

impl LogView {
    /// Draws it; whether it was closed.
    pub(crate) fn show(&mut self, ctx: &Context, logs: &dyn Logs) -> bool {
        self.list(logs);
        let modal = Modal::new(Id::unique("log")).frame(theme::modal_frame(ctx)).show(ctx, |ui| {
            let screen = ctx.content_rect().size();
            let size = vec2((screen.x - 88.0).min(920.0), (screen.y - 112.0).min(600.0));
            ui.set_min_size(size);
            ui.set_max_size(size);
            self.contents(ui)
        });
        modal.inner || modal.backdrop_response.clicked()
    }

    fn list(&mut self, logs: &dyn Logs) {
        let count = logs.count();
        if self.count == count && self.listed_for == Some(self.least) {
            return;
        }
        (self.count, self.listed_for) = (count, Some(self.least));
        let least = match self.least {
            Least::All => Level::Trace,
            Least::Warnings => Level::Warn,
            Least::Errors => Level::Error,
        };
        self.listed = logs.entries();
        self.listed.retain(|entry| entry.level <= least);
    }

    fn contents(&mut self, ui: &mut Ui) -> bool {
        let closed = self.title(ui);
        ui.add_space(8.0);
        if self.listed.is_empty() {
            let at = ui.available_rect_before_wrap().center();
            let ink = palette(ui).secondary;
            ui.painter().text(at, Align2::CENTER_CENTER, tr("log-empty"), theme::regular(14.0), ink);
            return closed;
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let area = ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true);
        area.show_rows(ui, ROW, self.listed.len(), |ui, range| {
            for entry in &self.listed[range] {
                show_entry(ui, entry);
            }
        });
        closed
    }

    fn title(&mut self, ui: &mut Ui) -> bool {
        ui.horizontal(|ui| {
            ui.label(RichText::new(tr("log-title")).font(theme::semibold(18.0)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let closed = icon_button(ui, icons::X, tr("help-close"), "Esc").clicked();
                let copy = ui.add_enabled_ui(!self.listed.is_empty(), |ui| {
                    Button::new(tr("log-copy")).icon(icons::COPY).name(tr("log-copy-name")).show(ui).clicked()
                });
                if copy.inner {
                    ui.copy_text(self.listed.iter().map(text_of).collect());
                }
                ui.allocate_ui(vec2(300.0, theme::CONTROL), |ui| {
                    let cells = CHOICES.map(|(_, name)| Cell::new(tr(name), tr(name)));
                    let chosen = CHOICES.iter().position(|(least, _)| *least == self.least);
                    if let Some(index) = segmented(ui, &cells, chosen) {
                        self.least = CHOICES[index].0;
                    }
                });
                closed
            })
            .inner
        })
        .inner
    }
}

/// `    12.345 WARN fourstep_hub: …` and a new line.
fn text_of(entry: &LogEntry) -> String {
    let LogEntry { at_ms, level, target, text } = entry;
    format!("{:10.3} {level} {target}: {text}\n", *at_ms as f64 / 1e3)
}

fn show_entry(ui: &mut Ui, entry: &LogEntry) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let secs = format!("{:.3}", entry.at_ms as f64 / 1e3);
    let time = tr_with("log-secs", &[("secs", secs.into())]);
    let label = format!("{time} {} {}", tr(level_of(entry.level)), entry.text);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &label));
    let part = |left: f32, right: f32| Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
    let (time_end, level_end) = (rect.left() + TIME, rect.left() + TIME + LEVEL);
    line(ui, part(rect.left(), time_end), &time, theme::regular(12.0), p.secondary);
    line(ui, part(time_end, level_end), tr(level_of(entry.level)), theme::medium(12.0), ink(entry.level, p));
    let text = format!("{} · {}", entry.text.replace('\n', " "), entry.target);
    line(ui, part(level_end, rect.right() - 12.0), &text, theme::regular(13.0), p.text);
    tip(ui, response, &entry.text, "");
}

fn level_of(level: Level) -> &'static str {
    match level {
        Level::Error => "log-error",
        Level::Warn => "log-warning",
        Level::Info | Level::Debug | Level::Trace => "log-note",
    }
}

fn ink(level: Level, p: &Palette) -> Color32 {
    match level {
        Level::Error => p.error,
        Level::Warn => p.text,
        Level::Info | Level::Debug | Level::Trace => p.secondary,
    }
}
