use egui::{Color32, ColorImage, Context, Painter, Rect, TextureHandle, TextureOptions, pos2};
use fourstep_canvas::{Area, Document};
use fourstep_protocol::Size;

/// The page and its mask on the graphics card. Only what changed is handed over.
#[derive(Default)]
pub(super) struct Skin {
    size: Option<Size>,
    page: Option<TextureHandle>,
    mask: Option<TextureHandle>,
}

/// What is to be painted anew, where it is covered wholly: a colour that few pictures have.
const MASK: [u8; 3] = [255, 60, 130];
const MASK_ALPHA: f32 = 0.5;

impl Skin {
    pub(super) fn update(&mut self, ctx: &Context, document: &mut Document) {
        let (page, mask) = (document.take_dirty(), document.take_dirty_mask());
        let size = document.size();
        let whole = Area::of(size.width, size.height);
        let is_new = self.size != Some(size);
        self.size = Some(size);
        let color = |document: &Document, area| {
            document.pixels(area).map(|[r, g, b]| Color32::from_rgb(r, g, b)).collect::<Vec<_>>()
        };
        let veil = |document: &Document, area| document.mask_pixels(area).map(veil).collect::<Vec<_>>();
        let page = if is_new { whole } else { page };
        let mask = if is_new { whole } else { mask };
        put(ctx, &mut self.page, "page", page, whole, |area| color(document, area));
        put(ctx, &mut self.mask, "mask", mask, whole, |area| veil(document, area));
    }

    /// Draws the page at `place`, and over it what is masked.
    pub(super) fn draw(&self, painter: &Painter, place: Rect) {
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        for texture in self.page.iter().chain(&self.mask) {
            painter.image(texture.id(), place, whole, Color32::WHITE);
        }
    }
}

fn veil(covered: u8) -> Color32 {
    let alpha = f32::from(covered) / 255.0 * MASK_ALPHA;
    let [r, g, b] = MASK.map(|c| (f32::from(c) * alpha).round() as u8);
    Color32::from_rgba_premultiplied(r, g, b, (alpha * 255.0).round() as u8)
}

fn put(
    ctx: &Context,
    texture: &mut Option<TextureHandle>,
    name: &str,
    area: Area,
    whole: Area,
    pixels: impl FnOnce(Area) -> Vec<Color32>,
) {
    if area.is_empty() {
        return;
    }
    let image = ColorImage::new([area.width() as usize, area.height() as usize], pixels(area));
    match texture {
        Some(texture) if area != whole => {
            texture.set_partial([area.x0 as usize, area.y0 as usize], image, TextureOptions::LINEAR);
        }
        Some(texture) => texture.set(image, TextureOptions::LINEAR),
        None => *texture = Some(ctx.load_texture(name, image, TextureOptions::LINEAR)),
    }
}
