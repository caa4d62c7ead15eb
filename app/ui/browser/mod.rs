//! Everything there is to paint with, here and on the hub: found, downloaded and chosen in one list.

mod filter;
mod row;

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::{Intent, View};
use crate::theme::{self, palette};
use crate::widgets::{Button, Cell, chip, icon_button, name_it, segmented};
use egui::{
    Align, Align2, Context, Id, Key, Layout, Margin, Modal, Modifiers, RichText, ScrollArea, Sense, TextEdit, Ui, vec2,
};
use filter::{Filter, Place, families, is_here};
use fourstep_protocol::{Family, ItemKind, LibraryItem};
use std::sync::Arc;

/// The browser while it is open.
pub(crate) struct Browser {
    filter: Filter,
    /// What is listed, and from what it was made.
    listed: Vec<usize>,
    made_of: Option<(Arc<Vec<LibraryItem>>, Filter)>,
    /// The id of the row that the keyboard acts on.
    selected: Option<String>,
    /// Scrolled so far, and height of the list, in points.
    offset: f32,
    height: f32,
    fresh: bool,
}

/// Between rows, in points.
const GAP: f32 = 2.0;
const KINDS: [(ItemKind, &str); 4] = [
    (ItemKind::Model, "browser-models"),
    (ItemKind::Lora, "browser-loras"),
    (ItemKind::Vae, "browser-vaes"),
    (ItemKind::TinyDecoder, "browser-decoders"),
];

impl Browser {
    /// A browser for one kind; LoRAs and the like of this family only, to begin with.
    pub(crate) fn new(kind: ItemKind, family: Family) -> Self {
        let family = Some(family).filter(|family| kind != ItemKind::Model && *family != Family::Custom);
        Self {
            filter: Filter::of(kind, family),
            listed: Vec::new(),
            made_of: None,
            selected: None,
            offset: 0.0,
            height: 0.0,
            fresh: true,
        }
    }

    /// Draws it; whether it was closed.
    pub(crate) fn show(&mut self, ctx: &Context, view: &mut View<'_>) -> bool {
        self.list(view.session.library());
        self.keys(ctx, view);
        let frame = theme::modal_frame(ctx).inner_margin(Margin::same(20));
        let modal = Modal::new(Id::unique("browser")).frame(frame).show(ctx, |ui| {
            let screen = ctx.content_rect().size();
            let size = vec2((screen.x - 88.0).min(920.0), (screen.y - 88.0).min(680.0));
            ui.set_min_size(size);
            ui.set_max_size(size);
            self.contents(ui, view)
        });
        modal.inner || modal.backdrop_response.clicked()
    }

    /// Keeps the list in line with the library and the filter.
    fn list(&mut self, items: &Arc<Vec<LibraryItem>>) {
        let same = |(of, filter): &(Arc<Vec<LibraryItem>>, Filter)| Arc::ptr_eq(of, items) && *filter == self.filter;
        if self.made_of.as_ref().is_some_and(same) {
            return;
        }
        self.listed = self.filter.apply(items);
        self.made_of = Some((Arc::clone(items), self.filter.clone()));
        if self.place_of_selected(items).is_none() {
            self.selected = self.listed.first().and_then(|i| items.get(*i)).map(|item| item.id.clone());
            self.offset = 0.0;
        }
    }

