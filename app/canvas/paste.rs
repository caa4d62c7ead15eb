use crate::{Area, plane::Plane};
use fourstep_protocol::{Picture, Size};

/// A picture that was pasted and is not yet part of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Pasted {
    size: Size,
    /// Premultiplied.
    pixels: Vec<[u8; 4]>,
}

/// Where a pasted picture lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Of its middle, in px of the page.
    pub centre: (f32, f32),
    /// Pixels of the page that a pixel of it takes.
    pub scale: f32,
    /// Clockwise, in radians.
    pub angle: f32,
}

impl Placement {
    /// The smallest and the largest scale.
    pub const SCALES: std::ops::RangeInclusive<f32> = 0.02..=16.0;

    /// In the middle of a page, no larger than it and not enlarged.
    pub fn within(pasted: &Pasted, page: Size) -> Self {
        let fit = (page.width as f32 / pasted.size.width as f32).min(page.height as f32 / pasted.size.height as f32);
        let centre = (page.width as f32 / 2.0, page.height as f32 / 2.0);
        Self { centre, scale: fit.min(1.0), angle: 0.0 }
    }

    /// In the middle of a page, as large as it can be without being cut.
    pub fn filling(pasted: &Pasted, page: Size) -> Self {
        let fit = (page.width as f32 / pasted.size.width as f32).min(page.height as f32 / pasted.size.height as f32);
        Self { scale: fit, ..Self::within(pasted, page) }
    }

    /// From px of the picture, counted from its middle, to px of the page.
    pub fn to_page(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = (x * self.scale, y * self.scale);
        (self.centre.0 + x * cos - y * sin, self.centre.1 + x * sin + y * cos)
    }

    /// Back from [`to_page`](Self::to_page).
    pub fn to_picture(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = ((x - self.centre.0) / self.scale, (y - self.centre.1) / self.scale);
        (x * cos + y * sin, y * cos - x * sin)
    }
}

impl Pasted {
    /// `rgba` holds `width · height` pixels with alpha that is not premultiplied; `None` where it does not, or where
    /// there is none.
    pub fn new(width: u32, height: u32, rgba: &[[u8; 4]]) -> Option<Self> {
        let premultiplied = |&[r, g, b, a]: &[u8; 4]| {
            let [r, g, b] = [r, g, b].map(|byte| crate::layer::scale(byte, a));
            [r, g, b, a]
        };
        Self::premultiplied(width, height, rgba.iter().map(premultiplied).collect())
    }

    /// The same from pixels whose alpha is premultiplied.
    pub(crate) fn premultiplied(width: u32, height: u32, pixels: Vec<[u8; 4]>) -> Option<Self> {
        let fits = width as usize * height as usize == pixels.len() && !pixels.is_empty();
        fits.then(|| Self { size: Size::new(width, height), pixels })
    }

    /// `None` for a picture without a pixel.
    pub fn of(picture: &Picture) -> Option<Self> {
        let rgba: Vec<[u8; 4]> = picture.rgb().as_chunks::<3>().0.iter().map(|&[r, g, b]| [r, g, b, 255]).collect();
        Self::new(picture.width(), picture.height(), &rgba)
    }

    /// In px.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Premultiplied, rows top to bottom.
    pub fn pixels(&self) -> &[[u8; 4]] {
        &self.pixels
    }

    /// Its corners on the page, clockwise from what was the upper left one.
    pub fn corners(&self, placement: &Placement) -> [(f32, f32); 4] {
        let (x, y) = (self.size.width as f32 / 2.0, self.size.height as f32 / 2.0);
        [(-x, -y), (x, -y), (x, y), (-x, y)].map(|corner| placement.to_page(corner))
    }

    /// Lays it over what is there; gives what changed.
    pub(crate) fn merge(&self, placement: &Placement, plane: &mut Plane<4>) -> Area {
        // Each pixel of the page looks at four: a picture made much smaller is halved first, or it would flicker.
        let mut source = self.clone();
        let mut placement = *placement;
        while placement.scale <= 0.5 && source.size.width > 1 && source.size.height > 1 {
            source = source.halved();
            placement.scale *= 2.0;
        }
        let corners = source.corners(&placement);
        let (xs, ys) = (corners.map(|c| c.0), corners.map(|c| c.1));
        let least = |v: [f32; 4]| v.into_iter().fold(f32::INFINITY, f32::min) - 1.0;
        let most = |v: [f32; 4]| v.into_iter().fold(f32::NEG_INFINITY, f32::max) + 1.0;
        let page = plane.area();
        let area = Area::around((least(xs), least(ys)), (most(xs), most(ys)), page.x1, page.y1);
        let (half_w, half_h) = (source.size.width as f32 / 2.0, source.size.height as f32 / 2.0);
        for (x, y) in area.pixels() {
            let (u, v) = placement.to_picture((x as f32 + 0.5, y as f32 + 0.5));
            let [r, g, b, a] = source.sample(u + half_w - 0.5, v + half_h - 0.5);
            let below = plane.at(x, y).map(|byte| crate::layer::scale(byte, 255 - a));
            let sum = |over: u8, below: u8| over.saturating_add(below);
            *plane.at_mut(x, y) = [sum(r, below[0]), sum(g, below[1]), sum(b, below[2]), sum(a, below[3])];
        }
        area
    }

