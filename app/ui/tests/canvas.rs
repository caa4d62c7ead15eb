//! The page that is drawn on, and what is painted of it.

mod double;

use double::{Look, Window};
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2, vec2};
use egui_kittest::{SnapshotOptions, kittest::Queryable};
use fourstep_protocol::{Picture, Request, Size};
use fourstep_session::Tab;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

/// A window on the canvas whose blank page was painted.
fn opened(look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.open_tab("Draw, and paint what is drawn", "Canvas");
    window.finish();
    window
}

/// Where the page lies in the window, from its shares of width and height.
fn on_page(window: &Window, (x, y): (f32, f32)) -> Pos2 {
    let area = window.harness.get_by_label("Page to draw on").rect();
    let size = window.request().size;
    let scale = (area.width() / size.width as f32).min(area.height() / size.height as f32);
    let page = Rect::from_center_size(area.center(), vec2(size.width as f32, size.height as f32) * scale);
    pos2(page.left() + x * page.width(), page.top() + y * page.height())
}

fn stroke(window: &mut Window, points: &[(f32, f32)]) {
    let places: Vec<Pos2> = points.iter().map(|point| on_page(window, *point)).collect();
    window.harness.hover_at(places[0]);
    window.pass(0.02);
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    window.harness.event(button(places[0], true));
    window.pass(0.02);
    for place in &places {
        window.harness.event(Event::PointerMoved(*place));
        window.pass(0.02);
    }
    window.harness.event(button(places[places.len() - 1], false));
    settle(window);
}

/// What is to be painted, and what the page looks like.
fn drawn(window: &Window) -> (Request, Picture) {
    let request = window.harness.state().session().to_paint();
    let picture = request.init.as_ref().expect("a start").picture.clone();
    (request, picture)
}

fn color(picture: &Picture, (x, y): (f32, f32)) -> [u8; 3] {
    let at = |share: f32, side: u32| (share * side as f32) as u32;
    let i = at(y, picture.height()) * picture.width() + at(x, picture.width());
    picture.rgb().as_chunks::<3>().0[i as usize]
}

/// A file as the desktop hands it over: by its path alone.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it".into())
    }
}

/// Drops a file; it is read on another thread.
fn drop(window: &mut Window, path: &str) {
    window.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.into())));
    window.pass(0.2);
    std::thread::sleep(std::time::Duration::from_millis(100));
    window.pass(0.2);
}

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    settle(window);
}

/// Longer than a change waits for the first preview of the run before it.
fn settle(window: &mut Window) {
    for _ in 0..5 {
        window.pass(0.2);
    }
}

#[test]
fn what_is_drawn_is_painted_and_taken_back() {
    let mut window = opened(Look::default());
    let (request, page) = drawn(&window);
    assert_eq!((page.width(), page.height(), request.size), (128, 128, Size::new(128, 128)));
    assert_eq!(color(&page, (0.5, 0.5)), [255; 3]);
    let runs = window.generated();
    stroke(&mut window, &[(0.3, 0.5), (0.5, 0.5), (0.7, 0.5)]);
    assert!(window.generated() > runs, "during or after the stroke");
    let page = drawn(&window).1;
    assert_eq!((color(&page, (0.5, 0.5)), color(&page, (0.5, 0.2))), ([28, 86, 196], [255; 3]));
    assert_eq!(window.newest().1.init, drawn(&window).0.init, "and that is what was sent");
    window.finish();
    let settings = window.request().clone();
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(color(&drawn(&window).1, (0.5, 0.5)), [255; 3]);
    press(&mut window, Modifiers::COMMAND, Key::Y);
    assert_eq!(color(&drawn(&window).1, (0.5, 0.5)), [28, 86, 196]);
    assert_eq!(*window.request(), settings, "settings have their own undo");
    window.harness.get_by_label("The live picture").click();
    window.pass(0.1);
    assert_eq!(window.newest().1.init, None, "the canvas paints while its tab is open");
}

