use crate::{Area, Dab, brush::Brush, plane::Plane};

/// A form between two corners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Which.
    pub kind: ShapeKind,
    /// Where it was begun, in px of the page.
    pub from: (f32, f32),
    /// Where the pointer is.
    pub to: (f32, f32),
    /// Its inside too, not only its line. A line has none.
    pub filled: bool,
}

/// Which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeKind {
    /// Straight, as wide as the brush.
    Line,
    /// With its sides along the page's.
    Rectangle,
    /// The largest that fits between the corners.
    Ellipse,
}

impl Shape {
    /// Draws it, with a line as wide as the brush and its ends and edges as hard. Gives what may have changed.
    pub(crate) fn draw(&self, brush: &Brush, coverage: &mut Plane<1>) -> Area {
        let dab = |(x, y): (f32, f32)| Dab { x, y, pressure: 1.0 };
        let corners = [self.from, (self.to.0, self.from.1), self.to, (self.from.0, self.to.1)];
        match self.kind {
            ShapeKind::Line => brush.sweep(dab(self.from), dab(self.to), coverage),
            _ if self.filled => self.fill(coverage),
            ShapeKind::Rectangle => {
                let sides = (0..4).map(|i| (dab(corners[i]), dab(corners[(i + 1) % 4])));
                sides.fold(Area::default(), |area, (a, b)| area.union(brush.sweep(a, b, coverage)))
            }
            ShapeKind::Ellipse => {
                let points = self.ellipse(brush);
                let pairs = points.iter().zip(points.iter().skip(1));
                pairs.fold(Area::default(), |area, (a, b)| area.union(brush.sweep(dab(*a), dab(*b), coverage)))
            }
        }
    }

    fn middle_and_radii(&self) -> ((f32, f32), (f32, f32)) {
        let ((ax, ay), (bx, by)) = (self.from, self.to);
        (((ax + bx) / 2.0, (ay + by) / 2.0), ((bx - ax).abs() / 2.0, (by - ay).abs() / 2.0))
    }

    /// A closed line of short pieces: as many as its curve needs to be smooth.
    fn ellipse(&self, brush: &Brush) -> Vec<(f32, f32)> {
        let ((x, y), (rx, ry)) = self.middle_and_radii();
        let pieces = ((rx.max(ry) + brush.size_px).sqrt() * 6.0).clamp(16.0, 256.0) as usize;
        let point = |i: usize| {
            let (sin, cos) = (i as f32 / pieces as f32 * std::f32::consts::TAU).sin_cos();
            (x + rx * cos, y + ry * sin)
        };
        (0..=pieces).map(point).collect()
    }

    fn fill(&self, coverage: &mut Plane<1>) -> Area {
        let ((x, y), (rx, ry)) = self.middle_and_radii();
        let page = coverage.area();
        let area = Area::around((x - rx - 1.0, y - ry - 1.0), (x + rx + 1.0, y + ry + 1.0), page.x1, page.y1);
        for (px, py) in area.pixels() {
            let (dx, dy) = ((px as f32 + 0.5 - x).abs(), (py as f32 + 0.5 - y).abs());
            let share = match self.kind {
                ShapeKind::Ellipse => ellipse_coverage((dx, dy), (rx, ry)),
                _ => (rx + 0.5 - dx).clamp(0.0, 1.0) * (ry + 0.5 - dy).clamp(0.0, 1.0),
            };
            let pixel = coverage.at_mut(px, py);
            pixel[0] = pixel[0].max((share * 255.0).round() as u8);
        }
        area
    }
}

/// One pixel of anti-aliasing along the edge, by the first-order distance `f/|∇f|` of `f = (x/rx)² + (y/ry)² − 1`.
fn ellipse_coverage((dx, dy): (f32, f32), (rx, ry): (f32, f32)) -> f32 {
    let (rx, ry) = (rx.max(0.25), ry.max(0.25));
    let f = (dx / rx).powi(2) + (dy / ry).powi(2) - 1.0;
    let slope = 2.0 * (dx / (rx * rx)).hypot(dy / (ry * ry));
    let distance = if slope > 1e-6 { f / slope } else { -rx.min(ry) };
    (0.5 - distance).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRUSH: Brush = Brush { size_px: 3.0, hardness: 1.0, opacity: 1.0 };

    fn drawn(kind: ShapeKind, filled: bool) -> Plane<1> {
        let mut plane = Plane::new(64, 64);
        Shape { kind, from: (50.0, 12.0), to: (10.0, 42.0), filled }.draw(&BRUSH, &mut plane);
        plane
    }

    fn mass(plane: &Plane<1>) -> f32 {
        plane.pixels().iter().map(|p| f32::from(p[0]) / 255.0).sum()
    }

    #[test]
    fn filled_forms_have_their_areas() {
        let ellipse = std::f32::consts::PI * 20.0 * 15.0;
        for (kind, area) in [(ShapeKind::Rectangle, 1200.0), (ShapeKind::Ellipse, ellipse)] {
            let found = mass(&drawn(kind, true));
            assert!((found / area - 1.0).abs() < 0.01, "{kind:?}: {found} of {area}");
        }
    }

    #[test]
    fn lines_have_the_length_and_width_of_their_form() {
        for (kind, length) in [(ShapeKind::Line, 50.0), (ShapeKind::Rectangle, 140.0), (ShapeKind::Ellipse, 110.5)] {
            let found = mass(&drawn(kind, false)) / BRUSH.size_px;
            assert!((found / length - 1.0).abs() < 0.06, "{kind:?}: {found} of {length}");
        }
    }
}
