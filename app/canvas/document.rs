use crate::{
    Area, Brush, Dab, Ink, Layer, Margins, Page, Pasted, Placement, Shape,
    fill::flood,
    history::{Change, History},
    outpaint::outpaint,
    plane::Plane,
    stroke::Stroke,
};
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

/// Whole layers.
impl Document {
    /// Blank paper again.
    pub fn clear(&mut self, paper: [u8; 3]) {
        self.replace(Page::new(self.page.size, paper));
    }

    /// Empties a layer.
    pub fn clear_layer(&mut self, layer: Layer) {
        if self.is_layer_blank(layer) {
            return;
        }
        let blank = Page::new(self.page.size, self.page.paper);
        let mut page = self.page.clone();
        match layer {
            Layer::Picture => page.picture = blank.picture,
            Layer::Sketch => page.sketch = blank.sketch,
            Layer::Mask => page.mask = blank.mask,
        }
        self.replace(page);
    }

    /// Everything is masked that was not, and the other way round.
    pub fn invert_mask(&mut self) {
        let mut page = self.page.clone();
        page.mask.pixels_mut().iter_mut().for_each(|pixel| pixel[0] = 255 - pixel[0]);
        self.replace(page);
    }

    /// Masks this, made to fit like a picture of its size.
    pub fn set_mask(&mut self, coverage: &Coverage) {
        let covered = coverage.bytes().iter().map(|&c| [c; 4]).collect();
        let Some(pasted) = Pasted::premultiplied(coverage.width(), coverage.height(), covered) else { return };
        let mut page = self.page.clone();
        page.mask = masked(&pasted, page.size);
        self.replace(page);
    }

    /// A picture as large as fits, and nothing else on the page.
    pub fn import(&mut self, picture: &Picture) {
        let Some(pasted) = Pasted::of(picture) else { return };
        let mut page = Page::new(self.page.size, self.page.paper);
        pasted.merge(&Placement::filling(&pasted, page.size), &mut page.picture);
        self.replace(page);
    }

    /// What was painted becomes the picture; the sketch it was painted from goes, the mask stays.
    pub fn keep(&mut self, painted: &Picture) {
        let mask = self.page.mask.clone();
        let Some(pasted) = Pasted::of(painted) else { return };
        let mut page = Page { mask, ..Page::new(self.page.size, self.page.paper) };
        pasted.merge(&Placement::filling(&pasted, page.size), &mut page.picture);
        self.replace(page);
    }

    /// A pasted picture becomes a part of the sketch.
    pub fn merge(&mut self, pasted: &Pasted, placement: &Placement) {
        let mut page = self.page.clone();
        pasted.merge(placement, &mut page.sketch);
        self.replace(page);
    }

    /// Another size: what is on the page is scaled to fit, in the middle.
    pub fn fit_to(&mut self, size: Size) {
        if size == self.page.size {
            return;
        }
        let mut page = Page::new(size, self.page.paper);
        let (w, h) = (self.page.size.width, self.page.size.height);
        let scaled = |pixels: &[[u8; 4]], plane: &mut Plane<4>| {
            if let Some(pasted) = Pasted::premultiplied(w, h, pixels.to_vec()) {
                pasted.merge(&Placement::filling(&pasted, size), plane);
            }
        };
        scaled(self.page.picture.pixels(), &mut page.picture);
        scaled(self.page.sketch.pixels(), &mut page.sketch);
        let covered = self.page.mask.pixels().iter().map(|&[c]| [c; 4]).collect();
        if let Some(pasted) = Pasted::premultiplied(w, h, covered) {
            page.mask = masked(&pasted, size);
        }
        self.replace(page);
    }

    /// Enlarges the page; the new margins are filled from the edges and masked, so that they are what is painted.
    pub fn enlarge(&mut self, margins: Margins, seed: u64) {
        let outpainted = outpaint(&self.picture(), margins, seed);
        let size = Size::new(outpainted.picture.width(), outpainted.picture.height());
        let mut page = self.page.moved(size, i64::from(outpainted.at.0), i64::from(outpainted.at.1));
        let filled = outpainted.picture.rgb().as_chunks::<3>().0;
        let new = outpainted.coverage.bytes();
        for (i, pixel) in page.picture.pixels_mut().iter_mut().enumerate().filter(|(i, _)| new[*i] > 0) {
            let [r, g, b] = filled[i];
            *pixel = [r, g, b, 255];
        }
        page.mask.pixels_mut().iter_mut().zip(new).for_each(|(pixel, new)| *pixel = [*new]);
        self.replace(page);
    }

    fn replace(&mut self, page: Page) {
        self.end();
        if page == self.page {
            return;
        }
        let before = std::mem::replace(&mut self.page, page);
        self.history.record(Change::Page(Box::new(before)));
        self.changed_all();
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

/// The alpha of a picture that is made to fill a page.
fn masked(covered: &Pasted, size: Size) -> Plane<1> {
    let mut colors = Plane::new(size.width, size.height);
    covered.merge(&Placement::filling(covered, size), &mut colors);
    let mut mask = Plane::new(size.width, size.height);
    mask.pixels_mut().iter_mut().zip(colors.pixels()).for_each(|(pixel, covered)| pixel[0] = covered[3]);
    mask
}

#[cfg(test)]
mod tests;
