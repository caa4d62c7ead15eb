use crate::{
    Area, Brush, Dab, Ink, Layer, Page, Shape,
    history::Change,
    layer::{Drawn, scale},
    plane::Plane,
    tiles::Tiles,
};

/// Something that is being drawn and can still change.
///
/// Where a tool was is gathered as coverage, and the layer is always what it was before with the ink on it once: a
/// stroke that crosses itself is no darker there.
#[derive(Debug)]
pub(crate) struct Stroke {
    ink: Ink,
    brush: Brush,
    coverage: Plane<1>,
    touched: Area,
    last: Option<Dab>,
    before: Before,
}

/// The layer as it was, where it was touched.
#[derive(Debug)]
enum Before {
    Sketch(Tiles<4>),
    Mask(Tiles<1>),
}

impl Stroke {
    pub(crate) fn new(page: &Page, layer: Layer, ink: Ink, brush: Brush) -> Self {
        let before = match layer {
            Layer::Mask => Before::Mask(Tiles::default()),
            Layer::Sketch | Layer::Picture => Before::Sketch(Tiles::default()),
        };
        let coverage = Plane::new(page.size.width, page.size.height);
        Self { ink, brush, coverage, touched: Area::default(), last: None, before }
    }

    pub(crate) fn layer(&self) -> Layer {
        match self.before {
            Before::Sketch(_) => Layer::Sketch,
            Before::Mask(_) => Layer::Mask,
        }
    }

    /// Goes on to here; gives what changed.
    pub(crate) fn sweep(&mut self, page: &mut Page, to: Dab) -> Area {
        let from = self.last.replace(to).unwrap_or(to);
        let area = self.brush.sweep(from, to, &mut self.coverage);
        self.apply(page, area);
        area
    }

    /// Draws this form instead of what was drawn before; gives what changed.
    pub(crate) fn shape(&mut self, page: &mut Page, shape: &Shape) -> Area {
        let old = std::mem::take(&mut self.touched);
        for y in old.y0..old.y1 {
            self.coverage.row_mut(old, y).fill([0]);
        }
        let new = shape.draw(&self.brush, &mut self.coverage);
        let both = old.union(new);
        self.apply(page, both);
        self.touched = new;
        both
    }

    /// Draws where `cover` says; gives what changed.
    pub(crate) fn cover(&mut self, page: &mut Page, cover: impl FnOnce(&mut Plane<1>) -> Area) -> Area {
        let area = cover(&mut self.coverage);
        self.apply(page, area);
        area
    }

    fn apply(&mut self, page: &mut Page, area: Area) {
        self.touched = self.touched.union(area);
        let opacity = (self.brush.opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
        let ink = (self.ink, opacity);
        match &mut self.before {
            Before::Sketch(tiles) => apply(&mut page.sketch, tiles, &self.coverage, ink, area),
            Before::Mask(tiles) => apply(&mut page.mask, tiles, &self.coverage, ink, area),
        }
    }

    /// What undo needs; `None` where nothing was drawn.
    pub(crate) fn finish(self) -> Option<Change> {
        (!self.touched.is_empty()).then_some(match self.before {
            Before::Sketch(tiles) => Change::Sketch(tiles),
            Before::Mask(tiles) => Change::Mask(tiles),
        })
    }

    /// Takes everything back; gives what changed.
    pub(crate) fn cancel(self, page: &mut Page) -> Area {
        match self.before {
            Before::Sketch(mut tiles) => tiles.swap(&mut page.sketch),
            Before::Mask(mut tiles) => tiles.swap(&mut page.mask),
        }
    }
}

fn apply<const C: usize>(
    plane: &mut Plane<C>,
    tiles: &mut Tiles<C>,
    coverage: &Plane<1>,
    (ink, opacity): (Ink, u8),
    area: Area,
) where
    [u8; C]: Drawn,
{
    tiles.remember(plane, area);
    for (part, before) in tiles.rows(plane.area(), area) {
        let shares = coverage.row(part, part.y0);
        for ((pixel, before), share) in plane.row_mut(part, part.y0).iter_mut().zip(before).zip(shares) {
            *pixel = before.draw(ink, scale(share[0], opacity));
        }
    }
}
