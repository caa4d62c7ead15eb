use crate::page::{BRIGHT, DIM, Fonts, Page, fit_width};
use fourstep_protocol::{Failure, Picture};

/// Pictures in rows and columns, and what stands beside them.
#[derive(Clone, Debug)]
pub struct GridPage<'a> {
    /// What they have in common.
    pub heading: &'a str,
    /// Above each column.
    pub columns: &'a [String],
    /// Beside each row.
    pub rows: &'a [String],
    /// Row by row; an empty place where a picture could not be painted.
    pub cells: &'a [Option<&'a Picture>],
}

const MARGIN_PX: u32 = 32;
const GAP_PX: u32 = 8;
const TITLE_PX: u32 = 20;
const TEXT_PX: u32 = 15;
/// The widest that labels of rows may be.
const LABEL_PX: u32 = 220;
/// Smaller pictures are enlarged by a whole factor, pixel for pixel, until a side has this length.
const MIN_SIDE_PX: u32 = 192;
const MAX_SIDE_PX: u32 = 32_768;

/// A labelled page of all pictures of a grid.
///
/// # Errors
/// [`Failure`] where there is no picture, or the page would be too large to be one.
pub fn compose_grid(grid: &GridPage<'_>) -> Result<Picture, Failure> {
    let failed = |why: &str| Failure::input("The grid could not be put together", why, "Save smaller pictures.");
    let pictures = || grid.cells.iter().flatten();
    let width = pictures().map(|p| p.width()).max().ok_or_else(|| failed("there is no picture in it"))?;
    let height = pictures().map(|p| p.height()).max().unwrap_or(1);
    let factor = MIN_SIDE_PX.div_ceil(width.max(height).max(1));
    let cell = [width * factor, height * factor];
    let fonts = Fonts::load().map_err(|e| failed(&e.to_string()))?;
    let labels = grid.rows.iter().map(|label| fit_width(&fonts.medium, label, TEXT_PX));
    let beside = labels.max().map_or(0, |widest| if widest > 0 { widest.min(LABEL_PX) + 2 * GAP_PX } else { 0 });
    let heading = if grid.heading.is_empty() { 0 } else { TITLE_PX + 2 * GAP_PX };
    let above = if grid.columns.iter().all(String::is_empty) { 0 } else { TEXT_PX + 2 * GAP_PX };
    let counts = [grid.columns.len() as u32, grid.rows.len() as u32];
    let extent = [0, 1].map(|i| counts[i] * (cell[i] + GAP_PX));
    let [page_width, page_height] = [2 * MARGIN_PX + beside + extent[0], 2 * MARGIN_PX + heading + above + extent[1]];
    if page_width > MAX_SIDE_PX || page_height > MAX_SIDE_PX {
        return Err(failed(&format!("the page would measure {page_width}×{page_height} pixels")));
    }
    let mut page = Page::new(page_width, page_height);
    page.text(&fonts.medium, grid.heading, [MARGIN_PX; 2], TITLE_PX, page_width - 2 * MARGIN_PX, BRIGHT);
    let [left, top] = [MARGIN_PX + beside, MARGIN_PX + heading + above];
    for (x, label) in (0..).zip(grid.columns) {
        let at = [left + x * (cell[0] + GAP_PX), top - above];
        page.text(&fonts.medium, label, at, TEXT_PX, cell[0], BRIGHT);
    }
    for (y, label) in (0..).zip(grid.rows) {
        let at = [MARGIN_PX, top + y * (cell[1] + GAP_PX) + cell[1] / 2 - TEXT_PX / 2];
        page.text(&fonts.medium, label, at, TEXT_PX, LABEL_PX, DIM);
    }
    for (index, picture) in (0..).zip(grid.cells) {
        let (x, y) = (index % counts[0].max(1), index / counts[0].max(1));
        if let Some(picture) = picture {
            page.picture(picture, [left + x * (cell[0] + GAP_PX), top + y * (cell[1] + GAP_PX)], factor);
        }
    }
    page.into_picture().ok_or_else(|| failed("its pixels do not fill it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_their_rows_and_columns() {
        let flat = |c: [u8; 3]| Picture::new(64, 64, c.repeat(64 * 64)).expect("fills it");
        let (red, blue) = (flat([255, 0, 0]), flat([0, 0, 255]));
        let labels = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let page = GridPage {
            heading: "a cat",
            columns: &labels(&["1", "2"]),
            rows: &labels(&["LCM", "DDIM"]),
            cells: &[Some(&red), None, Some(&blue), Some(&red)],
        };
        let sheet = compose_grid(&page).expect("fits");
        let count = |colour: [u8; 3]| sheet.rgb().as_chunks::<3>().0.iter().filter(|p| **p == colour).count();
        assert_eq!((count([255, 0, 0]), count([0, 0, 255])), (2 * 192 * 192, 192 * 192));
        assert!(count(BRIGHT) > 20, "there is text");
        if let Ok(path) = std::env::var("FOURSTEP_SHEET") {
            let rgb = sheet.rgb().to_vec();
            image::RgbImage::from_raw(sheet.width(), sheet.height(), rgb).expect("fits").save(path).expect("saves");
        }
        let none = GridPage { cells: &[None; 4], ..page };
        assert!(compose_grid(&none).is_err());
    }
}
