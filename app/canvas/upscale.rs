use crate::Area;
use fourstep_protocol::{Init, Picture, Request, Size};
use image::{RgbImage, imageops::FilterType};

/// A picture painted larger: enlarged by Lanczos, then painted anew tile by tile, each from what is there.
///
/// [`next`](Self::next) is an ordinary image-to-image request at the model's own size, [`accept`](Self::accept) takes its
/// picture. Tiles overlap, and where they do, each pixel is their mean, weighted by how far it lies from their edges; so
/// there is no seam, whatever the order. Eight bytes for each pixel of the result are all that is kept.
#[derive(Clone, Debug)]
pub struct Upscale {
    request: Request,
    strength: f32,
    size: Size,
    /// What tiles start from.
    enlarged: Vec<[u8; 3]>,
    /// The mean of the tiles so far, and their weights; what is enlarged, where there is none yet.
    painted: Vec<[u8; 3]>,
    weights: Vec<u16>,
    tiles: Vec<Area>,
    done: usize,
}

/// How a picture is painted larger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpscaleOptions {
    /// How many times as wide and as high.
    pub scale: f32,
    /// How much of what was enlarged is painted anew: 0 < strength ≤ 1.
    pub strength: f32,
    /// The largest tile; the model's own size.
    pub tile: Size,
}

/// Why a picture cannot be painted larger.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum NotUpscaled {
    #[error("the scale must be above 1 and at most 4, not {0}")]
    Scale(f32),
    #[error("the result would be {0}; its sides must have 64 to {most} pixels", most = Upscale::MOST_SIDE_PX)]
    Size(Size),
}

impl UpscaleOptions {
    /// As much as sharpens without inventing.
    pub const STRENGTH: f32 = 0.35;
    /// The scales the program accepts, without the first.
    pub const SCALES: std::ops::RangeInclusive<f32> = 1.0..=4.0;
}

impl Upscale {
    /// The longest side of the result, in px.
    pub const MOST_SIDE_PX: u32 = 8192;

    /// `request` says what is to be seen and how it is painted; its size, seed and start are those of the tiles.
    ///
    /// # Errors
    /// [`NotUpscaled`] where scale or size do not do.
    pub fn new(picture: &Picture, request: Request, options: UpscaleOptions) -> Result<Self, NotUpscaled> {
        let UpscaleOptions { scale, strength, tile } = options;
        if !(scale > *UpscaleOptions::SCALES.start() && scale <= *UpscaleOptions::SCALES.end()) {
            return Err(NotUpscaled::Scale(scale));
        }
        let side = |px: u32| (f64::from(px) * f64::from(scale)).round() as u32;
        let size = Size::new(side(picture.width()), side(picture.height()));
        let fits = |px: u32| (*Size::SIDE_PX.start()..=Self::MOST_SIDE_PX).contains(&px);
        if !fits(size.width) || !fits(size.height) {
            return Err(NotUpscaled::Size(size));
        }
        let rgb = RgbImage::from_raw(picture.width(), picture.height(), picture.rgb().to_vec()).unwrap_or_default();
        let rgb = image::imageops::resize(&rgb, size.width, size.height, FilterType::Lanczos3).into_raw();
        let enlarged = rgb.as_chunks::<3>().0.to_vec();
        let (painted, weights) = (enlarged.clone(), vec![0; enlarged.len()]);
        Ok(Self { request, strength, size, enlarged, painted, weights, tiles: tiles(size, tile), done: 0 })
    }

    /// How many tiles there are.
    pub fn tiles(&self) -> usize {
        self.tiles.len()
    }

    /// How many of them are painted.
    pub fn done(&self) -> usize {
        self.done
    }

    /// What to paint next; `None` where everything is.
    pub fn next(&self) -> Option<Request> {
        let tile = *self.tiles.get(self.done)?;
        let pixels: Vec<[u8; 3]> = self.rows(tile).flat_map(|range| &self.enlarged[range]).copied().collect();
        let picture = Picture::from_rows(tile.width(), &pixels);
        Some(Request {
            size: Size::new(tile.width(), tile.height()),
            // The same noise in each tile would show as a pattern.
            seed: self.request.seed.wrapping_add(self.done as u64),
            init: Some(Init::new(picture, self.strength)),
            ..self.request.clone()
        })
    }

    /// Takes the picture of the last [`next`](Self::next), which has its size.
    pub fn accept(&mut self, painted: &Picture) {
        let Some(&tile) = self.tiles.get(self.done) else { return };
        let across = weights(tile.x0, tile.x1, self.size.width);
        let down = weights(tile.y0, tile.y1, self.size.height);
        let new_rows = painted.rgb().as_chunks::<3>().0.chunks_exact(across.len());
        for ((range, new), down) in self.rows(tile).zip(new_rows).zip(down) {
            let old = self.painted[range.clone()].iter_mut().zip(&mut self.weights[range]);
            for ((old, so_far), (new, across)) in old.zip(new.iter().zip(&across)) {
                let weight = (across * down * 255.0).round().max(1.0) as u16;
                *so_far += weight;
                let share = f32::from(weight) / f32::from(*so_far);
                let mix = |old: u8, new: u8| (f32::from(old) + (f32::from(new) - f32::from(old)) * share).round() as u8;
                *old = [mix(old[0], new[0]), mix(old[1], new[1]), mix(old[2], new[2])];
            }
        }
        self.done += 1;
    }

    /// What it looks like so far.
    pub fn picture(&self) -> Picture {
        Picture::from_rows(self.size.width, &self.painted)
    }

