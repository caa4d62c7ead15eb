use crate::{Area, plane::Plane};

/// Coverage of the region around `start` whose colours differ from the one there by at most `tolerance` in each channel.
///
/// One pixel beyond its edge is half covered: between a fill and an anti-aliased line there would be a seam else. Gives
/// the area that is covered.
pub(crate) fn flood(colors: &Plane<3>, start: (u32, u32), tolerance: u8, coverage: &mut Plane<1>) -> Area {
    let wanted = colors.at(start.0, start.1);
    let fits = |color: [u8; 3]| color.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= tolerance);
    let page = colors.area();
    let mut area = Area::default();
    let mut waiting = vec![start];
    while let Some((x, y)) = waiting.pop() {
        if coverage.at(x, y)[0] == 255 || !fits(colors.at(x, y)) {
            continue;
        }
        let mut left = x;
        while left > 0 && fits(colors.at(left - 1, y)) {
            left -= 1;
        }
        let mut right = x + 1;
        while right < page.x1 && fits(colors.at(right, y)) {
            right += 1;
        }
        let run = Area { x0: left, y0: y, x1: right, y1: y + 1 };
        coverage.row_mut(run, y).fill([255]);
        area = area.union(run);
        let beside = [y.checked_sub(1), (y + 1 < page.y1).then_some(y + 1)];
        for next in beside.into_iter().flatten() {
            let open = |x: &u32| coverage.at(*x, next)[0] == 0 && fits(colors.at(*x, next));
            // One place of each run is enough: the run is found from it.
            let begins = |x: &u32| open(x) && (*x == left || !open(&(x - 1)));
            waiting.extend((left..right).filter(begins).map(|x| (x, next)));
        }
    }
    soften(coverage, area)
}

fn soften(coverage: &mut Plane<1>, area: Area) -> Area {
    let page = coverage.area();
    let wide = Area {
        x0: area.x0.saturating_sub(1),
        y0: area.y0.saturating_sub(1),
        x1: (area.x1 + 1).min(page.x1),
        y1: (area.y1 + 1).min(page.y1),
    };
    for (x, y) in wide.pixels().filter(|_| !area.is_empty()) {
        let beside = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
        let inside = |&(x, y): &(u32, u32)| x < page.x1 && y < page.y1 && coverage.at(x, y)[0] == 255;
        if coverage.at(x, y)[0] == 0 && beside.iter().any(inside) {
            coverage.at_mut(x, y)[0] = 128;
        }
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of grey with a ring of black, 2 px wide.
    fn ring() -> Plane<3> {
        let mut colors = Plane::new(40, 30);
        for (x, y) in colors.area().pixels() {
            let distance = (x as f32 - 20.0).hypot(y as f32 - 15.0);
            let shade = if (8.0..10.0).contains(&distance) { 0 } else { 200 + (x % 3) as u8 };
            *colors.at_mut(x, y) = [shade; 3];
        }
        colors
    }

    #[test]
    fn a_fill_stays_within_its_line() {
        let mut coverage = Plane::new(40, 30);
        let area = flood(&ring(), (20, 15), 4, &mut coverage);
        for (x, y) in coverage.area().pixels() {
            let distance = (x as f32 - 20.0).hypot(y as f32 - 15.0);
            match coverage.at(x, y)[0] {
                255 => assert!(distance < 8.0),
                0 => assert!(distance >= 8.0),
                _ => assert!((7.5..10.0).contains(&distance), "the seam at {x},{y}"),
            }
            let inside = (area.x0..area.x1).contains(&x) && (area.y0..area.y1).contains(&y);
            assert!(inside || coverage.at(x, y)[0] == 0);
        }
    }

    #[test]
    fn a_fill_reaches_around_corners_and_to_the_edge() {
        let mut coverage = Plane::new(40, 30);
        flood(&ring(), (0, 0), 4, &mut coverage);
        assert_eq!((coverage.at(39, 29), coverage.at(0, 29), coverage.at(20, 15)), ([255], [255], [0]));
        let mut narrow = Plane::new(40, 30);
        flood(&ring(), (0, 0), 0, &mut narrow);
        assert_eq!((narrow.at(0, 29), narrow.at(2, 0)), ([255], [0]), "without tolerance one column");
    }
}
