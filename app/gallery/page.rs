//! A page of pictures and Latin text, drawn pixel by pixel.

use ab_glyph::{Font, FontRef, Glyph, InvalidFont, PxScale, ScaleFont, point};
use fourstep_protocol::Picture;

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
const MEDIUM: &[u8] = include_bytes!("../../assets/fonts/Inter-Medium.ttf");

/// Neutral, so that it changes no colour beside it.
pub(crate) const GROUND: [u8; 3] = [24; 3];
pub(crate) const BRIGHT: [u8; 3] = [236; 3];
pub(crate) const DIM: [u8; 3] = [164; 3];

/// Pixels to draw on.
pub(crate) struct Page {
    width: u32,
    rgb: Vec<u8>,
}

impl Page {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width, rgb: GROUND.repeat(width as usize * height as usize) }
    }

    pub(crate) fn picture(&mut self, picture: &Picture, [left, top]: [u32; 2], factor: u32) {
        let source = picture.rgb().as_chunks::<3>().0;
        for y in 0..picture.height() * factor {
            let row = &source[(y / factor * picture.width()) as usize..];
            for x in 0..picture.width() * factor {
                *self.pixel(left + x, top + y) = row[(x / factor) as usize];
            }
        }
    }

    /// One line, its top left corner at `[left, top]`, cut with `…` where it is wider than `max_width` px.
    pub(crate) fn text(
        &mut self,
        font: &FontRef<'_>,
        text: &str,
        [left, top]: [u32; 2],
        size: u32,
        max_width: u32,
        ink: [u8; 3],
    ) {
        let text = text.replace(char::is_control, " ");
        for glyph in fit(font, &text, size as f32, max_width as f32) {
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let origin = outline.px_bounds().min;
            outline.draw(|x, y, coverage| {
                let (x, y) = (left as f32 + origin.x + x as f32, top as f32 + origin.y + y as f32);
                if x >= 0.0
                    && y >= 0.0
                    && x < self.width as f32
                    && (y as usize) < self.rgb.len() / 3 / self.width as usize
                {
                    let pixel = self.pixel(x as u32, y as u32);
                    let mix = |under: u8, over: u8| {
                        (f32::from(under) + (f32::from(over) - f32::from(under)) * coverage).round()
                    };
                    *pixel = [0, 1, 2].map(|c| mix(pixel[c], ink[c]) as u8);
                }
            });
        }
    }

    /// `None` where its pixels do not fill it, which cannot be.
    pub(crate) fn into_picture(self) -> Option<Picture> {
        let height = self.rgb.len() as u32 / 3 / self.width.max(1);
        Picture::new(self.width, height, self.rgb)
    }

    fn pixel(&mut self, x: u32, y: u32) -> &mut [u8; 3] {
        &mut self.rgb.as_chunks_mut::<3>().0[y as usize * self.width as usize + x as usize]
    }
}

/// The glyphs of as much of the text as fits, with kerning, the pen starting at the font's ascent.
fn fit(font: &FontRef<'_>, text: &str, size: f32, max_width: f32) -> Vec<Glyph> {
    let (glyphs, width) = lay_out(font, text, size);
    if width <= max_width {
        return glyphs;
    }
    let ends = text.char_indices().map(|(i, _)| i).rev();
    let shorter = ends.map(|end| lay_out(font, &format!("{}…", text[..end].trim_end()), size));
    shorter.into_iter().find(|(_, width)| *width <= max_width).map_or_else(Vec::new, |(glyphs, _)| glyphs)
}

fn lay_out(font: &FontRef<'_>, text: &str, size: f32) -> (Vec<Glyph>, f32) {
    let scaled = font.as_scaled(PxScale::from(size * font.height_unscaled() / font.units_per_em().unwrap_or(1000.0)));
    let (mut pen, mut last, mut glyphs) = (0.0, None, Vec::new());
    for c in text.chars() {
        let id = scaled.glyph_id(c);
        pen += last.map_or(0.0, |last| scaled.kern(last, id));
        glyphs.push(id.with_scale_and_position(scaled.scale(), point(pen, scaled.ascent())));
        pen += scaled.h_advance(id);
        last = Some(id);
    }
    (glyphs, pen)
}

/// Width of a line of text in px.
pub(crate) fn fit_width(font: &FontRef<'_>, text: &str, size: u32) -> u32 {
    lay_out(font, text, size as f32).1.ceil() as u32
}

pub(crate) struct Fonts {
    pub(crate) regular: FontRef<'static>,
    pub(crate) medium: FontRef<'static>,
}

impl Fonts {
    pub(crate) fn load() -> Result<Self, InvalidFont> {
        Ok(Self { regular: FontRef::try_from_slice(REGULAR)?, medium: FontRef::try_from_slice(MEDIUM)? })
    }
}
