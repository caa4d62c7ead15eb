//! Pictures in rows and columns: a grid of one's own, or what lies around the picture.

mod setup;
mod table;
mod words;

use crate::intent::View;
use egui::{Context, TextureHandle, TextureOptions, Ui};
use fourstep_protocol::Picture;
use fourstep_session::{CellState, Session};
use setup::Setup;
use std::sync::Arc;

/// What is typed for the axes, and the pictures on the graphics card.
#[derive(Default)]
pub(super) struct GridView {
    setup: Option<Setup>,
    /// One for each cell of the grid that is looked at.
    textures: Vec<Option<(Arc<Picture>, TextureHandle)>>,
    /// The cell that the session knows the pointer to be on.
    pointed: Option<usize>,
}

impl GridView {
    /// Each picture goes to the graphics card once, and leaves it with its grid.
    pub(super) fn update(&mut self, ctx: &Context, session: &Session) {
        let cells = session.grid().cells();
        self.textures.resize_with(cells.len(), || None);
        for (texture, cell) in self.textures.iter_mut().zip(cells) {
            let CellState::Finished { picture, .. } = &cell.state else {
                *texture = None;
                continue;
            };
            if texture.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, picture)) {
                let size = [picture.width() as usize, picture.height() as usize];
                let image = egui::ColorImage::from_rgb(size, picture.rgb());
                *texture = Some((Arc::clone(picture), ctx.load_texture("cell", image, TextureOptions::LINEAR)));
            }
        }
    }
}

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, grid: &mut GridView) {
    setup::show(ui, view, &mut grid.setup);
    table::show(ui, view, grid);
}
