/// A rectangle of pixels: from `x0`, `y0` up to but without `x1`, `y1`. Empty where nothing is between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x0: u32,
    /// Upper edge.
    pub y0: u32,
    /// First column to the right of it.
    pub x1: u32,
    /// First row below it.
    pub y1: u32,
}

impl Area {
    /// The whole of a page.
    pub fn of(width: u32, height: u32) -> Self {
        Self { x0: 0, y0: 0, x1: width, y1: height }
    }

    /// The pixels of a page of `width`·`height` that anything between two corners can touch.
    pub fn around(min: (f32, f32), max: (f32, f32), width: u32, height: u32) -> Self {
        let low = |v: f32, side: u32| v.floor().clamp(0.0, side as f32) as u32;
        let high = |v: f32, side: u32| v.ceil().clamp(0.0, side as f32) as u32;
        Self { x0: low(min.0, width), y0: low(min.1, height), x1: high(max.0, width), y1: high(max.1, height) }
    }

    /// Whether there is no pixel in it.
    pub fn is_empty(&self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    /// In px.
    pub fn width(&self) -> u32 {
        self.x1.saturating_sub(self.x0)
    }

    /// In px.
    pub fn height(&self) -> u32 {
        self.y1.saturating_sub(self.y0)
    }

    /// The smallest area that holds both.
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// What both have in common.
    pub fn intersection(self, other: Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }

    /// Its pixels, row by row.
    pub fn pixels(self) -> impl Iterator<Item = (u32, u32)> {
        (self.y0..self.y1).flat_map(move |y| (self.x0..self.x1).map(move |x| (x, y)))
    }
}
