use crate::{Area, layer::scale, plane::Plane};
use fourstep_protocol::Size;

/// Paper and what lies on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub(crate) size: Size,
    pub(crate) paper: [u8; 3],
    pub(crate) picture: Plane<4>,
    pub(crate) sketch: Plane<4>,
    pub(crate) mask: Plane<1>,
}

impl Page {
    /// Blank paper.
    pub fn new(size: Size, paper: [u8; 3]) -> Self {
        let (w, h) = (size.width, size.height);
        Self { size, paper, picture: Plane::new(w, h), sketch: Plane::new(w, h), mask: Plane::new(w, h) }
    }

    /// A page of layers that were [kept](Self::layers); `None` where they are not as large as that.
    pub fn of_layers(size: Size, paper: [u8; 3], [picture, sketch, mask]: [Vec<u8>; 3]) -> Option<Self> {
        let (w, h) = (size.width, size.height);
        let (picture, sketch) = (Plane::from_bytes(w, h, &picture)?, Plane::from_bytes(w, h, &sketch)?);
        Some(Self { size, paper, picture, sketch, mask: Plane::from_bytes(w, h, &mask)? })
    }

    /// In px.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The colour of the paper.
    pub fn paper(&self) -> [u8; 3] {
        self.paper
    }

    /// Bytes of picture and sketch (`[h, w, 4]`, sRGB with premultiplied alpha) and of the mask (`[h, w]`).
    pub fn layers(&self) -> [&[u8]; 3] {
        [self.picture.pixels().as_flattened(), self.sketch.pixels().as_flattened(), self.mask.pixels().as_flattened()]
    }

    /// Bytes of each pixel of the layers.
    pub const PIXEL_BYTES: [usize; 3] = [4, 4, 1];

    pub(crate) fn area(&self) -> Area {
        Area::of(self.size.width, self.size.height)
    }

    /// Draws the layers over each other: paper, picture, sketch.
    pub(crate) fn flatten(&self, area: Area, flat: &mut Plane<3>) {
        for y in area.y0..area.y1 {
            let layers = self.picture.row(area, y).iter().zip(self.sketch.row(area, y));
            for (pixel, (picture, sketch)) in flat.row_mut(area, y).iter_mut().zip(layers) {
                *pixel = over(over(self.paper, *picture), *sketch);
            }
        }
    }

    /// The same on a page of another size, moved by `dx`, `dy`; what does not fit is cut off.
    pub(crate) fn moved(&self, size: Size, dx: i64, dy: i64) -> Self {
        let (w, h) = (size.width, size.height);
        Self {
            size,
            paper: self.paper,
            picture: self.picture.moved(w, h, dx, dy),
            sketch: self.sketch.moved(w, h, dx, dy),
            mask: self.mask.moved(w, h, dx, dy),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.size.width as usize * self.size.height as usize * 9
    }
}

fn over(below: [u8; 3], [r, g, b, alpha]: [u8; 4]) -> [u8; 3] {
    match alpha {
        0 => below,
        255 => [r, g, b],
        _ => {
            let kept = below.map(|byte| scale(byte, 255 - alpha));
            [r.saturating_add(kept[0]), g.saturating_add(kept[1]), b.saturating_add(kept[2])]
        }
    }
}
