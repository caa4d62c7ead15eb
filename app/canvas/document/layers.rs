use super::Document;
use crate::{Layer, Margins, Page, Pasted, Placement, history::Change, outpaint::outpaint, plane::Plane};
use fourstep_protocol::{Coverage, Picture, Size};

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

/// The alpha of a picture that is made to fill a page.
fn masked(covered: &Pasted, size: Size) -> Plane<1> {
    let mut colors = Plane::new(size.width, size.height);
    covered.merge(&Placement::filling(covered, size), &mut colors);
    let mut mask = Plane::new(size.width, size.height);
    mask.pixels_mut().iter_mut().zip(colors.pixels()).for_each(|(pixel, covered)| pixel[0] = covered[3]);
    mask
}
