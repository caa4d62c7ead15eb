//! Every frame that was painted, below the stage: looked at again, starred, and gone on from.

mod bar;
mod carry_out;
mod row;

use crate::i18n::tr;
use crate::intent::View;
use crate::keeping::{Kept, KeptFrame, Load, Timeline};
use crate::layer::Layer;
use crate::textures::Textures;
use crate::theme::{self, palette};
use egui::{Align2, Context, Frame, Margin, Ui};
use fourstep_protocol::{Failure, Finished, Request, RunId};
use fourstep_session::{Session, Tab};
use std::sync::Arc;

/// What the person wants of the timeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wish {
    /// Show this frame on the stage; the settings stay.
    Look(u64),
    /// Show the frame so many places later, or the live picture behind the last.
    Step(i32),
    /// Show the live picture again.
    Live,
    /// Give this frame a star, or take it away.
    Star(u64, bool),
    /// Star what is on the stage, or take its star away.
    ToggleStar,
    /// Take over the settings of the frame on the stage.
    Branch,
    /// How many megabytes to keep.
    Bound(u32),
}

/// The strip's state.
#[derive(Default)]
pub(crate) struct Strip {
    kept: Arc<Kept>,
    looked: Option<Looked>,
    /// Frames scrolled away from the newest, by hand.
    scrolled: f32,
    textures: Textures<u64>,
    told: Option<Failure>,
}

/// The frame that is on the stage instead of the live picture.
struct Looked {
    id: u64,
    /// The settings when it was chosen: whoever changes them wants to see what becomes of it.
    settings: Request,
    /// What is on the stage: this frame, or the one before until this is read.
    opened: Option<Older>,
}

impl Strip {
    /// Takes over what is kept; a failure where it is a new one.
    pub(crate) fn update(&mut self, ctx: &Context, session: &Session, timeline: &dyn Timeline) -> Option<Failure> {
        self.kept = timeline.kept();
        self.looked.take_if(|looked| looked.settings != *session.request());
        let wanted = self.looked.as_ref().filter(|looked| !looked.is_opened()).map(|looked| looked.id);
        if let Some(id) = wanted {
            let frame = self.place(id).map(|place| self.kept.frames[place]);
            match (timeline.open(id), frame, &mut self.looked) {
                (Load::Asked, Some(_), _) => {}
                (Load::Here(finished), Some(frame), Some(looked)) => {
                    let layer = Layer::new(ctx, Arc::clone(&finished.picture), RunId(0), None);
                    looked.opened = Some(Older { finished, layer, frame });
                }
                _ => self.looked = None,
            }
        }
        let is_new = self.told != self.kept.failure;
        self.told.clone_from(&self.kept.failure);
        self.told.clone().filter(|_| is_new)
    }

    /// The frame on the stage, where it is not the live picture.
    pub(crate) fn older(&self) -> Option<&Older> {
        self.looked.as_ref()?.opened.as_ref()
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.kept.frames.binary_search_by_key(&id, |frame| frame.id).ok()
    }

    /// The place of the frame that is looked at; the newest where that is the live picture.
    fn at(&self) -> usize {
        let looked = self.looked.as_ref().and_then(|looked| self.place(looked.id));
        looked.unwrap_or(self.kept.frames.len().saturating_sub(1))
    }

    /// The live picture is on the stage again.
    pub(crate) fn show_live(&mut self) {
        self.looked = None;
    }

    fn is_live(&self) -> bool {
        self.looked.is_none()
    }
}

impl Looked {
    fn is_opened(&self) -> bool {
        self.opened.as_ref().is_some_and(|older| older.frame.id == self.id)
    }
}

/// A frame of the timeline on the stage.
#[derive(Clone)]
pub(crate) struct Older {
    pub finished: Arc<Finished>,
    pub layer: Layer,
    pub frame: KeptFrame,
}

/// Draws the strip; it has its place before there is something in it, so that nothing moves when the first picture comes.
/// The other tabs need the room, and looking at a frame leads back to the picture.
pub(crate) fn show(ui: &mut Ui, view: &mut View<'_>, strip: &mut Strip, timeline: &dyn Timeline) {
    if view.session.settings().ui.tab != Tab::Picture {
        return;
    }
    let p = palette(ui);
    let folded = view.session.settings().ui.timeline_folded;
    let height = if folded { bar::HEIGHT } else { bar::HEIGHT + row::HEIGHT };
    let frame = Frame::new().fill(p.panel).inner_margin(Margin::symmetric(12, 0));
    egui::Panel::bottom("timeline").exact_size(height).resizable(false).frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        bar::show(ui, view, strip, folded);
        if strip.kept.frames.is_empty() && !folded {
            empty(ui);
        } else if !folded {
            row::show(ui, view, strip, timeline);
        }
    });
}

fn empty(ui: &Ui) {
    let rect = ui.available_rect_before_wrap();
    let ink = palette(ui).disabled;
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, tr("timeline-empty"), theme::regular(13.0), ink);
}