#[test]
fn keys_choose_tools_and_leave_text_alone() {
    let mut window = opened(Look::default());
    let before = window.request().clone();
    press(&mut window, Modifiers::NONE, Key::O);
    stroke(&mut window, &[(0.2, 0.2), (0.8, 0.8)]);
    let page = drawn(&window).1;
    assert_eq!((color(&page, (0.5, 0.5)), color(&page, (0.22, 0.22))), ([28, 86, 196], [255; 3]), "an ellipse");
    press(&mut window, Modifiers::NONE, Key::X);
    press(&mut window, Modifiers::NONE, Key::G);
    stroke(&mut window, &[(0.5, 0.5)]);
    assert_eq!(color(&drawn(&window).1, (0.5, 0.5)), [255; 3], "filled with the other colour");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    press(&mut window, Modifiers::NONE, Key::L);
    stroke(&mut window, &[(0.1, 0.5), (0.9, 0.5)]);
    assert_eq!(color(&drawn(&window).1, (0.5, 0.5)), [255; 3], "a line");
    assert!(*window.request() == before && !window.harness.state().session().seed_locked());
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.1);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(color(&drawn(&window).1, (0.5, 0.5)), [255; 3], "there it is the text that is taken back");
}

#[test]
fn a_mask_is_drawn_with_its_margins() {
    let mut window = opened(Look::default());
    window.harness.get_by_label("Draw what is to be repainted; the rest stays").click();
    window.pass(0.1);
    stroke(&mut window, &[(0.4, 0.4), (0.6, 0.4)]);
    let (request, page) = drawn(&window);
    let mask = request.init.as_ref().and_then(|init| init.mask.as_ref()).expect("a mask");
    assert_eq!((mask.coverage.bytes()[51 * 128 + 64], mask.coverage.bytes()[100 * 128 + 64]), (255, 0));
    assert_eq!(((mask.grow_px, mask.feather_px), color(&page, (0.5, 0.4))), ((8, 24), [255; 3]));
    window.finish();
    press(&mut window, Modifiers::NONE, Key::E);
    stroke(&mut window, &[(0.3, 0.38), (0.7, 0.38), (0.3, 0.42), (0.7, 0.42)]);
    assert!(drawn(&window).0.init.as_ref().is_some_and(|init| init.mask.is_none()), "rubbed out again");
}

#[test]
fn a_result_is_kept_and_the_page_enlarged() {
    let mut window = opened(Look::default());
    window.harness.get_by_label("Keep the painted picture and draw on over it").click();
    window.pass(0.1);
    let shown = window.harness.state().session().shown().expect("a picture").picture.clone();
    assert_eq!(drawn(&window).1, *shown);
    window.finish();
    window.harness.get_by_label("New page, open, clear, enlarge").click();
    window.pass(0.1);
    window.harness.get_by_label("Enlarge the page and paint what is new").click();
    window.pass(0.2);
    let (request, page) = drawn(&window);
    assert_eq!((request.size, page.width()), (Size::new(192, 128), 192));
    assert_eq!(color(&page, (0.3, 0.5)), color(&shown, (0.45, 0.5)), "what was there stays");
    let mask = request.init.as_ref().and_then(|init| init.mask.as_ref()).expect("a mask");
    assert_eq!((mask.coverage.bytes()[127], mask.coverage.bytes()[128]), (0, 255));
    window.finish();
    let nowhere = on_page(&window, (0.5, 0.5));
    window.harness.hover_at(nowhere);
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!((drawn(&window).0.size, window.request().size), (Size::new(128, 128), Size::new(128, 128)));
}

#[test]
fn a_pasted_picture_is_placed_with_its_handles() {
    let mut window = opened(Look::default());
    let image = egui::ColorImage::filled([64, 32], egui::Color32::from_rgb(250, 20, 20));
    window.harness.event(Event::PasteImage(Arc::new(image)));
    window.pass(0.1);
    let runs = window.generated();
    stroke(&mut window, &[(0.5, 0.5), (0.5, 0.75)]);
    assert_eq!(window.generated(), runs, "not yet part of the page");
    snapshot(&mut window, "canvas_pasting");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let page = drawn(&window).1;
    assert_eq!((color(&page, (0.5, 0.75)), color(&page, (0.5, 0.5))), ([250, 20, 20], [255; 3]));
    let image = egui::ColorImage::filled([64, 32], egui::Color32::BLUE);
    window.harness.event(Event::PasteImage(Arc::new(image)));
    window.pass(0.1);
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(color(&drawn(&window).1, (0.5, 0.75)), [255; 3]);
}

