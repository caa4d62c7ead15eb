use crate::Area;
use fourstep_protocol::{Coverage, Picture};
use std::str::FromStr;

/// How far a page is enlarged on each side, in px.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// In px.
    pub left: u32,
    /// In px.
    pub top: u32,
    /// In px.
    pub right: u32,
    /// In px.
    pub bottom: u32,
}

impl Margins {
    /// The widest margin.
    pub const MOST_PX: u32 = 2048;
    /// How far what was there is painted anew beside a new margin, so that both grow together: grown and feathered by
    /// this, in px.
    pub const OVERLAP_PX: (u32, u32) = (8, 24);

    /// Whether nothing is added.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// A little wider, so that both sides of a picture of this size become multiples of 8: on the side where most is
    /// added.
    pub fn rounded(self, width: u32, height: u32) -> Self {
        let more = |side: u32, a: u32, b: u32| (side + a + b).next_multiple_of(8) - (side + a + b);
        let (across, down) = (more(width, self.left, self.right), more(height, self.top, self.bottom));
        let mut rounded = self;
        *(if self.left > self.right { &mut rounded.left } else { &mut rounded.right }) += across;
        *(if self.top > self.bottom { &mut rounded.top } else { &mut rounded.bottom }) += down;
        rounded
    }
}

impl FromStr for Margins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides: Option<Vec<u32>> = text.split(',').map(|side| side.trim().parse().ok()).collect();
        match sides.as_deref() {
            Some(&[left, top, right, bottom]) => {
                let margins = Self { left, top, right, bottom };
                if margins.is_empty() {
                    return Err("nothing is added; at least one of LEFT,TOP,RIGHT,BOTTOM is above 0".into());
                }
                match [left, top, right, bottom].into_iter().find(|px| *px > Self::MOST_PX) {
                    Some(px) => Err(format!("a margin has at most {} pixels, not {px}", Self::MOST_PX)),
                    None => Ok(margins),
                }
            }
            _ => Err(format!("`{text}` is not LEFT,TOP,RIGHT,BOTTOM in pixels, for example 0,0,128,0")),
        }
    }
}

/// A larger picture, of which a part is still to be painted.
#[derive(Clone, Debug, PartialEq)]
pub struct Outpainted {
    /// What was there, and margins that go on from its edges.
    pub picture: Picture,
    /// The margins.
    pub coverage: Coverage,
    /// Where the upper left corner of what was there lies.
    pub at: (u32, u32),
}

/// Enlarges a picture that has at least one pixel, to sides that are multiples of 8. The margins go on from its edges: what
/// is there is reflected, and farther out blurred and covered with noise, so that image-to-image has colours to start
/// from but no form that it would repeat.
pub fn outpaint(picture: &Picture, margins: Margins, seed: u64) -> Outpainted {
    let (w, h) = (picture.width(), picture.height());
    let margins = margins.rounded(w, h);
    let (width, height) = (w + margins.left + margins.right, h + margins.top + margins.bottom);
    let inside = Area { x0: margins.left, y0: margins.top, x1: margins.left + w, y1: margins.top + h };
    let from = |v: u32, start: u32, side: u32| reflected(i64::from(v) - i64::from(start), i64::from(side)) as u32;
    let source = picture.rgb().as_chunks::<3>().0;
    let at = |x: u32, y: u32| source[(from(y, inside.y0, h) * w + from(x, inside.x0, w)) as usize];
    let page = Area::of(width, height);
    let sharp: Vec<[u8; 3]> = page.pixels().map(|(x, y)| at(x, y)).collect();
    let soft = blurred(&sharp, width as usize);

    let mut noise = Noise(seed ^ 0x9e37_79b9_7f4a_7c15);
    let mut rgb = Vec::with_capacity(sharp.len());
    for ((x, y), (sharp, soft)) in page.pixels().zip(sharp.iter().zip(&soft)) {
        let away = distance(x, inside.x0, inside.x1).hypot(distance(y, inside.y0, inside.y1));
        let share = (away / FADE_PX).min(1.0);
        let mixed = |c: usize| f32::from(sharp[c]) * (1.0 - share) + soft[c] * share;
        rgb.push([0, 1, 2].map(|c| (mixed(c) + share * NOISE * noise.next()).round().clamp(0.0, 255.0) as u8));
    }
    let new = |(x, y): (u32, u32)| {
        let there = (inside.x0..inside.x1).contains(&x) && (inside.y0..inside.y1).contains(&y);
        if there { 0 } else { 255 }
    };
    Outpainted {
        picture: Picture::from_rows(width, &rgb),
        coverage: Coverage::from_rows(width, &page.pixels().map(new).collect::<Vec<u8>>()),
        at: (margins.left, margins.top),
    }
}

