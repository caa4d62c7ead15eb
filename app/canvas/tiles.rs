use crate::{Area, plane::Plane};
use std::collections::BTreeMap;

/// Side of a tile in px: what a stroke touches is remembered by tiles.
const SIDE: u32 = 64;

/// Squares of a plane, by their place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tiles<const C: usize>(BTreeMap<(u32, u32), Vec<[u8; C]>>);

impl<const C: usize> Tiles<C> {
    /// Remembers the squares that `area` touches and that are not known yet.
    pub(crate) fn remember(&mut self, plane: &Plane<C>, area: Area) {
        for place in places(area) {
            self.0.entry(place).or_insert_with(|| plane.copy(square(place, plane.area())));
        }
    }

    /// What is remembered of `area` on a plane that covers `page`: pieces of rows, one pixel high, with their pixels.
    pub(crate) fn rows(&self, page: Area, area: Area) -> impl Iterator<Item = (Area, &[[u8; C]])> {
        let known = places(area).filter_map(move |place| Some((square(place, page), self.0.get(&place)?)));
        known.flat_map(move |(square, pixels)| {
            let part = square.intersection(area);
            (part.y0..part.y1).map(move |y| {
                let row = (y - square.y0) as usize * square.width() as usize;
                let from = row + (part.x0 - square.x0) as usize;
                (Area { y0: y, y1: y + 1, ..part }, &pixels[from..from + part.width() as usize])
            })
        })
    }

    /// Puts what is remembered back and remembers what was there instead; gives what changed.
    pub(crate) fn swap(&mut self, plane: &mut Plane<C>) -> Area {
        let mut changed = Area::default();
        for (place, pixels) in &mut self.0 {
            let square = square(*place, plane.area());
            plane.swap(square, pixels);
            changed = changed.union(square);
        }
        changed
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.values().map(|pixels| pixels.len() * C).sum()
    }
}

fn places(area: Area) -> impl Iterator<Item = (u32, u32)> {
    let (columns, rows) = if area.is_empty() {
        (0..0, 0..0)
    } else {
        (area.x0 / SIDE..area.x1.div_ceil(SIDE), area.y0 / SIDE..area.y1.div_ceil(SIDE))
    };
    rows.flat_map(move |y| columns.clone().map(move |x| (x, y)))
}

fn square((x, y): (u32, u32), page: Area) -> Area {
    Area { x0: x * SIDE, y0: y * SIDE, x1: (x + 1) * SIDE, y1: (y + 1) * SIDE }.intersection(page)
}