#[test]
fn a_picture_dropped_on_the_canvas_is_painted_over() {
    let mut window = opened(Look::default());
    drop(&mut window, "/home/me/photo.jpg");
    assert_eq!(window.double.lock().imported, [PathBuf::from("/home/me/photo.jpg")]);
    let page = drawn(&window).1;
    assert_eq!((color(&page, (0.2, 0.5)), color(&page, (0.8, 0.5))), ([200, 60, 30], [20, 90, 160]));
}

#[test]
fn settings_that_started_from_a_picture_bring_it_to_the_canvas() {
    let mut window = opened(Look::default());
    stroke(&mut window, &[(0.3, 0.5), (0.7, 0.5)]);
    let (request, page) = drawn(&window);
    window.harness.get_by_label("The live picture").click();
    window.pass(0.1);
    window.finish();
    window.double.lock().opened = Some(request);
    drop(&mut window, "/home/me/saved.png");
    assert_eq!(window.harness.state().session().settings().ui.tab, Tab::Canvas);
    assert_eq!(drawn(&window).1, page);
    assert_eq!(window.request().init, None);
}

#[test]
fn a_picture_is_painted_larger_with_progress_and_saved() {
    let mut window = Window::new();
    window.finish();
    window.harness.get_by_label("Paint the picture twice as large").click();
    window.pass(0.1);
    window.finish();
    assert!(window.harness.query_by_label_contains("Painting larger: tile 2 of 9").is_some());
    snapshot(&mut window, "upscaling");
    for _ in 1..9 {
        window.finish();
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    window.pass(0.2);
    let saved = window.double.lock().saved.clone();
    assert_eq!(saved, [PathBuf::from("/home/me/Pictures/Fourstep/picture-4711.png")]);
    window.harness.get_by_label("Paint the picture twice as large").click();
    window.pass(0.1);
    window.harness.get_by_label("Cancel painting larger").click();
    window.pass(0.1);
    assert!(window.harness.state().session().upscaling().is_none());
}

/// A hill, a sun and a mask over it.
fn sketched(look: Look) -> Window {
    let mut window = opened(look);
    press(&mut window, Modifiers::NONE, Key::CloseBracket);
    stroke(&mut window, &[(0.0, 0.8), (0.2, 0.6), (0.4, 0.55), (0.7, 0.7), (1.0, 0.6)]);
    press(&mut window, Modifiers::NONE, Key::O);
    stroke(&mut window, &[(0.6, 0.15), (0.85, 0.4)]);
    window.harness.get_by_label("Draw what is to be repainted; the rest stays").click();
    window.pass(0.1);
    press(&mut window, Modifiers::NONE, Key::B);
    stroke(&mut window, &[(0.2, 0.2), (0.4, 0.35)]);
    window.finish();
    let beside = on_page(&window, (0.5, 0.5));
    window.harness.hover_at(beside);
    window.pass(1.0);
    window
}

#[test]
fn canvas_at_1280() {
    snapshot(&mut sketched(Look::default()), "canvas_1280");
}

#[test]
fn canvas_at_900_light() {
    snapshot(&mut sketched(Look { width: 900.0, height: 600.0, light: true, ..Look::default() }), "canvas_900_light");
}

#[test]
fn the_menu_of_the_page() {
    let mut window = sketched(Look { width: 900.0, height: 600.0, ..Look::default() });
    window.harness.get_by_label("New page, open, clear, enlarge").click();
    window.pass(0.3);
    snapshot(&mut window, "canvas_menu_900");
}

#[test]
fn the_page_is_kept_for_the_next_start() {
    let mut window = opened(Look::default());
    window.pass(3.0);
    assert_eq!(window.double.lock().pages.len(), 0, "a blank page is nothing to keep");
    stroke(&mut window, &[(0.3, 0.5), (0.7, 0.5)]);
    window.pass(0.5);
    assert_eq!(window.double.lock().pages.len(), 0, "not while more may be drawn");
    window.pass(2.0);
    window.pass(0.1);
    let kept = window.double.lock().pages.clone();
    let [page] = kept.as_slice() else { panic!("{} pages were kept", kept.len()) };
    window.pass(5.0);
    assert_eq!(window.double.lock().pages.len(), 1, "nothing has changed since");

    let mut next = Window::with_page(page.clone());
    next.finish();
    next.open_tab("Draw, and paint what is drawn", "Canvas");
    next.finish();
    assert_eq!(drawn(&next).1, drawn(&window).1);
}
