//! The picture, as large as it can be, and what one does with it; in its tabs, what there is beside it.

mod bonds;
mod canvas;
mod footer;
pub(crate) mod gallery;
mod grid;
mod header;
mod picture;
mod tabs;
mod twin;
mod without;
mod zoom;

pub(crate) use canvas::tool_keys;
pub(crate) use header::is_busy;
pub(crate) use zoom::Zoom;

use crate::intent::View;
use crate::layer::Layer;
use crate::ports::{PreviewPicture, Previews};
use crate::screen::Screen;
use crate::theme::palette;
use crate::{error_bar, restored};
use eframe::egui_wgpu::RenderState;
use egui::{Context, Frame, Margin, Ui};
use fourstep_protocol::Finished;
use fourstep_session::{Session, Tab};
use std::sync::Arc;

/// How the stage looks at the picture.
pub(crate) struct Stage {
    pub zoom: Zoom,
    /// Chosen by hand; else smooth, and pixels where zoomed in far.
    pub pixels: Option<bool>,
    twin: twin::Twin,
    without: without::Without,
    grid: grid::GridView,
    pub gallery: gallery::Gallery,
    canvas: Option<Box<canvas::Canvas>>,
    /// A larger version of the picture on the stage.
    larger: Option<Larger>,
}

/// A picture painted larger, and what shows it.
struct Larger {
    finished: Box<Finished>,
    layer: Layer,
}

impl Stage {
    /// `gpu` draws what the processor would be too slow for.
    pub(crate) fn new(gpu: Option<&RenderState>) -> Self {
        Self {
            zoom: Zoom::default(),
            pixels: None,
            twin: twin::Twin::new(gpu),
            grid: grid::GridView::default(),
            without: without::Without::default(),
            gallery: gallery::Gallery::default(),
            canvas: None,
            larger: None,
        }
    }

    /// Takes over what the session and the decoder have for the tabs beside the picture.
    pub(crate) fn update(&mut self, ctx: &Context, session: &Session, previews: &dyn Previews) {
        self.twin.update(ctx, session, previews);
        self.without.update(ctx, session);
        self.grid.update(ctx, session);
        let there = session.shown().map(|finished| finished.run).filter(|_| !session.is_stale());
        self.larger.take_if(|larger| Some(larger.finished.run) != there);
    }

    /// Shows a larger version of the picture on the stage, as long as that is there.
    pub(crate) fn show_larger(&mut self, ctx: &Context, finished: Box<Finished>) {
        let layer = Layer::new(ctx, Arc::clone(&finished.picture), finished.run, None);
        self.larger = Some(Larger { finished, layer });
    }

    /// The larger version of the picture on the stage, where that is what is seen.
    pub(crate) fn larger(&self) -> Option<&Finished> {
        self.larger.as_ref().map(|larger| &*larger.finished)
    }

    /// A preview, of the live run or of the idle one.
    pub(crate) fn take_preview(&mut self, ctx: &Context, preview: &PreviewPicture, is_idle: bool) {
        self.twin.take_preview(ctx, preview, is_idle);
    }
}

/// Draws the stage in what is left of the window.
pub(crate) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    stage: &mut Stage,
    screen: &mut Screen,
    gallery: &dyn crate::Gallery,
    only: bool,
) {
    let p = palette(ui);
    let bar = |fill| Frame::new().fill(fill).inner_margin(Margin::symmetric(12, 0));
    if !only {
        let header = egui::Panel::top("stage header").exact_size(48.0).resizable(false).frame(bar(p.stage));
        header.show_separator_line(false).show(ui, |ui| header::show(ui, view));
    }
    // Steps and zoom are the picture's.
    if !only && view.session.settings().ui.tab != Tab::Gallery {
        let footer = egui::Panel::bottom("stage footer").exact_size(40.0).resizable(false).frame(bar(p.stage));
        footer.show_separator_line(false).show(ui, |ui| footer::show(ui, view, stage, screen));
    }
    let frame = Frame::new().fill(p.stage).inner_margin(if only { Margin::ZERO } else { Margin::symmetric(12, 0) });
    egui::CentralPanel::default().frame(frame).show(ui, |ui| {
        let rect = ui.available_rect_before_wrap();
        match view.session.settings().ui.tab {
            Tab::Picture => picture::show(ui, view, stage, screen),
            Tab::Twin => twin::show(ui, view, stage, screen),
            Tab::Grid => grid::show(ui, view, &mut stage.grid),
            Tab::Canvas => canvas::show(ui, view, stage, screen),
            Tab::Gallery => gallery::show(ui, view, &mut stage.gallery, gallery),
        }
        stage.hand_over_canvas(ui, view);
        error_bar::show(ui, view, rect);
        restored::show(ui, view, rect);
    });
}
