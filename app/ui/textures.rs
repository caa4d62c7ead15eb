use egui::{ColorImage, Context, TextureHandle, TextureOptions};
use fourstep_protocol::Picture;
use std::collections::HashMap;
use std::hash::Hash;

/// Small pictures on the graphics card; those that were not drawn for a while go.
pub(crate) struct Textures<K> {
    of: HashMap<K, (TextureHandle, u64)>,
}

/// Kept beyond those of the last frame: some screens full, so that scrolling back loads nothing again.
const KEPT: usize = 512;

impl<K> Default for Textures<K> {
    fn default() -> Self {
        Self { of: HashMap::new() }
    }
}

impl<K: Eq + Hash + Copy> Textures<K> {
    /// The texture of `key`; `load` is asked for its picture where there is none yet.
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
        let picture = load()?;
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
