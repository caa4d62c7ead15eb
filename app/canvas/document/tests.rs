use super::*;
use crate::ShapeKind;
use crate::{Margins, Pasted, Placement};

const WHITE: [u8; 3] = [255; 3];
const BLUE: Ink = Ink::Color([0, 0, 255]);
/// Removes what [`BRUSH`] drew, edges included.
const ERASER: Brush = Brush { size_px: 13.0, ..BRUSH };
const BRUSH: Brush = Brush { size_px: 9.0, hardness: 1.0, opacity: 1.0 };

fn document() -> Document {
    Document::new(Size::new(160, 96), WHITE)
}

fn dab(x: f32, y: f32) -> Dab {
    Dab { x, y, pressure: 1.0 }
}

fn line(document: &mut Document, layer: Layer, ink: Ink, brush: Brush) {
    document.begin(layer, ink, brush);
    document.sweep(dab(20.0, 48.0));
    document.sweep(dab(140.0, 48.0));
    document.end();
}

#[test]
fn a_stroke_shows_and_is_taken_back_to_the_bit() {
    let mut d = document();
    let blank = d.picture();
    line(&mut d, Layer::Sketch, BLUE, BRUSH);
    let drawn = d.picture();
    assert_eq!((d.color_at(80.0, 48.0), d.color_at(80.0, 60.0)), (Some([0, 0, 255]), Some(WHITE)));
    assert!(d.undo() && d.picture() == blank && d.is_blank() && !d.undo());
    assert!(d.redo() && d.picture() == drawn && !d.redo());
    line(&mut d, Layer::Sketch, Ink::Erase, ERASER);
    assert_eq!(d.picture(), blank);
}

#[test]
fn a_stroke_that_crosses_itself_is_no_darker_there() {
    let mut d = document();
    d.begin(Layer::Sketch, BLUE, Brush { opacity: 0.5, ..BRUSH });
    for (x, y) in [(20.0, 48.0), (140.0, 48.0), (80.0, 20.0), (80.0, 80.0), (20.0, 48.0)] {
        d.sweep(dab(x, y));
    }
    d.end();
    assert_eq!(d.color_at(80.0, 48.0), d.color_at(40.0, 48.0));
    assert_eq!(d.color_at(40.0, 48.0), Some([127, 127, 255]));
    line(&mut d, Layer::Sketch, BLUE, Brush { opacity: 0.5, ..BRUSH });
    assert_ne!(d.color_at(80.0, 48.0), Some([127, 127, 255]), "another stroke is darker");
}

#[test]
fn a_form_is_drawn_anew_while_it_is_dragged_and_can_be_left() {
    let mut d = document();
    let shape = |to| Shape { kind: ShapeKind::Ellipse, from: (10.0, 10.0), to, filled: true };
    d.begin(Layer::Sketch, BLUE, BRUSH);
    d.shape(&shape((150.0, 90.0)));
    d.shape(&shape((50.0, 50.0)));
    assert_eq!((d.color_at(30.0, 30.0), d.color_at(100.0, 50.0)), (Some([0, 0, 255]), Some(WHITE)));
    d.cancel();
    assert!(d.is_blank() && !d.can_undo() && !d.is_drawing());
    assert_eq!(d.picture(), document().picture());
}

#[test]
fn what_changed_is_told_once() {
    let mut d = document();
    assert_eq!(d.take_dirty(), Area::of(160, 96));
    assert_eq!(d.take_dirty_mask(), Area::of(160, 96));
    let before = d.revision();
    d.begin(Layer::Sketch, BLUE, BRUSH);
    d.sweep(dab(80.0, 48.0));
    let area = d.take_dirty();
    assert!(area.width() < 16 && area.height() < 16 && !area.is_empty(), "{area:?}");
    assert!(d.take_dirty().is_empty() && d.take_dirty_mask().is_empty() && d.revision() > before);
    assert!(d.pixels(area).any(|pixel| pixel == [0, 0, 255]));
    d.fit_to(Size::new(64, 64));
    assert_eq!(d.take_dirty(), Area::of(64, 64));
}

#[test]
fn a_mask_is_no_part_of_the_picture() {
    let mut d = document();
    let blank = d.picture();
    assert_eq!(d.mask(), None);
    line(&mut d, Layer::Mask, BLUE, BRUSH);
    assert_eq!(d.picture(), blank);
    let mask = d.mask().expect("a mask");
    assert_eq!((mask.bytes()[48 * 160 + 80], mask.bytes()[0]), (255, 0));
    d.invert_mask();
    assert_eq!(d.mask().map(|m| m.bytes()[48 * 160 + 80]), Some(0));
    assert!(d.undo());
    line(&mut d, Layer::Mask, Ink::Erase, ERASER);
    assert_eq!(d.mask(), None);
}

