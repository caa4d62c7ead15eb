//! Enlarging small pictures for the stage: bilinear filtering on the graphics card shows the grid of the pixels.

use egui::{Color32, ColorImage};
use fourstep_protocol::Picture;

/// How often larger a picture is made: small ones four times, so that what is left to the graphics card is little.
pub(crate) fn factor(picture: &Picture) -> usize {
    match picture.width().max(picture.height()) {
        0..=256 => 4,
        257..=640 => 2,
        _ => 1,
    }
}

/// The picture `factor` times as large, by Catmull-Rom interpolation (Keys 1981, a = −½).
pub(crate) fn enlarged(picture: &Picture, factor: usize) -> ColorImage {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    if factor <= 1 || w == 0 || h == 0 {
        return ColorImage::from_rgb([w, h], picture.rgb());
    }
    let taps = phases(factor);
    let rows: Vec<f32> = picture.rgb().chunks_exact(w * 3).flat_map(|row| widened(row, w, factor, &taps)).collect();
    let stride = w * factor * 3;
    let mut pixels = Vec::with_capacity(w * h * factor * factor);
    for y in 0..h * factor {
        let (base, taps) = tap(y, factor, &taps);
        let row = |k: usize| {
            let y = (base + k as isize).clamp(0, h as isize - 1) as usize;
            &rows[y * stride..(y + 1) * stride]
        };
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        let value = |i: usize| {
            let v = a[i] * taps[0] + b[i] * taps[1] + c[i] * taps[2] + d[i] * taps[3];
            (v + 0.5).clamp(0.0, 255.0) as u8
        };
        pixels.extend((0..w * factor).map(|x| Color32::from_rgb(value(x * 3), value(x * 3 + 1), value(x * 3 + 2))));
    }
    ColorImage::new([w * factor, h * factor], pixels)
}

/// A row of `w` pixels, `factor` times as wide, not yet rounded.
fn widened(row: &[u8], w: usize, factor: usize, taps: &[(isize, [f32; 4])]) -> Vec<f32> {
    let mut wide = Vec::with_capacity(w * factor * 3);
    for x in 0..w * factor {
        let (base, taps) = tap(x, factor, taps);
        for channel in 0..3 {
            let at = |k: usize| {
                let x = (base + k as isize).clamp(0, w as isize - 1) as usize;
                f32::from(row[x * 3 + channel])
            };
            wide.push((0..4).map(|k| at(k) * taps[k]).sum());
        }
    }
    wide
}

/// The first of four source samples for `x` of the target, and their weights.
fn tap(x: usize, factor: usize, taps: &[(isize, [f32; 4])]) -> (isize, [f32; 4]) {
    let (shift, weights) = taps[x % factor];
    ((x / factor) as isize + shift, weights)
}

/// The weights repeat with every source pixel.
fn phases(factor: usize) -> Vec<(isize, [f32; 4])> {
    let phase = |i: usize| {
        let at = (i as f32 + 0.5) / factor as f32 - 0.5;
        let t = at - at.floor();
        let weights = [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ];
        (at.floor() as isize - 1, weights)
    };
    (0..factor).map(phase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_picture_stays_even() {
        let picture = Picture::new(5, 3, vec![77; 45]).expect("15 pixels");
        let large = enlarged(&picture, 4);
        assert_eq!(large.size, [20, 12]);
        assert!(large.pixels.iter().all(|p| *p == Color32::from_gray(77)));
    }

    #[test]
    fn a_slope_stays_straight() {
        let rgb: Vec<u8> = (0..16u8).flat_map(|x| [x * 10; 3]).collect();
        let large = enlarged(&Picture::new(16, 1, rgb).expect("16 pixels"), 2);
        for x in 6..26 {
            let expected = (x as f32 + 0.5) * 5.0 - 5.0;
            assert!((f32::from(large.pixels[x].r()) - expected).abs() <= 1.0, "{x}");
        }
    }
}
