//! Pictures in rows and columns, and what lies around the picture.

#![allow(clippy::unwrap_used)]

mod double;

use double::{Look, Window};
use egui::{Key, Modifiers};
use egui_kittest::{SnapshotOptions, kittest::Queryable};

fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

fn click(window: &mut Window, name: &str) {
    window.harness.get_by_label(name).click();
    window.pass(0.1);
}

fn opened(look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.open_tab("Pictures in rows and columns", "Grid");
    window
}

fn type_values(window: &mut Window, field: &str, text: &str) {
    click(window, field);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.pass(0.05);
    window.harness.get_by_label(field).type_text(text);
    window.pass(0.05);
}

/// Paints what is asked for until nothing more is.
fn paint_all(window: &mut Window) -> usize {
    let mut painted = 0;
    let idle = |window: &Window| window.harness.state().session().idle_run();
    while idle(window).is_some() {
        window.start();
        let (_, request) = window.newest();
        let clear = 0.5 + 0.07 * request.steps as f32;
        window.finish_with(|request| double::painted(request, clear.min(1.0)));
        painted += 1;
        assert!(painted < 100);
    }
    painted
}

#[test]
fn a_grid_fills_and_a_click_takes_its_settings() {
    let mut window = opened(Look::default());
    assert_eq!(window.generated(), 1, "nothing is painted before it is asked for");
    type_values(&mut window, "From left to right: values", "4711-4715");
    type_values(&mut window, "From top to bottom: values", "1, 4, 8");
    window.harness.get_by_label("5 × 3 pictures, painted while nothing else is");
    click(&mut window, "Paint grid");
    window.start();
    window.step(1);
    snapshot(&mut window, "grid_painting");
    assert_eq!(paint_all(&mut window), 15);
    snapshot(&mut window, "grid_1280");
    window.harness.get_by_label_contains("4713 8:").click();
    window.pass(0.1);
    assert_eq!((window.request().seed, window.request().steps), (4713, 8));
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.pass(0.1);
    assert_eq!((window.request().seed, window.request().steps), (4711, 4));
}

#[test]
fn what_is_wrong_with_an_axis_is_said_while_it_is_typed() {
    let mut window = opened(Look { width: 900.0, height: 600.0, light: true, ..Look::default() });
    type_values(&mut window, "From top to bottom: values", "1, two");
    window.harness.get_by_label_contains("“two” is neither a number nor a range");
    assert!(!is_enabled(&window, "Paint grid"));
    snapshot(&mut window, "grid_wrong_900_light");
}

fn is_enabled(window: &Window, name: &str) -> bool {
    use egui_kittest::kittest::NodeT;
    !window.harness.get_by_label(name).accesskit_node().is_disabled()
}

#[test]
fn the_cells_around_the_pointer_come_first() {
    let mut window = opened(Look::default());
    type_values(&mut window, "From left to right: values", "1-6");
    click(&mut window, "Paint grid");
    assert_eq!(window.newest().1.seed, 1);
    let last = window.harness.get_by_label_contains("6 8:").rect().center();
    window.harness.hover_at(last);
    window.pass(0.1);
    window.start();
    window.finish_with(double::picture);
    assert_eq!((window.newest().1.seed, window.newest().1.steps), (6, 8), "after the one in progress");
}

#[test]
fn neighbours_at_900() {
    let mut window = opened(Look { width: 900.0, height: 600.0, ..Look::default() });
    click(&mut window, "What lies around the picture, painted while idle");
    window.pass(0.1);
    assert_eq!(paint_all(&mut window), 8, "the picture itself is there");
    snapshot(&mut window, "grid_neighbours_900");
    window.harness.get_by_label_contains("4712 1.25:").click();
    window.pass(0.1);
    assert_eq!((window.request().seed, window.request().guidance_scale), (4712, 1.25));
}

#[test]
fn a_grid_is_saved_with_its_times() {
    let mut window = opened(Look::default());
    type_values(&mut window, "From left to right: values", "1-2");
    click(&mut window, "Paint grid");
    paint_all(&mut window);
    click(&mut window, "Save the grid with its labels, and its times as a table");
    let began = std::time::Instant::now();
    while window.double.lock().grids.is_empty() {
        assert!(began.elapsed().as_secs() < 20, "nothing is saved");
        window.pass(0.01);
    }
    let grid = window.double.lock().grids[0].clone();
    assert_eq!((grid.columns.len(), grid.rows.len(), grid.cells.len()), (2, 4, 8));
    assert!(grid.cells.iter().all(Option::is_some));
    let lines: Vec<&str> = grid.times.lines().collect();
    assert_eq!(lines.len(), 9);
    assert!(
        lines[1].starts_with("1,1,finished,sticker,lcm,1,1,1,a red apple on a blue background,0.1150,"),
        "{}",
        lines[1]
    );
}