#[test]
fn a_mask_of_another_size_is_made_to_fit() {
    let mut d = document();
    d.set_mask(&Coverage::from_rows(20, &[255; 20 * 12]));
    assert!(d.mask().is_some_and(|mask| mask.bytes()[48 * 160 + 80] == 255));
    assert!(d.undo() && d.mask().is_none());
}

#[test]
fn a_fill_is_one_step() {
    let mut d = document();
    line(&mut d, Layer::Sketch, BLUE, BRUSH);
    d.fill(Layer::Sketch, (80.0, 48.0), Ink::Color([200, 0, 0]), 1.0, 16);
    assert_eq!((d.color_at(80.0, 48.0), d.color_at(80.0, 10.0)), (Some([200, 0, 0]), Some(WHITE)));
    assert!(d.undo());
    assert_eq!(d.color_at(80.0, 48.0), Some([0, 0, 255]));
    d.fill(Layer::Sketch, (-1.0, 5.0), BLUE, 1.0, 16);
    assert_eq!(d.color_at(-1.0, 5.0), None);
}

#[test]
fn what_is_kept_takes_the_place_of_the_sketch() {
    let mut d = document();
    line(&mut d, Layer::Sketch, BLUE, BRUSH);
    line(&mut d, Layer::Mask, BLUE, BRUSH);
    let painted = Picture::new(160, 96, vec![50; 160 * 96 * 3]).expect("a picture");
    d.keep(&painted);
    assert_eq!((d.picture(), d.is_layer_blank(Layer::Sketch)), (painted.clone(), true));
    assert!(d.mask().is_some());
    assert!(d.undo());
    assert_eq!(d.color_at(80.0, 48.0), Some([0, 0, 255]));
    d.import(&painted);
    assert_eq!((d.picture(), d.mask()), (painted, None));
}

#[test]
fn a_larger_page_has_what_was_there_and_a_mask_around_it() {
    let mut d = document();
    line(&mut d, Layer::Sketch, BLUE, BRUSH);
    let before = d.picture();
    d.enlarge(Margins { left: 40, top: 0, right: 0, bottom: 0 }, 3);
    assert_eq!(d.size(), Size::new(200, 96));
    assert_eq!((d.color_at(120.0, 48.0), d.color_at(120.0, 60.0)), (Some([0, 0, 255]), Some(WHITE)));
    let mask = d.mask().expect("a mask");
    assert_eq!((mask.bytes()[39], mask.bytes()[40]), (255, 0));
    assert!(d.undo());
    assert_eq!((d.size(), d.picture(), d.mask()), (Size::new(160, 96), before, None));
    assert!(d.redo());
    assert_eq!(d.size(), Size::new(200, 96));
}

#[test]
fn another_size_keeps_the_middle_and_the_layers() {
    let mut d = document();
    line(&mut d, Layer::Sketch, BLUE, BRUSH);
    line(&mut d, Layer::Mask, BLUE, BRUSH);
    d.fit_to(Size::new(80, 80));
    assert_eq!((d.color_at(40.0, 40.0), d.color_at(40.0, 50.0)), (Some([0, 0, 255]), Some(WHITE)));
    assert!(!d.is_layer_blank(Layer::Sketch) && d.is_layer_blank(Layer::Picture));
    assert_eq!(d.mask().map(|m| (m.bytes()[40 * 80 + 40], m.bytes()[50 * 80 + 40])), Some((255, 0)));
}

#[test]
fn a_pasted_picture_is_merged_into_the_sketch() {
    let mut d = document();
    let pasted = Pasted::new(20, 20, &[[255, 0, 0, 255]; 400]).expect("pixels");
    let placement = Placement { centre: (50.0, 40.0), scale: 1.0, angle: 0.0 };
    d.merge(&pasted, &placement);
    assert_eq!((d.color_at(50.0, 40.0), d.color_at(70.0, 40.0)), (Some([255, 0, 0]), Some(WHITE)));
    assert!(d.undo() && d.is_blank());
}

#[test]
fn undo_is_bounded_by_its_bytes() {
    let mut history = History::new(40_000);
    let mut page = Page::new(Size::new(256, 256), WHITE);
    for i in 0..20u32 {
        let mut stroke = Stroke::new(&page, Layer::Sketch, BLUE, BRUSH);
        stroke.sweep(&mut page, dab(30.0 + (i % 4) as f32 * 64.0, 30.0));
        history.record(stroke.finish().expect("a change"));
        assert!(history.bytes() <= 40_000);
    }
    let steps = std::iter::from_fn(|| history.undo(&mut page)).count();
    assert_eq!(steps, 2, "16 KB a tile");
    assert_eq!(std::iter::from_fn(|| history.redo(&mut page)).count(), 2);
}
