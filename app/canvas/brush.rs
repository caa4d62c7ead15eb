use crate::{Area, plane::Plane};

/// How a brush or an eraser draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brush {
    /// Diameter in px where the pressure is 1.
    pub size_px: f32,
    /// 0: fades from the middle on; 1: a sharp edge, one pixel wide.
    pub hardness: f32,
    /// 0 … 1 of the ink arrives, however often a stroke crosses itself.
    pub opacity: f32,
}

/// A place where the brush was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dab {
    /// In px of the page.
    pub x: f32,
    /// In px of the page.
    pub y: f32,
    /// 0 … 1; 1 for devices that do not tell.
    pub pressure: f32,
}

impl Brush {
    /// The smallest radius that leaves a mark, in px.
    const LEAST_RADIUS: f32 = 0.35;

    fn radius(&self, dab: Dab) -> f32 {
        (self.size_px / 2.0 * dab.pressure.clamp(0.0, 1.0)).max(Self::LEAST_RADIUS)
    }

    /// Coverage at a distance from the middle: one pixel of anti-aliasing at least, the rest as the hardness has it.
    fn coverage(&self, distance: f32, radius: f32) -> f32 {
        let soft = ((1.0 - self.hardness.clamp(0.0, 1.0)) * radius).max(1.0);
        // The middle of the ramp of a hard edge is the radius; a soft one ends there.
        let end = radius + (1.0 - (soft - 1.0) / radius.max(1.0)).clamp(0.0, 1.0) * 0.5;
        let t = ((end - distance) / soft).clamp(0.0, 1.0);
        if soft > 1.0 { t * t * (3.0 - 2.0 * t) } else { t }
    }

    /// Draws the brush on its way from one place to the next: coverage becomes what it was or what the brush leaves,
    /// whichever is more. Gives what may have changed.
    pub(crate) fn sweep(&self, from: Dab, to: Dab, coverage: &mut Plane<1>) -> Area {
        let reach = self.radius(from).max(self.radius(to)) + 1.0;
        let (left, right) = (from.x.min(to.x) - reach, from.x.max(to.x) + reach);
        let (top, bottom) = (from.y.min(to.y) - reach, from.y.max(to.y) + reach);
        let page = coverage.area();
        let area = Area::around((left, top), (right, bottom), page.x1, page.y1);
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let square = dx * dx + dy * dy;
        for y in area.y0..area.y1 {
            let row = coverage.row_mut(area, y);
            for (x, pixel) in (area.x0..).zip(row) {
                let (px, py) = (x as f32 + 0.5 - from.x, y as f32 + 0.5 - from.y);
                let t = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
                let distance = (px - t * dx).hypot(py - t * dy);
                let pressure = from.pressure + (to.pressure - from.pressure) * t;
                let radius = self.radius(Dab { pressure, ..from });
                pixel[0] = pixel[0].max((self.coverage(distance, radius) * 255.0).round() as u8);
            }
        }
        area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dab(x: f32, y: f32) -> Dab {
        Dab { x, y, pressure: 1.0 }
    }

    fn mass(plane: &Plane<1>) -> f32 {
        plane.pixels().iter().map(|p| f32::from(p[0]) / 255.0).sum()
    }

    #[test]
    fn a_hard_dab_has_the_area_of_its_disc() {
        for size_px in [3.0, 8.0, 21.0, 40.0] {
            let mut plane = Plane::new(64, 64);
            let brush = Brush { size_px, hardness: 1.0, opacity: 1.0 };
            brush.sweep(dab(31.3, 32.7), dab(31.3, 32.7), &mut plane);
            let disc = std::f32::consts::PI * size_px * size_px / 4.0;
            assert!((mass(&plane) / disc - 1.0).abs() < 0.04, "{size_px}: {} of {disc}", mass(&plane));
        }
    }

    #[test]
    fn a_soft_dab_fades_and_stays_within_its_size() {
        let mut plane = Plane::new(64, 64);
        Brush { size_px: 40.0, hardness: 0.0, opacity: 1.0 }.sweep(dab(32.0, 32.0), dab(32.0, 32.0), &mut plane);
        let line: Vec<u8> = (32..64).map(|x| plane.at(x, 32)[0]).collect();
        assert!(line.is_sorted_by(|a, b| a >= b) && line[0] > 240 && (80..180).contains(&line[10]), "{line:?}");
        assert!(line[20..].iter().all(|&v| v == 0), "{line:?}");
    }

    #[test]
    fn pressure_makes_a_line_wider() {
        let mut plane = Plane::new(100, 40);
        let brush = Brush { size_px: 20.0, hardness: 1.0, opacity: 1.0 };
        brush.sweep(Dab { pressure: 0.2, ..dab(10.0, 20.0) }, dab(90.0, 20.0), &mut plane);
        let width = |x| (0..40).filter(|&y| plane.at(x, y)[0] > 127).count();
        assert!(width(12) <= 6 && width(88) >= 18, "{} … {}", width(12), width(88));
    }

    #[test]
    fn what_lies_outside_of_the_page_is_left_out() {
        let mut plane = Plane::new(8, 8);
        let brush = Brush { size_px: 4.0, hardness: 1.0, opacity: 1.0 };
        assert!(brush.sweep(dab(-50.0, -50.0), dab(-40.0, 500.0), &mut plane).is_empty());
        assert!(!brush.sweep(dab(-50.0, 4.0), dab(50.0, 4.0), &mut plane).is_empty());
        assert_eq!(plane.at(3, 4), [255]);
    }
}
