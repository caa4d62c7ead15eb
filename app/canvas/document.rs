mod layers;

use crate::{Area, Brush, Dab, Ink, Layer, Page, Shape, fill::flood, history::History, plane::Plane, stroke::Stroke};
use fourstep_protocol::{Coverage, Picture, Size};

/// Undo takes at most this.
const UNDO_BYTES: usize = 256 << 20;

/// A page, what can be taken back, and what it looks like.
#[derive(Debug)]
pub struct Document {
    page: Page,
    flat: Plane<3>,
    history: History,
    stroke: Option<Stroke>,
    dirty: Dirty,
    revision: u64,
}

/// What changed since it was last looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Dirty {
    flat: Area,
    mask: Area,
}

impl Document {
    /// Blank paper.
    pub fn new(size: Size, paper: [u8; 3]) -> Self {
        Self::of(Page::new(size, paper))
    }

    /// A page to go on with.
    pub fn of(page: Page) -> Self {
        let mut document = Self {
            flat: Plane::new(page.size.width, page.size.height),
            page,
            history: History::new(UNDO_BYTES),
            stroke: None,
            dirty: Dirty::default(),
            revision: 0,
        };
        document.changed_all();
        document
    }

    /// What lies on it.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// In px.
    pub fn size(&self) -> Size {
        self.page.size
    }

    /// The colour of the paper.
    pub fn paper(&self) -> [u8; 3] {
        self.page.paper
    }

    /// Grows with everything that changes how the page looks or what its mask is.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What the page looks like: paper, picture and sketch.
    pub fn picture(&self) -> Picture {
        Picture::from_rows(self.page.size.width, self.flat.pixels())
    }

    /// What is to be painted anew; `None` where the mask is blank.
    pub fn mask(&self) -> Option<Coverage> {
        let mask = &self.page.mask;
        (!mask.is_blank()).then(|| Coverage::from_rows(self.page.size.width, mask.pixels().as_flattened()))
    }

    /// Whether there is nothing on the paper.
    pub fn is_blank(&self) -> bool {
        self.page.picture.is_blank() && self.page.sketch.is_blank()
    }

    /// Whether a layer holds nothing.
    pub fn is_layer_blank(&self, layer: Layer) -> bool {
        match layer {
            Layer::Picture => self.page.picture.is_blank(),
            Layer::Sketch => self.page.sketch.is_blank(),
            Layer::Mask => self.page.mask.is_blank(),
        }
    }

    /// The colour at a place, as it is seen; `None` beside the page.
    pub fn color_at(&self, x: f32, y: f32) -> Option<[u8; 3]> {
        self.pixel(x, y).map(|(x, y)| self.flat.at(x, y))
    }

    fn pixel(&self, x: f32, y: f32) -> Option<(u32, u32)> {
        let Size { width, height } = self.page.size;
        let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
        inside.then_some((x as u32, y as u32))
    }
}

/// Drawing.
impl Document {
    /// Begins a stroke on the sketch or on the mask.
    pub fn begin(&mut self, layer: Layer, ink: Ink, brush: Brush) {
        self.end();
        self.stroke = Some(Stroke::new(&self.page, layer, ink, brush));
    }

    /// The brush is here now.
    pub fn sweep(&mut self, to: Dab) {
        self.draw(|stroke, page| stroke.sweep(page, to));
    }

    /// The form is this now.
    pub fn shape(&mut self, shape: &Shape) {
        self.draw(|stroke, page| stroke.shape(page, shape));
    }

    fn draw(&mut self, draw: impl FnOnce(&mut Stroke, &mut Page) -> Area) {
        let Some(stroke) = &mut self.stroke else { return };
        let (area, layer) = (draw(stroke, &mut self.page), stroke.layer());
        self.changed(layer, area);
    }

    /// The stroke is done and can be taken back.
    pub fn end(&mut self) {
        if let Some(change) = self.stroke.take().and_then(Stroke::finish) {
            self.history.record(change);
        }
    }

    /// The stroke was a mistake.
    pub fn cancel(&mut self) {
        if let Some(stroke) = self.stroke.take() {
            let layer = stroke.layer();
            let area = stroke.cancel(&mut self.page);
            self.changed(layer, area);
        }
    }

    /// Whether something is being drawn.
    pub fn is_drawing(&self) -> bool {
        self.stroke.is_some()
    }

    /// Fills what has about the colour that is seen at a place.
    pub fn fill(&mut self, layer: Layer, (x, y): (f32, f32), ink: Ink, opacity: f32, tolerance: u8) {
        let Some(start) = self.pixel(x, y) else { return };
        self.begin(layer, ink, Brush { size_px: 1.0, hardness: 1.0, opacity });
        let Some(stroke) = &mut self.stroke else { return };
        let area = stroke.cover(&mut self.page, |coverage| flood(&self.flat, start, tolerance, coverage));
        self.changed(layer, area);
        self.end();
    }

    /// Takes the last thing back; whether there was one.
    pub fn undo(&mut self) -> bool {
        self.travel(History::undo)
    }

    /// Does again what was taken back; whether there was something.
    pub fn redo(&mut self) -> bool {
        self.travel(History::redo)
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        self.history.can_undo()
    }

    /// Whether there is something to do again.
    pub fn can_redo(&self) -> bool {
        self.history.can_redo()
    }

    fn travel(&mut self, go: impl FnOnce(&mut History, &mut Page) -> Option<Area>) -> bool {
        self.end();
        let size = self.page.size;
        let Some(area) = go(&mut self.history, &mut self.page) else { return false };
        if size == self.page.size {
            self.changed(Layer::Sketch, area);
            self.changed(Layer::Mask, area);
        } else {
            self.changed_all();
        }
        true
    }
}

/// What a view needs.
impl Document {
    /// What looks different since the last call.
    pub fn take_dirty(&mut self) -> Area {
        std::mem::take(&mut self.dirty.flat)
    }

    /// Where the mask is different since the last call.
    pub fn take_dirty_mask(&mut self) -> Area {
        std::mem::take(&mut self.dirty.mask)
    }

    /// The pixels of an area as they are seen, row by row.
    pub fn pixels(&self, area: Area) -> impl Iterator<Item = [u8; 3]> + '_ {
        (area.y0..area.y1).flat_map(move |y| self.flat.row(area, y)).copied()
    }

    /// The mask of an area, row by row.
    pub fn mask_pixels(&self, area: Area) -> impl Iterator<Item = u8> + '_ {
        (area.y0..area.y1).flat_map(move |y| self.page.mask.row(area, y)).map(|pixel| pixel[0])
    }

    fn changed(&mut self, layer: Layer, area: Area) {
        if area.is_empty() {
            return;
        }
        self.revision += 1;
        if layer == Layer::Mask {
            self.dirty.mask = self.dirty.mask.union(area);
        } else {
            self.page.flatten(area, &mut self.flat);
            self.dirty.flat = self.dirty.flat.union(area);
        }
    }

    fn changed_all(&mut self) {
        let area = self.page.area();
        if self.flat.area() != area {
            self.flat = Plane::new(area.x1, area.y1);
            self.dirty = Dirty::default();
        }
        self.changed(Layer::Picture, area);
        self.changed(Layer::Mask, area);
    }
}

#[cfg(test)]
mod tests;
