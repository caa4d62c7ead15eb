//! A picture to latents, the start of image-to-image.

use crate::{
    fault::{Result, not_a_number},
    model::Vae,
};
use fourstep_compute::Backend;
use fourstep_protocol::{Picture, Size};
use image::{RgbImage, imageops::FilterType};

/// Encodes a picture, scaled to `size` as diffusers does (Lanczos, aspect not kept): latents `[4, h/8, w/8]`.
/// `noise` is drawn only where the autoencoder's posterior is sampled.
pub(crate) fn encode<B: Backend>(
    b: &B,
    vae: &Vae<B>,
    picture: &Picture,
    size: Size,
    noise: impl FnOnce() -> std::sync::Arc<[f32]>,
) -> Result<Vec<f32>> {
    let pixels = pixels(picture, size);
    let image = b.upload_image(&pixels, [1, 3, size.height as usize, size.width as usize])?;
    let latents = match vae {
        Vae::Tiny(vae) => b.download_image(&vae.encode(b, &image)?)?.0,
        Vae::Kl(vae) => vae.encode(b, &image)?.sample(&noise()),
    };
    if latents.iter().all(|v| v.is_finite()) { Ok(latents) } else { Err(not_a_number("latents of the picture")) }
}

/// −1 … 1 in `[c, h, w]` order.
fn pixels(picture: &Picture, size: Size) -> Vec<f32> {
    let (w, h) = (picture.width(), picture.height());
    let rgb = RgbImage::from_raw(w, h, picture.rgb().to_vec()).unwrap_or_default();
    let rgb = match (w, h) == (size.width, size.height) {
        true => rgb,
        false => image::imageops::resize(&rgb, size.width, size.height, FilterType::Lanczos3),
    };
    let plane = |channel: usize| rgb.as_raw().iter().skip(channel).step_by(3).map(|v| f32::from(*v) / 127.5 - 1.0);
    (0..3).flat_map(plane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_planes_from_minus_one_to_one() {
        let picture = Picture::new(2, 1, vec![0, 255, 0, 255, 0, 0]).expect("six bytes");
        assert_eq!(pixels(&picture, Size::new(2, 1)), [-1.0, 1.0, 1.0, -1.0, -1.0, -1.0]);
        assert_eq!(pixels(&picture, Size::new(4, 2)).len(), 24);
    }
}