/// Over this, reflection turns into blur.
const FADE_PX: f32 = 48.0;
/// Amplitude of the noise, of 255.
const NOISE: f32 = 28.0;
/// Radius of the box that blurs three times, in px: about a Gaussian with σ = 16.
const BOX_PX: usize = 16;

/// Where a coordinate lies when the picture is mirrored at its edges again and again.
fn reflected(v: i64, side: i64) -> i64 {
    let period = v.rem_euclid(2 * side);
    period.min(2 * side - 1 - period)
}

/// From the middle of a pixel to a span; 0 inside.
fn distance(v: u32, from: u32, to: u32) -> f32 {
    if v < from {
        (from - v) as f32
    } else if v >= to {
        (v - to + 1) as f32
    } else {
        0.0
    }
}

fn blurred(pixels: &[[u8; 3]], width: usize) -> Vec<[f32; 3]> {
    let height = pixels.len() / width;
    let mut values: Vec<[f32; 3]> = pixels.iter().map(|p| p.map(f32::from)).collect();
    let mut line = Vec::new();
    for _ in 0..3 {
        for row in values.chunks_exact_mut(width) {
            line.clear();
            line.extend_from_slice(row);
            box_filter(&line, |x, value| row[x] = value);
        }
        for x in 0..width {
            line.clear();
            line.extend((0..height).map(|y| values[y * width + x]));
            box_filter(&line, |y, value| values[y * width + x] = value);
        }
    }
    values
}

/// The mean over a box, less of it at the ends.
fn box_filter(line: &[[f32; 3]], mut put: impl FnMut(usize, [f32; 3])) {
    let mut sum = [0.0f64; 3];
    let (mut from, mut to) = (0, 0);
    for i in 0..line.len() {
        while to < (i + BOX_PX + 1).min(line.len()) {
            (0..3).for_each(|c| sum[c] += f64::from(line[to][c]));
            to += 1;
        }
        while from + BOX_PX < i {
            (0..3).for_each(|c| sum[c] -= f64::from(line[from][c]));
            from += 1;
        }
        put(i, sum.map(|s| (s / (to - from) as f64) as f32));
    }
}

/// Even noise from −1 to 1 (Steele, Lea and Flood, `SplitMix64`, 2014).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope() -> Picture {
        let rgb = (0..40u32).flat_map(|y| (0..60u32).flat_map(move |x| [x as u8 * 4, y as u8 * 6, 90])).collect();
        Picture::new(60, 40, rgb).expect("a picture")
    }

    #[test]
    fn what_was_there_stays_and_the_margins_are_masked() {
        let margins = Margins { left: 16, top: 0, right: 100, bottom: 24 };
        let Outpainted { picture, coverage, at } = outpaint(&slope(), margins, 1);
        assert_eq!((picture.width(), picture.height(), at), (176, 64, (16, 0)));
        let (old, new) = (slope(), picture.rgb().as_chunks::<3>().0.to_vec());
        for (x, y) in Area::of(176, 64).pixels() {
            let inside = (16..76).contains(&x) && y < 40;
            assert_eq!(coverage.bytes()[(y * 176 + x) as usize], if inside { 0 } else { 255 });
            if inside {
                assert_eq!(new[(y * 176 + x) as usize], old.rgb().as_chunks::<3>().0[(y * 60 + x - 16) as usize]);
            }
        }
    }

    #[test]
    fn a_margin_goes_on_from_its_edge() {
        let margins = Margins { left: 0, top: 0, right: 100, bottom: 0 };
        let picture = outpaint(&slope(), margins, 7).picture;
        let mean = |x: u32| {
            let column = (0..40).map(|y| f32::from(picture.rgb()[((y * picture.width() + x) * 3) as usize]));
            column.sum::<f32>() / 40.0
        };
        assert!((mean(60) - mean(59)).abs() < 4.0, "{} {}", mean(59), mean(60));
        assert!((20..200).contains(&(mean(159) as i32)), "{}", mean(159));
        assert_eq!(picture, outpaint(&slope(), margins, 7).picture, "the seed decides");
    }

    #[test]
    fn margins_are_read_and_rounded() {
        assert_eq!("0, 8,16,0".parse(), Ok(Margins { left: 0, top: 8, right: 16, bottom: 0 }));
        for wrong in ["1,2,3", "a,b,c,d", "0,0,0,0", "-8,0,0,0", "0,0,9999,0"] {
            assert!(wrong.parse::<Margins>().is_err(), "{wrong}");
        }
        let margins = Margins { left: 100, top: 0, right: 0, bottom: 8 }.rounded(500, 512);
        assert_eq!(margins, Margins { left: 100, top: 0, right: 0, bottom: 8 });
        assert_eq!(margins.rounded(501, 512).left, 107);
    }

    #[test]
    fn a_reflection_folds_as_often_as_needed() {
        let line: Vec<i64> = (-4..8).map(|v| reflected(v, 3)).collect();
        assert_eq!(line, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }
}
