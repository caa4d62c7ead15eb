//! Asks for a path in the window itself, where the desktop has no file dialogs.

use crate::i18n::tr;
use crate::intent::Intent;
use crate::theme::{self, palette};
use crate::widgets::{Button, name_it};
use egui::{Align, Context, Id, Key, Layout, Modal, RichText, TextEdit, Ui, vec2};
use std::path::PathBuf;

/// What the path is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Picture,
    Import,
    Model,
}

/// The dialog while it is open.
#[derive(Debug)]
pub(crate) struct PathDialog {
    wanted: Wanted,
    path: String,
    fresh: bool,
}

/// How a frame of the dialog ended.
pub(crate) enum Outcome {
    Open,
    Closed,
    Chosen(Intent),
}

impl PathDialog {
    pub(crate) fn new(wanted: Wanted, start: String) -> Self {
        Self { wanted, path: start, fresh: true }
    }

    /// Draws it.
    pub(crate) fn show(&mut self, ctx: &Context) -> Outcome {
        let modal = Modal::new(Id::unique("path")).frame(theme::modal_frame(ctx)).show(ctx, |ui| self.contents(ui));
        if modal.backdrop_response.clicked() { Outcome::Closed } else { modal.inner }
    }

    fn contents(&mut self, ui: &mut Ui) -> Outcome {
        ui.set_width(520.0);
        let (title, hint, button, explanation) = match self.wanted {
            Wanted::Picture => {
                (tr("path-picture"), tr("path-picture-hint"), tr("path-picture"), tr("path-picture-why"))
            }
            Wanted::Import => (tr("path-import"), tr("path-import-hint"), tr("path-picture"), tr("path-import-why")),
            Wanted::Model => (tr("path-model"), tr("path-model-hint"), tr("path-model-button"), tr("path-model-why")),
        };
        ui.label(RichText::new(title).font(theme::semibold(18.0)));
        ui.label(RichText::new(explanation).color(palette(ui).secondary));
        ui.add_space(4.0);
        let edit = TextEdit::singleline(&mut self.path)
            .hint_text(RichText::new(hint).color(palette(ui).disabled))
            .margin(egui::Margin::symmetric(10, 7))
            .desired_width(f32::INFINITY);
        let response = ui.add_sized(vec2(ui.available_width(), theme::CONTROL), edit);
        name_it(ui, &response, tr("path-name"));
        if std::mem::take(&mut self.fresh) {
            response.request_focus();
        }
        ui.add_space(8.0);
        let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        self.buttons(ui, button, entered)
    }

    fn buttons(&self, ui: &mut Ui, button: &str, entered: bool) -> Outcome {
        let path = self.path.trim();
        let (clicked, cancelled) = ui
            .with_layout(Layout::right_to_left(Align::Center), |ui| {
                let open =
                    ui.add_enabled_ui(!path.is_empty(), |ui| Button::new(button).primary(true).show(ui).clicked());
                (open.inner, Button::new(tr("path-cancel")).shortcut("Esc").show(ui).clicked())
            })
            .inner;
        if cancelled {
            return Outcome::Closed;
        }
        if path.is_empty() || !(clicked || entered) {
            return Outcome::Open;
        }
        let path = PathBuf::from(path);
        Outcome::Chosen(match self.wanted {
            Wanted::Picture => Intent::OpenPicturePath(path),
            Wanted::Import => Intent::ImportPicturePath(path),
            Wanted::Model => Intent::LookAt(vec![path]),
        })
    }
}
