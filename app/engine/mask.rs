//! Painting only a part of a picture: what is held of the old one, in latents while denoising and in pixels at the end.

use crate::samplers::{SamplerError, SamplerRun};
use fourstep_protocol::{Coverage, Mask, Picture, Size};
use image::{GrayImage, imageops::FilterType};
use std::sync::Arc;

/// A mask with its margins, at the size that is painted.
pub(crate) struct Region {
    size: Size,
    /// 0 … 1 for each pixel; 1 is painted anew.
    pixels: Vec<f32>,
}

/// Side of the square of pixels that one latent stands for.
const LATENT_PX: usize = 8;

impl Region {
    /// Scales the coverage to `size` and applies the margins: the one place where they are.
    pub(crate) fn new(mask: &Mask, size: Size) -> Self {
        let mut pixels = scaled(&mask.coverage, size);
        if mask.grow_px > 0 || mask.feather_px > 0 {
            let (grow, feather) = (mask.grow_px as f32, mask.feather_px as f32);
            let inside: Vec<bool> = pixels.iter().map(|&v| v >= 0.5).collect();
            let squares = squared_distances(&inside, size.width as usize);
            for (v, square) in pixels.iter_mut().zip(squares) {
                // 1 up to `grow`, 0 from the first pixel that lies behind `feather`; a straight edge without either.
                let ramp = (grow + feather + 1.0 - square.sqrt()) / (feather + 1.0);
                *v = v.max(ramp.clamp(0.0, 1.0));
            }
        }
        Self { size, pixels }
    }

    /// How much of each latent is painted anew, `[h/8, w/8]`: the mean over its pixels.
    fn latents(&self) -> Vec<f32> {
        let (w, h) = (self.size.width as usize, self.size.height as usize);
        let mean = |cell: usize| {
            let (x, y) = (cell % (w / LATENT_PX) * LATENT_PX, cell / (w / LATENT_PX) * LATENT_PX);
            let rows = (y..y + LATENT_PX).map(|y| self.pixels[y * w + x..][..LATENT_PX].iter().sum::<f32>());
            rows.sum::<f32>() / (LATENT_PX * LATENT_PX) as f32
        };
        (0..w / LATENT_PX * (h / LATENT_PX)).map(mean).collect()
    }

    /// The painted picture inside, the old one outside and a mixture on the soft edge. Where the mask is 0 the bytes are
    /// those of `old`, which has the same size.
    fn composite(&self, old: &[u8], painted: &Picture) -> Picture {
        let pairs = old.as_chunks().0.iter().zip(painted.rgb().as_chunks().0).zip(&self.pixels);
        let mixed = |((old, new), share): ((&[u8; 3], &[u8; 3]), &f32)| {
            let byte = |c: usize| (f32::from(old[c]) + (f32::from(new[c]) - f32::from(old[c])) * share).round() as u8;
            [byte(0), byte(1), byte(2)]
        };
        Picture::from_rows(self.size.width, &pairs.map(mixed).collect::<Vec<_>>())
    }
}

/// What a run holds of the old picture: of its latents at each step, as `StableDiffusionInpaintPipeline` does for
/// networks with 4 channels, and of its pixels at the end.
pub(crate) struct Outside {
    region: Region,
    /// The old picture's bytes, at the size that is painted.
    old: Vec<u8>,
    /// For each latent of one channel; 1 is painted anew.
    share: Vec<f32>,
    clean: Vec<f32>,
    noise: Arc<[f32]>,
}

impl Outside {
    /// `old` is `[h, w, 3]`; `clean` are its latents.
    pub(crate) fn new(region: Region, old: Vec<u8>, clean: Vec<f32>, noise: Arc<[f32]>) -> Self {
        Self { share: region.latents(), region, old, clean, noise }
    }

    /// The painted picture where the mask is, the old one elsewhere.
    pub(crate) fn keep(&self, painted: &Picture) -> Picture {
        self.region.composite(&self.old, painted)
    }

    /// After a step: outside, `next` becomes the old latents with the run's own noise at the level of the next step,
    /// which is none after the last.
    pub(crate) fn blend_next(&self, sampler: &dyn SamplerRun, i: usize, next: &mut [f32]) -> Result<(), SamplerError> {
        match i + 1 < sampler.timesteps().len() {
            true => self.blend(&sampler.add_noise(i + 1, &self.clean, &self.noise)?, next),
            false => self.blend(&self.clean, next),
        }
        Ok(())
    }

    /// What a preview shows outside is the old picture.
    pub(crate) fn blend_denoised(&self, denoised: &mut [f32]) {
        self.blend(&self.clean, denoised);
    }

    fn blend(&self, old: &[f32], new: &mut [f32]) {
        for (new, old) in new.chunks_exact_mut(self.share.len()).zip(old.chunks_exact(self.share.len())) {
            for ((new, old), share) in new.iter_mut().zip(old).zip(&self.share) {
                *new = (1.0 - share) * old + share * *new;
            }
        }
    }
}

/// 0 … 1, scaled like the picture it belongs to; without ringing, so that what is 0 stays 0.
fn scaled(coverage: &Coverage, size: Size) -> Vec<f32> {
    let bytes = match (coverage.width(), coverage.height()) == (size.width, size.height) {
        true => coverage.bytes().to_vec(),
        false => {
            let image = GrayImage::from_raw(coverage.width(), coverage.height(), coverage.bytes().to_vec());
            let image = image.unwrap_or_default();
            image::imageops::resize(&image, size.width, size.height, FilterType::Triangle).into_raw()
        }
    };
    bytes.into_iter().map(|v| f32::from(v) / 255.0).collect()
}