    /// The pixels of each row of a tile.
    fn rows(&self, tile: Area) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let width = self.size.width as usize;
        (tile.y0 as usize..tile.y1 as usize).map(move |y| y * width + tile.x0 as usize..y * width + tile.x1 as usize)
    }
}

/// For each pixel of a span of a tile: falls to nothing over the outer quarter, but not at the edges of the page.
fn weights(from: u32, to: u32, side: u32) -> Vec<f32> {
    let length = (to - from) as f32;
    let ramp = |distance: f32, at_edge: bool| {
        let t = if at_edge { 1.0 } else { (distance / (length / 4.0)).min(1.0) };
        t * t * (3.0 - 2.0 * t)
    };
    let at = |i: u32| ramp(i as f32 + 0.5, from == 0).min(ramp(length - i as f32 - 0.5, to == side));
    (0..to - from).map(at).collect()
}

/// Areas that cover a page, row by row: as few as there can be with an overlap of at least an eighth of a tile.
fn tiles(page: Size, most: Size) -> Vec<Area> {
    let across = spans(page.width, most.width);
    let down = spans(page.height, most.height);
    let tile = |(y0, y1): (u32, u32)| across.iter().map(move |&(x0, x1)| Area { x0, y0, x1, y1 });
    down.into_iter().flat_map(tile).collect()
}

/// Spans whose length is a multiple of 8, spread evenly over `side`, which has 64 px at least.
fn spans(side: u32, most: u32) -> Vec<(u32, u32)> {
    let length = side.min(most) / 8 * 8;
    let overlap = (length / 8).max(8);
    let count = (side - overlap).div_ceil(length - overlap).max(1);
    let start = |i: u32| if count > 1 { (side - length) * i / (count - 1) } else { 0 };
    (0..count).map(|i| (start(i), start(i) + length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_protocol::{Family, Guidance, ModelInfo, ModelRef, Recipe, Sampler};
    use proptest::prelude::*;

    fn request() -> Request {
        let model = ModelInfo {
            model: ModelRef::new("sticker"),
            name: "Sticker".into(),
            detail: String::new(),
            family: Family::Custom,
            guidance: Guidance::ClassifierFree,
            native_size: Size::new(64, 64),
            live: Recipe { loras: vec![], sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 },
            compare: None,
            few_step: None,
        };
        Request { seed: 7, ..Request::new(&model, "a cat") }
    }

    fn upscale(width: u32, height: u32, scale: f32, tile: u32) -> Result<Upscale, NotUpscaled> {
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8 * 2, y as u8 * 2, 99])).collect();
        let picture = Picture::new(width, height, rgb).expect("a picture");
        let tile = Size::new(tile, tile);
        Upscale::new(&picture, request(), UpscaleOptions { scale, strength: 0.35, tile })
    }

    proptest! {
        #[test]
        fn spans_cover_a_side_and_overlap(side in 64u32..3000, most in 8u32..130) {
            let most = most * 8;
            let spans = spans(side, most);
            prop_assert_eq!(spans[0].0, 0);
            prop_assert_eq!(spans[spans.len() - 1].1, if spans.len() > 1 { side } else { side / 8 * 8 });
            for (from, to) in &spans {
                prop_assert!((to - from) % 8 == 0 && to - from <= most && *to <= side);
            }
            for pair in spans.windows(2) {
                prop_assert!(pair[0].1 >= pair[1].0 + 8, "{:?}", pair);
            }
            prop_assert!(spans.len() > 1 || side.is_multiple_of(8));
        }
    }

    #[test]
    fn pictures_painted_as_they_were_enlarged_change_nothing() {
        let mut job = upscale(90, 70, 2.0, 64).expect("fits");
        let before = job.picture();
        assert_eq!((before.width(), before.height()), (180, 140));
        let mut seeds = Vec::new();
        while let Some(request) = job.next() {
            let init = request.init.as_ref().expect("a start");
            assert_eq!((init.picture.width(), init.picture.height()), (request.size.width, request.size.height));
            seeds.push(request.seed);
            job.accept(&init.picture);
        }
        assert_eq!((job.done(), job.tiles(), seeds.len()), (12, 12, 12));
        assert!(seeds.is_sorted());
        assert_eq!(job.picture(), before);
    }

    #[test]
    fn tiles_fade_into_each_other() {
        let mut job = upscale(64, 64, 2.0, 64).expect("fits");
        let mut shade = 0;
        while let Some(request) = job.next() {
            let pixels = (request.size.width * request.size.height * 3) as usize;
            job.accept(&Picture::new(request.size.width, request.size.height, vec![shade; pixels]).expect("a picture"));
            shade += 20;
        }
        let picture = job.picture();
        for row in picture.rgb().as_chunks::<3>().0.chunks_exact(128) {
            assert!(row.windows(2).all(|pair| pair[0][0].abs_diff(pair[1][0]) <= 6), "a seam");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        for scale in [1.0, 4.5, f32::NAN, -2.0] {
            assert!(matches!(upscale(64, 64, scale, 64), Err(NotUpscaled::Scale(_))), "{scale}");
        }
        assert_eq!(upscale(20, 64, 2.0, 64).err(), Some(NotUpscaled::Size(Size::new(40, 128))));
        assert!(upscale(2100, 64, 4.0, 64).is_err());
        assert_eq!(upscale(33, 33, 2.0, 512).expect("fits").tiles(), 4, "66 px are no multiple of 8");
    }
}