    fn place_of_selected(&self, items: &[LibraryItem]) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.listed.iter().position(|i| items.get(*i).is_some_and(|item| item.id == *selected))
    }

    /// Arrows and Enter, also while something is typed into the search field.
    fn keys(&mut self, ctx: &Context, view: &mut View<'_>) {
        let pressed = |key| ctx.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key)) as isize;
        let page = (self.height / (row::HEIGHT + GAP)).floor().max(1.0) as isize;
        let by =
            pressed(Key::ArrowDown) - pressed(Key::ArrowUp) + page * (pressed(Key::PageDown) - pressed(Key::PageUp));
        let items = Arc::clone(view.session.library());
        let place = self.place_of_selected(&items);
        if by != 0 && !self.listed.is_empty() {
            let last = self.listed.len() - 1;
            let to = place.unwrap_or(0).saturating_add_signed(by).min(last);
            self.selected = items.get(self.listed[to]).map(|item| item.id.clone());
            let top = to as f32 * (row::HEIGHT + GAP);
            self.offset = self.offset.clamp((top + row::HEIGHT - self.height).max(0.0), top);
        }
        // Enter on a button that has the focus belongs to the button.
        let typing = ctx.memory(egui::Memory::focused).is_none_or(|id| id == search_id());
        if typing && pressed(Key::Enter) > 0 {
            let item = place.and_then(|at| items.get(self.listed[at]));
            view.intents.extend(item.and_then(|item| row::intent(item, view.session)));
        }
    }

    fn contents(&mut self, ui: &mut Ui, view: &mut View<'_>) -> bool {
        ui.spacing_mut().item_spacing = vec2(8.0, 10.0);
        let closed = self.title(ui);
        self.search(ui, view);
        self.chips(ui, view);
        let footer = 24.0;
        let height = ui.available_height() - footer - 10.0;
        ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
            ui.set_min_height(height);
            if self.listed.is_empty() { self.empty(ui, view) } else { self.rows(ui, view) }
        });
        self.footer(ui, view, footer);
        closed
    }

    fn title(&mut self, ui: &mut Ui) -> bool {
        ui.horizontal(|ui| {
            ui.allocate_ui(vec2((ui.available_width() - 48.0).min(520.0), theme::CONTROL), |ui| {
                let cells = KINDS.map(|(_, name)| Cell::new(tr(name), tr(name)));
                let chosen = KINDS.iter().position(|(kind, _)| *kind == self.filter.kind);
                if let Some(index) = segmented(ui, &cells, chosen) {
                    self.filter.kind = KINDS[index].0;
                    self.filter.family = None;
                }
            });
            let right = Layout::right_to_left(Align::Center);
            ui.with_layout(right, |ui| icon_button(ui, icons::X, tr("browser-close"), "Esc").clicked()).inner
        })
        .inner
    }

    fn search(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        ui.allocate_ui_with_layout(
            vec2(ui.available_width(), theme::CONTROL),
            Layout::right_to_left(Align::Center),
            |ui| {
                if Button::new(tr("browser-open-folder")).icon(icons::FOLDER_OPEN).show(ui).clicked() {
                    view.want(Intent::OpenModel);
                }
                if Button::new(tr("browser-open-file")).icon(icons::FILE).show(ui).clicked() {
                    view.want(Intent::OpenModelFile);
                }
                if icon_button(ui, icons::REFRESH, tr("browser-refresh"), "").clicked() {
                    view.want(Intent::RefreshLibrary);
                }
                let hint = RichText::new(tr("browser-search-hint")).color(palette(ui).disabled);
                let edit = TextEdit::singleline(&mut self.filter.query)
                    .id(search_id())
                    .hint_text(hint)
                    .margin(Margin { left: 34, right: 10, top: 7, bottom: 7 })
                    .desired_width(f32::INFINITY);
                let response = ui.add_sized(vec2(ui.available_width(), theme::CONTROL), edit);
                let at = response.rect.left_center() + vec2(18.0, 0.0);
                ui.painter().text(at, Align2::CENTER_CENTER, icons::SEARCH, theme::icon(16.0), palette(ui).secondary);
                name_it(ui, &response, tr("browser-search"));
                if std::mem::take(&mut self.fresh) {
                    response.request_focus();
                }
            },
        );
    }

    fn chips(&mut self, ui: &mut Ui, view: &View<'_>) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            let places = [
                (Place::Everywhere, "browser-all", "browser-all-name"),
                (Place::Here, "browser-here", "browser-here-name"),
                (Place::Hub, "browser-hub", "browser-hub-name"),
            ];
            for (place, text, name) in places {
                if chip(ui, tr(text), tr(name), self.filter.place == place).clicked() {
                    self.filter.place = place;
                }
            }
            let families = families(view.session.library(), self.filter.kind);
            if families.is_empty() {
                return;
            }
            let (rule, _) = ui.allocate_exact_size(vec2(13.0, 28.0), Sense::hover());
            ui.painter().vline(rule.center().x, rule.shrink2(vec2(0.0, 6.0)).y_range(), (1.0, palette(ui).hairline));
            // A second click takes the filter away.
            for family in families {
                let on = self.filter.family == Some(family);
                if chip(ui, family.label(), &tr_with("browser-only-family", &[("family", family.label().into())]), on)
                    .clicked()
                {
                    self.filter.family = (!on).then_some(family);
                }
            }
        });
    }

    /// Only the rows that are to be seen are laid out.
    fn rows(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let items = Arc::clone(view.session.library());
        ui.spacing_mut().item_spacing.y = GAP;
        let area = ScrollArea::vertical().auto_shrink(false).vertical_scroll_offset(self.offset);
        let output = area.show_rows(ui, row::HEIGHT, self.listed.len(), |ui, range| {
            for item in self.listed[range].iter().filter_map(|index| items.get(*index)) {
                let selected = self.selected.as_ref() == Some(&item.id);
                if row::show(ui, view, item, selected) {
                    self.selected = Some(item.id.clone());
                }
            }
        });
        self.offset = output.state.unclamped_offset().y;
        self.height = output.inner_rect.height();
    }

    fn empty(&mut self, ui: &mut Ui, view: &View<'_>) {
        let p = palette(ui);
        let (sentence, what_now) = self.emptiness(view);
        let centre = ui.max_rect().center();
        let painter = ui.painter();
        painter.text(centre - vec2(0.0, 36.0), Align2::CENTER_CENTER, icons::SEARCH, theme::icon(28.0), p.disabled);
        painter.text(centre, Align2::CENTER_CENTER, sentence, theme::medium(14.0), p.text);
        painter.text(centre + vec2(0.0, 22.0), Align2::CENTER_CENTER, what_now, theme::regular(13.0), p.secondary);
    }

    /// Why nothing is listed, and what to do.
    fn emptiness(&self, view: &View<'_>) -> (String, &'static str) {
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.filter.kind).map_or("", |(_, name)| tr(name));
        if view.looking && view.session.library().is_empty() {
            return (tr("browser-looking").into(), tr("browser-looking-now"));
        }
        if !self.filter.query.trim().is_empty() {
            let query = self.filter.query.trim();
            let sentence = tr_with("browser-not-called", &[("kind", kind.into()), ("query", query.into())]);
            return (sentence, tr("browser-not-called-now"));
        }
        let to_download = self.filter.place == Place::Hub;
        let sentence = match self.filter.family.map(Family::label) {
            Some(family) => {
                let key = if to_download { "browser-none-hub-family" } else { "browser-none-here-family" };
                tr_with(key, &[("kind", kind.into()), ("family", family.into())])
            }
            None => {
                let key = if to_download { "browser-none-hub" } else { "browser-none-here" };
                tr_with(key, &[("kind", kind.into())])
            }
        };
        (sentence, tr("browser-none-now"))
    }

    fn footer(&self, ui: &mut Ui, view: &View<'_>, height: f32) {
        let p = palette(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let items = view.session.library();
        let here = self.listed.iter().filter(|i| items.get(**i).is_some_and(is_here)).count();
        let key = if view.looking { "browser-counts-looking" } else { "browser-counts" };
        let counts = tr_with(key, &[("listed", self.listed.len().into()), ("here", here.into())]);
        let (font, painter) = (theme::regular(12.0), ui.painter());
        painter.text(rect.left_center(), Align2::LEFT_CENTER, counts, font.clone(), p.secondary);
        let keys = tr("browser-keys");
        painter.text(rect.right_center(), Align2::RIGHT_CENTER, keys, font, p.secondary);
    }
}

fn search_id() -> Id {
    Id::unique("search")
}
