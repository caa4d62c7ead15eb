//! The strip of everything that was painted.

mod double;

use double::{Look, Window, library::press};
use egui::Key;
use egui_kittest::{SnapshotOptions, kittest::Queryable};
use fourstep_protocol::Failure;
use fourstep_ui::Kept;
use std::sync::Arc;

fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

/// A window with so many frames in its timeline.
fn filled(count: usize, look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    let finished = window.harness.state().session().shown().expect("painted").clone();
    window.double.lock().keeping.fill(count, &finished);
    window.pass(0.5);
    press(&mut window, Key::Escape);
    window
}

fn has(window: &Window, text: &str) -> bool {
    window.harness.query_by_label_contains(text).is_some()
}

#[test]
fn every_picture_is_kept_once_it_is_finished() {
    let mut window = Window::new();
    window.double.lock().keeping.keeps = true;
    let fold = window.harness.get_by_label("Fold the timeline").rect();
    assert!(!has(&window, "Go through the pictures"), "there is none");
    window.finish();
    assert!(has(&window, "1 picture"));
    assert_eq!(window.harness.get_by_label("Fold the timeline").rect(), fold, "nothing moves");
    press(&mut window, Key::Escape);
    press(&mut window, Key::R);
    window.pass(1.0);
    window.finish();
    assert!(has(&window, "2 pictures"));
    let kept = window.double.lock().keeping.frames.iter().map(|frame| frame.request.seed).collect::<Vec<_>>();
    assert_eq!(kept, [4711, 1001]);
}

#[test]
fn looking_back_changes_nothing_until_one_goes_on_from_there() {
    let mut window = filled(300, Look::default());
    let before = window.request().clone();
    press(&mut window, Key::ArrowLeft);
    press(&mut window, Key::ArrowLeft);
    assert!(has(&window, "298 of 300") && has(&window, "from before"), "the older picture is on the stage");
    assert_eq!(*window.request(), before);
    press(&mut window, Key::ArrowRight);
    press(&mut window, Key::ArrowRight);
    assert!(has(&window, "300 pictures") && !has(&window, "from before"), "the live picture is back");
    press(&mut window, Key::ArrowLeft);
    press(&mut window, Key::T);
    assert_eq!(window.request().seed, 100_298);
    assert!(has(&window, "300 pictures"));
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::Z);
    window.pass(0.1);
    assert_eq!(*window.request(), before, "one step of undo");
}

#[test]
fn whoever_changes_the_settings_sees_the_live_picture() {
    let mut window = filled(20, Look::default());
    press(&mut window, Key::ArrowLeft);
    assert!(has(&window, "19 of 20"));
    press(&mut window, Key::R);
    assert!(!has(&window, "19 of 20"));
    press(&mut window, Key::ArrowLeft);
    window.harness.get_by_label("Compare with the same in many steps").click();
    window.pass(0.1);
    assert!(!has(&window, "19 of 20"), "the twin is of the live picture");
}

#[test]
fn what_is_saved_is_what_is_seen() {
    let mut window = filled(20, Look::default());
    press(&mut window, Key::ArrowLeft);
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::S);
    for _ in 0..200 {
        window.pass(0.01);
        if !window.double.lock().saved.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let saved = window.double.lock().saved.clone();
    assert!(saved[0].ends_with("picture-100018.png"), "{saved:?}");
}

#[test]
fn stars_and_the_bound_are_handed_on() {
    let mut window = filled(20, Look::default());
    press(&mut window, Key::ArrowLeft);
    press(&mut window, Key::S);
    assert!(window.double.lock().keeping.kept.frames[18].starred);
    window.harness.get_by_label("Take the star away").click();
    window.pass(0.1);
    assert!(!window.double.lock().keeping.kept.frames[18].starred);
    window.harness.get_by_label_contains("Size on disk of the timeline").click();
    window.pass(0.3);
    window.harness.get_by_label("Keep up to 4.3 GB").click();
    window.pass(0.3);
    assert_eq!(window.double.lock().keeping.bound, Some(4 << 30));
}

#[test]
fn of_thousands_only_those_in_sight_are_asked_for() {
    let mut window = filled(20_000, Look::default());
    let asked = |window: &Window| window.double.lock().keeping.thumbnails.clone();
    assert!(asked(&window).len() < 40 && asked(&window).iter().all(|id| *id > 19_960), "{:?}", asked(&window));
    let slider = window.harness.get_by_label("Go through the pictures painted so far").rect();
    window.double.lock().keeping.thumbnails.clear();
    window.harness.drag_at(slider.center());
    window.harness.run_steps(3);
    window.harness.drop_at(slider.center());
    window.harness.run_steps(3);
    let middle = asked(&window);
    assert!(middle.len() < 60 && middle.iter().all(|id| (9_000..11_000).contains(id)), "{middle:?}");
    assert!(has(&window, "of 20000") || has(&window, "of 20,000"));
}

#[test]
fn a_folded_strip_shows_its_bar() {
    let mut window = filled(20, Look::default());
    window.double.lock().keeping.thumbnails.clear();
    window.harness.get_by_label("Fold the timeline").click();
    window.pass(0.3);
    assert!(window.harness.state().session().settings().ui.timeline_folded);
    assert!(window.harness.query_by_label_contains("Picture 20").is_none());
    assert!(has(&window, "20 pictures"));
}

#[test]
fn what_cannot_be_kept_is_told_once() {
    let mut window = filled(3, Look::default());
    let failure = Failure::machine("New pictures are not kept in the timeline", "the disk is full", "Free some space.");
    let kept = Arc::clone(&window.double.lock().keeping.kept);
    let full = Kept { failure: Some(failure), ..(*kept).clone() };
    window.double.lock().keeping.kept = Arc::new(full.clone());
    window.pass(0.1);
    assert!(has(&window, "New pictures are not kept"));
    window.harness.get_by_label("Dismiss").click();
    window.pass(0.1);
    window.double.lock().keeping.kept = Arc::new(full);
    window.pass(0.1);
    assert!(!has(&window, "New pictures are not kept"));
}

#[test]
fn the_strip_below_the_live_picture() {
    snapshot(&mut filled(300, Look::default()), "timeline");
}

#[test]
fn an_older_picture_in_the_smallest_window() {
    let mut window = filled(300, Look { width: 900.0, height: 600.0, light: true, ..Look::default() });
    for _ in 0..8 {
        press(&mut window, Key::ArrowLeft);
    }
    snapshot(&mut window, "timeline_older_900_light");
}
