//! Drawing in the real window: what is drawn is where the painted picture has its mass.

use super::{desk::Desk, place};
use fourstep_protocol::{Picture, Request};
use std::time::Duration;

/// Where things are in the window of 1280×800, in px.
const MASK: (i32, i32) = (517, 204);
/// On the rail of the strength: 70 %, and 35 %.
const STRENGTH: (i32, i32) = (643, 200);
const WEAKER: (i32, i32) = (610, 200);
/// The page, and beside it what is painted of it: left, top, width, height.
const PAGE: [i32; 4] = [406, 264, 427, 427];
const PAINTED: [u32; 4] = [866, 280, 380, 380];

/// A place on the page, from its shares of width and height.
fn on_page(x: f64, y: f64) -> (i32, i32) {
    let [left, top, width, height] = PAGE.map(f64::from);
    ((left + x * width) as i32, (top + y * height) as i32)
}

/// How far each pixel is from white paper, and where it lies, as shares of width and height.
fn ink(picture: &Picture) -> Vec<(f64, (f64, f64))> {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.rgb().as_chunks::<3>().0.iter().enumerate();
    // Paper that was painted over is never quite white again.
    let ink = |&[r, g, b]: &[u8; 3]| (255.0 - f64::from(r.min(g).min(b)) - 48.0).max(0.0);
    pixels.map(|(i, p)| (ink(p), ((i % w) as f64 / w as f64, (i / w) as f64 / h as f64))).collect()
}

/// The share of the ink that lies within `radius` of a place, and the middle of all of it.
fn mass(picture: &Picture, (x, y): (f64, f64), radius: f64) -> (f64, (f64, f64)) {
    let ink = ink(picture);
    let sum = ink.iter().map(|(b, _)| b).sum::<f64>();
    let within = ink.iter().filter(|(_, at)| (at.0 - x).hypot(at.1 - y) < radius).map(|(b, _)| b).sum::<f64>();
    let middle = ink.iter().fold((0.0, 0.0), |m, (b, at)| (m.0 + b * at.0 / sum, m.1 + b * at.1 / sum));
    (within / sum, middle)
}

#[test]
fn a_blue_disc_on_the_canvas_is_painted_where_it_is_drawn() {
    let desk = Desk::new(1440, 900);
    let window = desk.start();
    window.settled_picture(place::PICTURE);
    window.click(place::PROMPT);
    window.key("ctrl+a");
    window.type_text("a blue apple on a white background", 20);
    window.settled_picture(place::PICTURE);
    window.click(place::CANVAS);
    std::thread::sleep(Duration::from_secs(2));
    window.screenshot("canvas-1-blank");

    let (centre, radius) = ((0.32, 0.62), 0.2);
    window.click(on_page(0.95, 0.05));
    window.key("ctrl+z");
    window.key("o");
    let corner = |sign: f64| on_page(centre.0 + sign * radius, centre.1 + sign * radius);
    window.drag(corner(-1.0), corner(1.0));
    window.drag(STRENGTH, WEAKER);
    window.settled_picture(PAINTED);
    window.screenshot("canvas-2-disc");
    let picture = saved(&desk, &window, 1);
    let (within, middle) = mass(&picture, centre, radius * 1.3);
    println!("{:.0} % of the ink within the disc, its middle at {middle:.2?}", within * 100.0);
    assert!(within > 0.8, "{within}");
    assert!((middle.0 - centre.0).hypot(middle.1 - centre.1) < 0.08, "{middle:?}");

    // Masked, only that part is painted anew.
    window.click(MASK);
    window.key("b");
    window.drag(on_page(0.7, 0.2), on_page(0.85, 0.2));
    window.settled_picture(PAINTED);
    window.screenshot("canvas-3-masked");
    let masked = saved(&desk, &window, 2);
    let request: Request = newest(&desk).request.expect("its settings");
    let init = request.init.expect("a start");
    assert!(init.mask.is_some());
    let (page, new) = (init.picture.rgb().as_chunks::<3>().0, masked.rgb().as_chunks::<3>().0);
    let lowest_rows = page.len() * 6 / 10..page.len();
    assert!(lowest_rows.clone().all(|i| page[i] == new[i]), "what is not masked was painted");
    window.close();
}

/// The picture that is on the stage, saved: the `count`th.
fn saved(desk: &Desk, window: &super::desk::Window<'_>, count: usize) -> Picture {
    window.key("ctrl+s");
    window.wait_for("a saved picture", || (desk.saved_pictures().len() == count).then_some(()));
    newest(desk).picture
}

fn newest(desk: &Desk) -> fourstep_gallery::Opened {
    let newest = desk.saved_pictures().into_iter().max().expect("a picture");
    fourstep_gallery::open(&newest).expect("a whole picture")
}
