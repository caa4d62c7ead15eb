//! Language, theme, letters, what computes, and shortcuts.

mod computing;
mod general;
mod keys;

pub(crate) use general::LETTERS_STEP;

use crate::i18n::tr;
use crate::icons;
use crate::intent::View;
use crate::theme;
use crate::widgets::{Cell, icon_button, segmented};
use egui::{Align, Context, Id, Layout, Modal, RichText, Ui, vec2};

/// The preferences while they are open.
#[derive(Default)]
pub(crate) struct Preferences {
    page: Page,
    /// The row of the table of shortcuts that waits for keys.
    waiting: Option<usize>,
}

/// A page of the preferences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    #[default]
    General,
    Computing,
    Keys,
}

const PAGES: [(Page, &str); 3] =
    [(Page::General, "prefs-general"), (Page::Computing, "prefs-computing"), (Page::Keys, "prefs-keys")];

impl Preferences {
    /// Open where one chooses what computes.
    pub(crate) fn computing() -> Self {
        Self { page: Page::Computing, ..Self::default() }
    }

    /// Draws them; whether they were closed.
    pub(crate) fn show(&mut self, ctx: &Context, view: &mut View<'_>) -> bool {
        let modal = Modal::new(Id::unique("preferences")).frame(theme::modal_frame(ctx)).show(ctx, |ui| {
            let screen = ctx.content_rect().size();
            let size = vec2((screen.x - 88.0).min(560.0), (screen.y - 112.0).min(520.0));
            ui.set_min_size(size);
            ui.set_max_size(size);
            self.contents(ui, view)
        });
        modal.inner || modal.backdrop_response.clicked()
    }

    fn contents(&mut self, ui: &mut Ui, view: &mut View<'_>) -> bool {
        let closed = ui
            .horizontal(|ui| {
                ui.label(RichText::new(tr("prefs-title")).font(theme::semibold(18.0)));
                let right = Layout::right_to_left(Align::Center);
                ui.with_layout(right, |ui| icon_button(ui, icons::X, tr("help-close"), "Esc").clicked()).inner
            })
            .inner;
        ui.add_space(4.0);
        let cells = PAGES.map(|(_, name)| Cell::new(tr(name), tr(name)));
        let chosen = PAGES.iter().position(|(page, _)| *page == self.page);
        if let Some(index) = segmented(ui, &cells, chosen) {
            self.page = PAGES[index].0;
            self.waiting = None;
        }
        ui.add_space(8.0);
        match self.page {
            Page::General => general::show(ui, view),
            Page::Computing => computing::show(ui, view),
            Page::Keys => keys::show(ui, view, &mut self.waiting),
        }
        closed
    }

    /// No keys are waited for any more; whether they were.
    pub(crate) fn stop_waiting(&mut self) -> bool {
        self.waiting.take().is_some()
    }
}
