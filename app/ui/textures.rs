use egui::{ColorImage, Context, TextureHandle, TextureOptions};
use fourstep_protocol::Picture;
use std::collections::HashMap;
use std::hash::Hash;

/// Small pictures on the graphics card; those that were not drawn for a while go.
pub(crate) struct Textures<K> {
    of: HashMap<K, (TextureHandle, u64)>,
    /// How many were made in which frame.
    made: (u64, usize),
}

/// Kept beyond those of the last frame: some screens full, so that scrolling back loads nothing again.
const KEPT: usize = 512;
/// Made in one frame: a screen full at once would be felt as a jerk while scrolling.
const IN_A_FRAME: usize = 6;

impl<K> Default for Textures<K> {
    fn default() -> Self {
        Self { of: HashMap::new(), made: (0, 0) }
    }
}

impl<K: Eq + Hash + Copy> Textures<K> {
    /// The texture of `key`; `load` is asked for its picture where there is none yet. Some come a frame later.
    pub(crate) fn get(
        &mut self,
        ctx: &Context,
        key: K,
        load: impl FnOnce() -> Option<std::sync::Arc<Picture>>,
    ) -> Option<TextureHandle> {
        let frame = ctx.cumulative_frame_nr();
        if let Some((texture, drawn)) = self.of.get_mut(&key) {
            *drawn = frame;
            return Some(texture.clone());
        }
        if self.made.0 != frame {
            self.made = (frame, 0);
        }
        let picture = load()?;
        if self.made.1 >= IN_A_FRAME {
            ctx.request_repaint();
            return None;
        }
        self.made.1 += 1;
        if self.of.len() >= KEPT {
            self.drop_oldest();
        }
        let size = [picture.width() as usize, picture.height() as usize];
        let image = ColorImage::from_rgb(size, picture.rgb());
        let texture = ctx.load_texture("thumbnail", image, TextureOptions::LINEAR);
        self.of.insert(key, (texture.clone(), frame));
        Some(texture)
    }

    /// Half of them at once, so that it does not happen in every frame.
    fn drop_oldest(&mut self) {
        let mut drawn: Vec<u64> = self.of.values().map(|(_, drawn)| *drawn).collect();
        let middle = drawn.len() / 2;
        let (_, median, _) = drawn.select_nth_unstable(middle);
        let median = *median;
        self.of.retain(|_, (_, drawn)| *drawn > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::RawInput;
    use std::sync::Arc;

    #[test]
    fn a_frame_makes_a_few_and_the_next_one_goes_on() {
        let (ctx, mut textures) = (Context::default(), Textures::default());
        let picture = Arc::new(Picture::new(1, 1, vec![0; 3]).unwrap());
        let mut seen = Vec::new();
        for _ in 0..3 {
            let _ = ctx.run_ui(RawInput::default(), |ui| {
                let of = |key| textures.get(ui.ctx(), key, || Some(Arc::clone(&picture))).is_some();
                seen.push((0..2 * IN_A_FRAME).map(of).filter(|here| *here).count());
            });
        }
        assert_eq!(seen.last(), Some(&(2 * IN_A_FRAME)), "{seen:?}");
        assert!(seen[0] <= IN_A_FRAME, "{seen:?}");
    }
}