    /// Bilinear; transparent outside.
    fn sample(&self, u: f32, v: f32) -> [u8; 4] {
        let (w, h) = (self.size.width as i64, self.size.height as i64);
        let (x, y) = (u.floor(), v.floor());
        let (fx, fy) = (u - x, v - y);
        let at = |dx: i64, dy: i64| {
            let (x, y) = (x as i64 + dx, y as i64 + dy);
            let inside = (0..w).contains(&x) && (0..h).contains(&y);
            if inside { self.pixels[(y * w + x) as usize] } else { [0; 4] }
        };
        let corners = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
        if corners == [[0; 4]; 4] {
            return [0; 4];
        }
        let weights = [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy];
        let mix = |c: usize| corners.iter().zip(weights).map(|(p, w)| f32::from(p[c]) * w).sum::<f32>().round() as u8;
        [mix(0), mix(1), mix(2), mix(3)]
    }

    fn halved(&self) -> Self {
        let (w, h) = (self.size.width, self.size.height);
        let size = Size::new(w.div_ceil(2), h.div_ceil(2));
        let at = |x: u32, y: u32| self.pixels[(y.min(h - 1) * w + x.min(w - 1)) as usize];
        let mean = |(x, y): (u32, u32)| {
            let four = [at(2 * x, 2 * y), at(2 * x + 1, 2 * y), at(2 * x, 2 * y + 1), at(2 * x + 1, 2 * y + 1)];
            let sum = |c: usize| four.iter().map(|p| u32::from(p[c])).sum::<u32>();
            [0, 1, 2, 3].map(|c| ((sum(c) + 2) / 4) as u8)
        };
        Self { size, pixels: Area::of(size.width, size.height).pixels().map(mean).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn red(width: u32, height: u32) -> Pasted {
        Pasted::new(width, height, &vec![[200, 0, 0, 255]; (width * height) as usize]).expect("pixels")
    }

    fn mass(plane: &Plane<4>) -> f32 {
        plane.pixels().iter().map(|p| f32::from(p[3]) / 255.0).sum()
    }

    #[test]
    fn moved_by_whole_pixels_a_picture_stays_what_it_is() {
        let mut plane = Plane::new(32, 32);
        let placement = Placement { centre: (10.0, 12.0), scale: 1.0, angle: 0.0 };
        red(8, 4).merge(&placement, &mut plane);
        for (x, y) in plane.area().pixels() {
            let inside = (6..14).contains(&x) && (10..14).contains(&y);
            assert_eq!(plane.at(x, y), if inside { [200, 0, 0, 255] } else { [0; 4] }, "{x},{y}");
        }
    }

    #[test]
    fn turned_and_scaled_it_keeps_its_area_and_its_middle() {
        for (scale, angle) in [(2.0, 0.3), (0.2, 1.0), (1.0, 2.5)] {
            let mut plane = Plane::new(128, 128);
            let pasted = red(40, 20);
            let placement = Placement { centre: (64.0, 60.0), scale, angle };
            pasted.merge(&placement, &mut plane);
            let area = 800.0 * scale * scale;
            assert!((mass(&plane) / area - 1.0).abs() < 0.05, "{scale} {angle}: {} of {area}", mass(&plane));
            assert_eq!(plane.at(64, 60)[3], 255);
            let there = placement.to_page((7.0, -3.0));
            let (x, y) = placement.to_picture(there);
            assert!((x - 7.0).abs() < 1e-3 && (y + 3.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_large_picture_is_made_to_fit_and_a_small_one_stays() {
        let page = Size::new(100, 50);
        assert_eq!(Placement::within(&red(400, 100), page).scale, 0.25);
        assert_eq!(Placement::within(&red(10, 10), page).scale, 1.0);
        assert_eq!(Placement::filling(&red(10, 10), page).scale, 5.0);
        assert!(Pasted::new(2, 2, &[[0; 4]; 3]).is_none());
    }
}
