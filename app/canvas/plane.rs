use crate::Area;

/// Pixels of `C` bytes, rows top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plane<const C: usize> {
    width: u32,
    height: u32,
    pixels: Vec<[u8; C]>,
}

impl<const C: usize> Plane<C> {
    /// All of it 0, which is nothing for colours with alpha and for coverage.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![[0; C]; width as usize * height as usize] }
    }

    /// `None` where `bytes` are not those of so many pixels.
    pub(crate) fn from_bytes(width: u32, height: u32, bytes: &[u8]) -> Option<Self> {
        let (pixels, rest) = bytes.as_chunks();
        let fits = rest.is_empty() && pixels.len() == width as usize * height as usize;
        fits.then(|| Self { width, height, pixels: pixels.to_vec() })
    }

    pub(crate) fn area(&self) -> Area {
        Area::of(self.width, self.height)
    }

    pub(crate) fn pixels(&self) -> &[[u8; C]] {
        &self.pixels
    }

    pub(crate) fn pixels_mut(&mut self) -> &mut [[u8; C]] {
        &mut self.pixels
    }

    /// The pixel at a place that lies on the plane.
    pub(crate) fn at(&self, x: u32, y: u32) -> [u8; C] {
        self.pixels[y as usize * self.width as usize + x as usize]
    }

    pub(crate) fn at_mut(&mut self, x: u32, y: u32) -> &mut [u8; C] {
        &mut self.pixels[y as usize * self.width as usize + x as usize]
    }

    /// A row of `area`, which lies on the plane.
    pub(crate) fn row(&self, area: Area, y: u32) -> &[[u8; C]] {
        let from = y as usize * self.width as usize;
        &self.pixels[from + area.x0 as usize..from + area.x1 as usize]
    }

    pub(crate) fn row_mut(&mut self, area: Area, y: u32) -> &mut [[u8; C]] {
        let from = y as usize * self.width as usize;
        &mut self.pixels[from + area.x0 as usize..from + area.x1 as usize]
    }

    /// The pixels of `area`, row by row.
    pub(crate) fn copy(&self, area: Area) -> Vec<[u8; C]> {
        (area.y0..area.y1).flat_map(|y| self.row(area, y)).copied().collect()
    }

    /// Puts `pixels` where `area` is, and gives what was there.
    pub(crate) fn swap(&mut self, area: Area, pixels: &mut [[u8; C]]) {
        let rows = pixels.chunks_exact_mut(area.width().max(1) as usize);
        (area.y0..area.y1).zip(rows).for_each(|(y, row)| self.row_mut(area, y).swap_with_slice(row));
    }

    /// A plane of another size with this one's pixels moved by `dx`, `dy`.
    pub(crate) fn moved(&self, width: u32, height: u32, dx: i64, dy: i64) -> Self {
        let mut moved = Self::new(width, height);
        for (x, y) in self.area().pixels() {
            let (to_x, to_y) = (i64::from(x) + dx, i64::from(y) + dy);
            if (0..i64::from(width)).contains(&to_x) && (0..i64::from(height)).contains(&to_y) {
                *moved.at_mut(to_x as u32, to_y as u32) = self.at(x, y);
            }
        }
        moved
    }

    /// Whether every byte is 0.
    pub(crate) fn is_blank(&self) -> bool {
        self.pixels.iter().all(|pixel| *pixel == [0; C])
    }
}
