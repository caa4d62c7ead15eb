//! A picture to what an autoencoder encodes, the start of image-to-image.

use fourstep_protocol::{Picture, Size};
use image::{RgbImage, imageops::FilterType};

/// The picture's bytes `[h, w, 3]`, scaled to `size` as diffusers does (Lanczos, aspect not kept).
pub(crate) fn scaled(picture: &Picture, size: Size) -> Vec<u8> {
    let (w, h) = (picture.width(), picture.height());
    if (w, h) == (size.width, size.height) {
        return picture.rgb().to_vec();
    }
    let rgb = RgbImage::from_raw(w, h, picture.rgb().to_vec()).unwrap_or_default();
    image::imageops::resize(&rgb, size.width, size.height, FilterType::Lanczos3).into_raw()
}

/// −1 … 1 in `[c, h, w]` order, from bytes in `[h, w, c]` order.
pub(crate) fn planes(rgb: &[u8]) -> Vec<f32> {
    let plane = |channel: usize| rgb.iter().skip(channel).step_by(3).map(|v| f32::from(*v) / 127.5 - 1.0);
    (0..3).flat_map(plane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_planes_from_minus_one_to_one() {
        let picture = Picture::new(2, 1, vec![0, 255, 0, 255, 0, 0]).expect("six bytes");
        assert_eq!(planes(&scaled(&picture, Size::new(2, 1))), [-1.0, 1.0, 1.0, -1.0, -1.0, -1.0]);
        assert_eq!(scaled(&picture, Size::new(4, 2)).len(), 24);
    }
}
