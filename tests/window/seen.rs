//! What a screenshot shows.

use fourstep_protocol::Picture;
use image::{RgbImage, imageops};
use std::path::Path;

/// Of the dark theme.
const ACCENT: [u8; 3] = [70, 208, 176];

/// A part of a screenshot.
#[derive(Clone)]
pub(crate) struct Seen(RgbImage);

impl Seen {
    /// Left, top, width and height of a screenshot that lies in this file.
    pub(crate) fn of(file: &Path, [x, y, w, h]: [u32; 4]) -> Self {
        let whole = image::open(file).expect("a screenshot").to_rgb8();
        Self(imageops::crop_imm(&whole, x, y, w, h).to_image())
    }

    /// Whether a button of the accent's colour is to be seen, in the dark theme.
    pub(crate) fn has_accent(&self) -> bool {
        let close = |p: &&image::Rgb<u8>| p.0.iter().zip(ACCENT).all(|(seen, accent)| seen.abs_diff(accent) < 12);
        self.0.pixels().filter(close).count() * 3 > self.0.pixels().len()
    }

    /// More than a rounding here and there: a mean difference of two levels.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        mean_difference(&self.0, &other.0) > 2.0
    }

    /// Whether nothing is to be seen there.
    pub(crate) fn is_plain(&self) -> bool {
        let first = self.0.get_pixel(0, 0);
        self.0.pixels().all(|p| p.0.iter().zip(first.0).all(|(a, b)| a.abs_diff(b) < 4))
    }

    /// Whether there is colour: the empty stage is grey.
    pub(crate) fn is_painted(&self) -> bool {
        let coloured = |p: &image::Rgb<u8>| p.0.iter().max() > p.0.iter().min().map(|v| v.saturating_add(16)).as_ref();
        self.0.pixels().filter(|p| coloured(p)).count() * 10 > self.0.pixels().len()
    }

    /// Whether this is the middle of that picture, enlarged: the colours agree in the large.
    pub(crate) fn looks_like(&self, picture: &Picture) -> bool {
        let whole = RgbImage::from_raw(picture.width(), picture.height(), picture.rgb().to_vec()).expect("its bytes");
        // The stage shows the square picture 520 px wide, and 400 px from its middle are looked at.
        let side = f64::from(picture.width()) * 400.0 / 520.0;
        let edge = ((f64::from(picture.width()) - side) / 2.0) as u32;
        let middle = imageops::crop_imm(&whole, edge, edge, side as u32, side as u32).to_image();
        let small = |i: &RgbImage| imageops::resize(i, 16, 16, imageops::FilterType::Triangle);
        mean_difference(&small(&middle), &small(&self.0)) < 12.0
    }
}

fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.as_raw().len() as f64
}