/// Squared distance of each pixel to the nearest one inside, infinite where there is none (Felzenszwalb and Huttenlocher,
/// Distance Transforms of Sampled Functions, 2012): along columns, then along rows.
fn squared_distances(inside: &[bool], width: usize) -> Vec<f32> {
    let height = inside.len() / width;
    let mut squares: Vec<f32> = inside.iter().map(|&inside| if inside { 0.0 } else { f32::INFINITY }).collect();
    let mut envelope = Envelope::default();
    for x in 0..width {
        let column: Vec<f32> = (0..height).map(|y| squares[y * width + x]).collect();
        for (y, square) in envelope.transform(&column).enumerate() {
            squares[y * width + x] = square;
        }
    }
    for row in squares.chunks_exact_mut(width) {
        let transformed: Vec<f32> = envelope.transform(row).collect();
        row.copy_from_slice(&transformed);
    }
    squares
}

/// The lower envelope of parabolas, one for each sample.
#[derive(Default)]
struct Envelope {
    /// Where each parabola has its foot and its height there, and from where on it is the lowest.
    parabolas: Vec<(f32, f32, f32)>,
}

impl Envelope {
    /// `min over q of (p − q)² + f(q)` for each `p`.
    fn transform<'a>(&'a mut self, f: &[f32]) -> impl Iterator<Item = f32> + use<'a> {
        self.parabolas.clear();
        for (q, height) in f.iter().enumerate().filter(|(_, height)| height.is_finite()) {
            let q = q as f32;
            let mut from = f32::NEG_INFINITY;
            while let Some(&(p, other, since)) = self.parabolas.last() {
                from = ((height + q * q) - (other + p * p)) / (2.0 * (q - p));
                if from > since {
                    break;
                }
                self.parabolas.pop();
                from = f32::NEG_INFINITY;
            }
            self.parabolas.push((q, *height, from));
        }
        let mut lowest = 0;
        (0..f.len()).map(move |p| {
            let p = p as f32;
            while self.parabolas.get(lowest + 1).is_some_and(|&(_, _, from)| from < p) {
                lowest += 1;
            }
            self.parabolas.get(lowest).map_or(f32::INFINITY, |&(q, height, _)| (p - q) * (p - q) + height)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(size: Size, inside: impl Fn(i32, i32) -> bool, grow_px: u32, feather_px: u32) -> Region {
        let (w, h) = (size.width as i32, size.height as i32);
        let bytes = (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| if inside(x, y) { 255 } else { 0 });
        let coverage = Coverage::new(size.width, size.height, bytes.collect()).expect("a mask");
        Region::new(&Mask { coverage, grow_px, feather_px }, size)
    }

    #[test]
    fn distances_are_those_of_every_pixel_to_every_other() {
        let (w, h) = (23, 17);
        let dots = [(3, 2), (20, 5), (11, 16), (11, 15)];
        let inside: Vec<bool> = (0..w * h).map(|i| dots.contains(&(i % w, i / w))).collect();
        for (i, square) in squared_distances(&inside, w).into_iter().enumerate() {
            let (x, y) = ((i % w) as f32, (i / w) as f32);
            let nearest = dots.iter().map(|&(dx, dy)| (x - dx as f32).powi(2) + (y - dy as f32).powi(2));
            assert_eq!(square, nearest.fold(f32::INFINITY, f32::min), "{x},{y}");
        }
        assert!(squared_distances(&[false; 6], 3).iter().all(|d| d.is_infinite()));
    }

    #[test]
    fn grown_by_its_pixels_and_feathered_behind_them() {
        let size = Size::new(64, 8);
        let plain = region(size, |x, _| x < 16, 0, 0);
        assert!((0..64).all(|x| plain.pixels[x] == if x < 16 { 1.0 } else { 0.0 }));
        let soft = region(size, |x, _| x < 16, 4, 7);
        assert!((0..20).all(|x| soft.pixels[x] == 1.0), "4 px more are painted anew");
        assert!((20..27).all(|x| soft.pixels[x] > soft.pixels[x + 1]), "and over 7 px it fades");
        assert!((27..64).all(|x| soft.pixels[x] == 0.0), "{:?}", &soft.pixels[..64]);
    }

    #[test]
    fn a_latent_takes_the_mean_of_its_pixels() {
        let r = region(Size::new(16, 16), |x, y| y < 8 && x < 12, 0, 0);
        assert_eq!(r.latents(), [1.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn outside_the_bytes_are_the_old_ones() {
        let r = region(Size::new(16, 8), |x, _| x >= 8, 0, 3);
        let old: Vec<u8> = (0..16 * 8 * 3).map(|i| (i * 7 % 256) as u8).collect();
        let painted = Picture::new(16, 8, vec![200; 16 * 8 * 3]).expect("a picture");
        let both = r.composite(&old, &painted);
        for (i, pixel) in both.rgb().chunks_exact(3).enumerate() {
            match i % 16 {
                0..5 => assert_eq!(pixel, &old[i * 3..][..3], "outside"),
                5..8 => {}
                _ => assert_eq!(pixel, [200; 3], "inside"),
            }
        }
    }

    #[test]
    fn a_mask_is_scaled_with_its_picture() {
        let coverage = Coverage::new(2, 1, vec![0, 255]).expect("two bytes");
        let r = Region::new(&Mask { coverage, grow_px: 0, feather_px: 0 }, Size::new(64, 64));
        assert_eq!((r.pixels[0], r.pixels[63]), (0.0, 1.0));
    }
}
