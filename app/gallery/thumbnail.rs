use fourstep_protocol::Picture;
use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::jpeg::JpegEncoder, imageops};
use std::io::Cursor;

/// Longest side of a thumbnail, in px: 64 points on a screen of double density.
pub(crate) const THUMBNAIL_PX: u32 = 128;
/// Of the JPEG files that thumbnails are kept as.
const QUALITY: u8 = 85;

/// A picture made small, as a JPEG file of a few thousand bytes; empty where the picture cannot be made into one.
pub(crate) fn thumbnail(picture: &Picture) -> Vec<u8> {
    let (width, height) = fitted(picture.width(), picture.height());
    let Some(whole) = RgbImage::from_raw(picture.width(), picture.height(), picture.rgb().to_vec()) else {
        return Vec::new();
    };
    let small = if (width, height) == whole.dimensions() { whole } else { imageops::thumbnail(&whole, width, height) };
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    match encoder.write_image(small.as_raw(), width, height, ExtendedColorType::Rgb8) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// What [`thumbnail`] made.
pub(crate) fn from_thumbnail(jpeg: &[u8]) -> Option<Picture> {
    let image = image::ImageReader::with_format(Cursor::new(jpeg), image::ImageFormat::Jpeg).decode().ok()?.into_rgb8();
    let (width, height) = image.dimensions();
    Picture::new(width, height, image.into_raw())
}

/// Not larger than a thumbnail, with the same aspect.
fn fitted(width: u32, height: u32) -> (u32, u32) {
    let longest = width.max(height).max(1);
    if longest <= THUMBNAIL_PX {
        return (width, height);
    }
    let side = |px: u32| (u64::from(px) * u64::from(THUMBNAIL_PX) / u64::from(longest)).max(1) as u32;
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_is_small_and_looks_alike() {
        let rgb = (0..600 * 300).flat_map(|i| if i % 600 < 300 { [200, 20, 30] } else { [10, 40, 220] }).collect();
        let jpeg = thumbnail(&Picture::new(600, 300, rgb).expect("its bytes"));
        let small = from_thumbnail(&jpeg).expect("a picture");
        assert_eq!((small.width(), small.height()), (128, 64));
        assert!(small.rgb()[0].abs_diff(200) < 12 && small.rgb()[127 * 3 + 2].abs_diff(220) < 12);
        assert!(jpeg.len() < 8000 && from_thumbnail(&jpeg[..40]).is_none());
        assert_eq!([fitted(64, 32), fitted(4096, 64)], [(64, 32), (128, 2)]);
    }
}
