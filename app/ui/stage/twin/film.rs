//! What both pictures looked like after each step.

use crate::layer::Layer;
use crate::ports::{PreviewImage, PreviewJob, PreviewPicture};
use egui::{ColorImage, Context, TextureHandle, TextureOptions};
use fourstep_protocol::{Picture, RunId};
use fourstep_session::Step;
use std::collections::HashMap;
use std::sync::Arc;

/// A step of a run.
pub(super) type Key = (RunId, u32);

/// Longest side of a thumbnail, in px.
const THUMB_PX: u32 = 96;

/// Decoded steps of the two runs that are compared; those of other runs are dropped.
#[derive(Default)]
pub(super) struct Film {
    frames: HashMap<Key, Frame>,
    /// What was asked of the decoder last.
    asked: Vec<Key>,
}

struct Frame {
    picture: Arc<Picture>,
    thumb: Option<TextureHandle>,
}

impl Film {
    /// Keeps a preview, unless there is a larger one of the same step.
    pub(super) fn keep(&mut self, preview: &PreviewPicture) {
        // One that lies on the card cannot be made smaller, and is decoded again when it is looked at here.
        let PreviewImage::Picture(picture) = &preview.image else { return };
        let key = (preview.run, preview.step);
        if self.frames.get(&key).is_none_or(|frame| frame.picture.width() < picture.width()) {
            self.frames.insert(key, Frame { picture: Arc::clone(picture), thumb: None });
        }
    }

    /// Drops the frames of all other runs.
    pub(super) fn retain(&mut self, runs: &[RunId]) {
        self.frames.retain(|(run, _), _| runs.contains(run));
    }

    /// Steps that were not decoded, each run's once.
    pub(super) fn missing<'a>(&mut self, steps: impl Iterator<Item = &'a Step>) -> Vec<PreviewJob> {
        let missing: Vec<&Step> = steps.filter(|s| !self.frames.contains_key(&(s.run, s.step))).collect();
        let keys: Vec<Key> = missing.iter().map(|s| (s.run, s.step)).collect();
        if keys.iter().all(|key| self.asked.contains(key)) {
            return Vec::new();
        }
        self.asked = keys;
        missing.into_iter().map(PreviewJob::of).collect()
    }

    /// A small texture of a step, made once.
    pub(super) fn thumb(&mut self, ctx: &Context, key: Key) -> Option<TextureHandle> {
        let frame = self.frames.get_mut(&key)?;
        let make = || ctx.load_texture("step", small(&frame.picture), TextureOptions::LINEAR);
        Some(frame.thumb.get_or_insert_with(make).clone())
    }

    /// A step as large as it was decoded.
    pub(super) fn layer(&self, ctx: &Context, key: Key) -> Option<Layer> {
        let frame = self.frames.get(&key)?;
        Some(Layer::new(ctx, Arc::clone(&frame.picture), key.0, Some(key.1)))
    }
}

/// The mean of square blocks, so that a thumbnail takes little of the graphics card.
fn small(picture: &Picture) -> ColorImage {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let block = picture.width().max(picture.height()).div_ceil(THUMB_PX).max(1) as usize;
    let size = [(width / block).max(1), (height / block).max(1)];
    let mut rgb = Vec::with_capacity(size[0] * size[1] * 3);
    for y in 0..size[1] {
        for x in 0..size[0] {
            for channel in 0..3 {
                let value = |i: usize| {
                    let (x, y) = ((x * block + i % block).min(width - 1), (y * block + i / block).min(height - 1));
                    usize::from(picture.rgb()[(y * width + x) * 3 + channel])
                };
                let sum: usize = (0..block * block).map(value).sum();
                rgb.push((sum / (block * block)) as u8);
            }
        }
    }
    ColorImage::from_rgb(size, &rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_is_the_mean_of_blocks() {
        let rgb = (0..192 * 96).flat_map(|i| if i % 2 == 0 { [0; 3] } else { [200, 100, 50] }).collect();
        let image = small(&Picture::new(192, 96, rgb).unwrap());
        assert_eq!(image.size, [96, 48]);
        assert!(image.pixels.iter().all(|p| *p == egui::Color32::from_rgb(100, 50, 25)));
    }

    #[test]
    fn a_sharper_frame_replaces_a_small_one_and_not_the_other_way_round() {
        let preview = |side: u32| PreviewPicture {
            run: RunId(1),
            step: 2,
            image: PreviewImage::Picture(Arc::new(
                Picture::new(side, side, vec![0; (side * side * 3) as usize]).unwrap(),
            )),
        };
        let mut film = Film::default();
        for side in [2, 4, 1] {
            film.keep(&preview(side));
        }
        assert_eq!(film.frames[&(RunId(1), 2)].picture.width(), 4);
        film.retain(&[RunId(2)]);
        assert!(film.frames.is_empty());
    }
}
