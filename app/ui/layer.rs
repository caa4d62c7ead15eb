//! One picture on the graphics card.

use crate::ports::PreviewImage;
use crate::resample;
use eframe::egui_wgpu::RenderState;
use egui::{ColorImage, Context, TextureFilter, TextureHandle, TextureId, TextureOptions, TextureWrapMode};
use fourstep_protocol::{Picture, RunId};
use std::sync::Arc;

/// A picture or a preview, and how large it is drawn.
#[derive(Clone)]
pub(crate) struct Layer {
    lies: Lies,
    /// Size of the finished picture, in px; a preview may have fewer.
    pub width_px: f32,
    /// See `width_px`.
    pub height_px: f32,
    pub run: RunId,
    /// `None` for the finished picture.
    pub step: Option<u32>,
}

#[derive(Clone)]
enum Lies {
    /// In memory, and as egui's texture.
    Here(Arc<Picture>, TextureHandle),
    /// Nowhere but on the card.
    OnCard(Arc<CardTexture>),
}

impl Layer {
    /// A picture of an idle run, drawn smooth.
    pub(crate) fn new(ctx: &Context, picture: Arc<Picture>, run: RunId, step: Option<u32>) -> Self {
        let (width_px, height_px) = (picture.width() as f32, picture.height() as f32);
        let lies = Lies::of_picture(ctx, picture, true, step.is_none());
        Self { lies, width_px, height_px, run, step }
    }

    /// The finished picture.
    pub(crate) fn of_picture(ctx: &Context, picture: Arc<Picture>, run: RunId, smooth: bool) -> Self {
        let (width_px, height_px) = (picture.width() as f32, picture.height() as f32);
        Self { lies: Lies::of_picture(ctx, picture, smooth, smooth), width_px, height_px, run, step: None }
    }

    /// A preview of a picture of this size, in px; `None` where it lies on a card that the window does not draw with.
    pub(crate) fn of_preview(
        (ctx, card): (&Context, Option<&RenderState>),
        image: PreviewImage,
        (run, step): (RunId, u32),
        (width_px, height_px): (f32, f32),
        smooth: bool,
    ) -> Option<Self> {
        let lies = match image {
            PreviewImage::Picture(picture) => Lies::of_picture(ctx, picture, smooth, false),
            PreviewImage::Texture(texture) => Lies::OnCard(Arc::new(CardTexture::new(card?, &texture, smooth))),
        };
        Some(Self { lies, width_px, height_px, run, step: Some(step) })
    }

    /// What egui draws.
    pub(crate) fn texture(&self) -> TextureId {
        match &self.lies {
            Lies::Here(_, texture) => texture.id(),
            Lies::OnCard(texture) => texture.id,
        }
    }

    /// Its pixels, where they are in memory.
    pub(crate) fn picture(&self) -> Option<&Picture> {
        match &self.lies {
            Lies::Here(picture, _) => Some(picture),
            Lies::OnCard(_) => None,
        }
    }

    /// Draws it smooth or as pixels from now on.
    pub(crate) fn set_smooth(&mut self, smooth: bool) {
        match &mut self.lies {
            Lies::Here(picture, texture) => {
                texture.set(image(picture, smooth && self.step.is_none()), options(smooth));
            }
            Lies::OnCard(texture) => texture.set_smooth(smooth),
        }
    }

    pub(crate) fn aspect(&self) -> f32 {
        self.width_px / self.height_px
    }
}

impl Lies {
    fn of_picture(ctx: &Context, picture: Arc<Picture>, smooth: bool, careful: bool) -> Self {
        let texture = ctx.load_texture("picture", image(&picture, careful), options(smooth));
        Self::Here(picture, texture)
    }
}

/// A texture of the window's card that egui draws as it lies there; egui forgets it when nobody draws it any more.
struct CardTexture {
    card: RenderState,
    view: wgpu::TextureView,
    id: TextureId,
}

impl CardTexture {
    fn new(card: &RenderState, texture: &wgpu::Texture, smooth: bool) -> Self {
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let id = card.renderer.write().register_native_texture(&card.device, &view, filter(smooth));
        Self { card: card.clone(), view, id }
    }

    fn set_smooth(&self, smooth: bool) {
        let Self { card, view, id } = self;
        card.renderer.write().update_egui_texture_from_wgpu_texture(&card.device, view, filter(smooth), *id);
    }
}

impl Drop for CardTexture {
    fn drop(&mut self) {
        self.card.renderer.write().free_texture(&self.id);
    }
}

/// Finished pictures are enlarged with care; a preview is gone before that would pay.
fn image(picture: &Picture, careful: bool) -> ColorImage {
    resample::enlarged(picture, if careful { resample::factor(picture) } else { 1 })
}

fn filter(smooth: bool) -> wgpu::FilterMode {
    if smooth { wgpu::FilterMode::Linear } else { wgpu::FilterMode::Nearest }
}

fn options(smooth: bool) -> TextureOptions {
    TextureOptions {
        magnification: if smooth { TextureFilter::Linear } else { TextureFilter::Nearest },
        minification: TextureFilter::Linear,
        wrap_mode: TextureWrapMode::ClampToEdge,
        mipmap_mode: None,
    }
}
