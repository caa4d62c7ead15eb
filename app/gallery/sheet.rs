use crate::page::{BRIGHT, DIM, Fonts, Page};
use fourstep_protocol::{Failure, Picture};

/// One picture of a comparison and what stands under it.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// The picture.
    pub picture: &'a Picture,
    /// What it is: `LCM, 4 steps`.
    pub title: &'a str,
    /// More about it, a line each: times, guidance.
    pub lines: &'a [String],
}

const MARGIN_PX: u32 = 32;
const GAP_PX: u32 = 24;
const TITLE_PX: u32 = 20;
const TEXT_PX: u32 = 15;
const LEADING_PX: u32 = 8;
/// Smaller pictures are enlarged by a whole factor, pixel for pixel, until a side has this length.
const MIN_SIDE_PX: u32 = 384;

/// A labelled sheet: `heading` on top, the pictures side by side, each with its caption below.
///
/// Text that is too wide ends in `…`; characters outside Latin script are shown as boxes.
///
/// # Errors
/// [`Failure`] where there is no panel, or the sheet would be too large to be a picture.
pub fn compose(heading: &str, panels: &[Panel<'_>]) -> Result<Picture, Failure> {
    let failed = |why: &str| {
        Failure::input("The comparison could not be put together", why, "Compare fewer or smaller pictures.")
    };
    if panels.is_empty() {
        return Err(failed("there is no picture"));
    }
    let fonts = Fonts::load().map_err(|e| failed(&e.to_string()))?;
    let cells: Vec<_> = panels.iter().map(Cell::new).collect();
    let heading_height = if heading.is_empty() { 0 } else { TITLE_PX + GAP_PX };
    let picture_height = cells.iter().map(|c| c.height).max().unwrap_or(0);
    let lines = panels.iter().map(|p| p.lines.len()).max().unwrap_or(0) as u32;
    let caption_height = LEADING_PX + TITLE_PX + lines * (TEXT_PX + LEADING_PX);
    let width = cells.iter().map(|c| c.width).sum::<u32>() + GAP_PX * (cells.len() as u32 - 1) + 2 * MARGIN_PX;
    let height = 2 * MARGIN_PX + heading_height + picture_height + caption_height;
    if width > 32_768 || height > 32_768 {
        return Err(failed(&format!("the sheet would measure {width}×{height} pixels")));
    }
    let mut page = Page::new(width, height);
    page.text(&fonts.medium, heading, [MARGIN_PX, MARGIN_PX], TITLE_PX, width - 2 * MARGIN_PX, BRIGHT);
    let (mut x, top) = (MARGIN_PX, MARGIN_PX + heading_height);
    for (cell, panel) in cells.iter().zip(panels) {
        page.picture(panel.picture, [x, top + picture_height - cell.height], cell.factor);
        let mut y = top + picture_height + LEADING_PX;
        page.text(&fonts.medium, panel.title, [x, y], TITLE_PX, cell.width, BRIGHT);
        y += TITLE_PX + LEADING_PX;
        for line in panel.lines {
            page.text(&fonts.regular, line, [x, y], TEXT_PX, cell.width, DIM);
            y += TEXT_PX + LEADING_PX;
        }
        x += cell.width + GAP_PX;
    }
    page.into_picture().ok_or_else(|| failed("its pixels do not fill it"))
}

/// Size of a panel's picture on the sheet, in px.
struct Cell {
    factor: u32,
    width: u32,
    height: u32,
}

impl Cell {
    fn new(panel: &Panel<'_>) -> Self {
        let (w, h) = (panel.picture.width(), panel.picture.height());
        let factor = MIN_SIDE_PX.div_ceil(w.max(h).max(1));
        Self { factor, width: w * factor, height: h * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::GROUND;

    fn flat(width: u32, height: u32, colour: [u8; 3]) -> Picture {
        Picture::new(width, height, colour.repeat((width * height) as usize)).expect("fills it")
    }

    #[test]
    fn pictures_stand_side_by_side_unchanged_with_captions_below() {
        let (red, blue) = (flat(128, 128, [255, 0, 0]), flat(128, 128, [0, 0, 255]));
        let lines = vec!["0.21 s".to_owned()];
        let panels = [
            Panel { picture: &red, title: "LCM, 4 steps", lines: &lines },
            Panel { picture: &blue, title: "DDIM, 25 steps", lines: &lines },
        ];
        let sheet = compose("a blue apple on a yellow background", &panels).expect("fits");
        assert_eq!(sheet.width(), 2 * 384 + GAP_PX + 2 * MARGIN_PX);
        let count = |colour: [u8; 3]| sheet.rgb().as_chunks::<3>().0.iter().filter(|p| **p == colour).count();
        assert_eq!((count([255, 0, 0]), count([0, 0, 255])), (384 * 384, 384 * 384));
        assert!(count(BRIGHT) > 300 && count(DIM) > 20, "there is text: {} {}", count(BRIGHT), count(DIM));
        if let Ok(path) = std::env::var("FOURSTEP_SHEET") {
            let rgb = sheet.rgb().to_vec();
            image::RgbImage::from_raw(sheet.width(), sheet.height(), rgb).expect("fits").save(path).expect("saves");
        }
    }

    #[test]
    fn long_text_ends_in_an_ellipsis_and_stays_inside() {
        let picture = flat(8, 8, [1, 2, 3]);
        let lines = ["很長的 text ".repeat(60)];
        let panel = Panel { picture: &picture, title: &"wide ".repeat(80), lines: &lines };
        let sheet = compose(&"a\nb".repeat(200), &[panel]).expect("fits");
        let right = sheet.width() - MARGIN_PX;
        let outside = |i: usize| (i as u32 % sheet.width()) >= right;
        let stray = sheet.rgb().as_chunks::<3>().0.iter().enumerate().filter(|(i, p)| outside(*i) && **p != GROUND);
        assert_eq!(stray.count(), 0);
    }

    #[test]
    fn no_pictures_and_too_many_are_failures() {
        assert!(compose("x", &[]).is_err());
        let picture = flat(4096, 8, [0; 3]);
        let panel = Panel { picture: &picture, title: "", lines: &[] };
        assert!(compose("x", &[panel; 9]).expect_err("too wide").why.contains("×"));
    }
}
