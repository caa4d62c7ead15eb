//! The saved pictures, and settings that come back only in part.

mod double;

use double::{Look, Window, library::press};
use egui::Key;
use egui_kittest::{SnapshotOptions, kittest::Queryable};
use fourstep_protocol::{Lost, Request, Sampler};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

/// The tab with so many pictures.
fn opened(count: usize, look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.double.lock().keeping.save(count);
    press(&mut window, Key::Escape);
    window.open_tab("Saved pictures", "Gallery");
    window.pass(0.2);
    window
}

fn has(window: &Window, text: &str) -> bool {
    window.harness.query_by_label_contains(text).is_some()
}

/// Lets a job on another thread end.
fn wait(window: &mut Window, mut is_so: impl FnMut(&Window) -> bool) {
    for _ in 0..200 {
        window.pass(0.01);
        if is_so(window) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not happen");
}

#[test]
fn the_folder_is_looked_through_when_the_tab_opens_and_only_what_is_seen_is_read() {
    let mut window = opened(5000, Look::default());
    assert_eq!(window.double.lock().keeping.looks, 1);
    assert!(has(&window, "5000 of 5000") || has(&window, "5,000 of 5,000"));
    let read: BTreeSet<i64> = window.double.lock().keeping.small.iter().copied().collect();
    assert!(read.len() < 60 && read.iter().all(|id| *id < 60), "{read:?}");
    window.harness.get_by_label("The live picture").click();
    window.pass(0.1);
    window.harness.get_by_label("Saved pictures").click();
    window.pass(0.1);
    assert_eq!(window.double.lock().keeping.looks, 2);
}

#[test]
fn what_is_searched_for_is_handed_on() {
    let mut window = opened(30, Look::default());
    window.harness.get_by_label("Search saved pictures").click();
    window.pass(0.1);
    window.harness.get_by_label("Search saved pictures").type_text("red s");
    window.pass(0.1);
    window.harness.get_by_label("Only pictures with a star").click();
    window.pass(0.1);
    window.harness.get_by_label("Saved Any time").click();
    window.pass(0.3);
    window.harness.get_by_label("Last 7 days").click();
    window.pass(0.3);
    window.harness.get_by_label("Model All models").click();
    window.pass(0.3);
    window.harness.get_by_label("dream").click();
    window.pass(0.3);
    let query = window.double.lock().keeping.queries.last().expect("asked").clone();
    assert_eq!((query.words.as_str(), query.starred, query.model.as_deref()), ("red s", true, Some("dream")));
    let age = SystemTime::now().duration_since(query.since.expect("a limit")).expect("before now");
    assert!(age.as_secs().abs_diff(7 * 86_400) < 60);
}

#[test]
fn a_picture_is_seen_large_starred_and_used() {
    let mut window = opened(30, Look::default());
    window.harness.get_by_label("Saved picture: apple number 1").click();
    window.pass(0.2);
    assert!(has(&window, "Back to all pictures"));
    press(&mut window, Key::ArrowRight);
    press(&mut window, Key::S);
    let picture = window.double.lock().keeping.listing.pictures[2].clone();
    assert!(!picture.starred, "the third had a star");
    let wanted = Request { seed: 99, ..window.request().clone() };
    window.double.lock().opened = Some(wanted.clone());
    press(&mut window, Key::T);
    wait(&mut window, |window| *window.request() == wanted);
    assert!(!has(&window, "Back to all pictures"), "the live picture is on the stage");
}

#[test]
fn a_deletion_can_be_taken_back_for_a_while() {
    let mut window = opened(30, Look::default());
    window.harness.get_by_label("Saved picture: apple number 3").click();
    window.pass(0.2);
    press(&mut window, Key::Delete);
    assert!(has(&window, "fourstep-00003.png goes to the trash"));
    window.harness.get_by_label("Keep it").click();
    window.pass(0.1);
    window.pass(10.0);
    assert_eq!(window.double.lock().keeping.deleted.len(), 0);
    press(&mut window, Key::Delete);
    press(&mut window, Key::Delete);
    assert_eq!(window.double.lock().keeping.deleted.len(), 1, "the one before is not kept any longer");
    window.pass(10.0);
    assert_eq!(window.double.lock().keeping.deleted.len(), 2);
    press(&mut window, Key::Escape);
    assert!(!has(&window, "Back to all pictures") && has(&window, "28 of"));
}

#[test]
fn what_does_not_come_back_is_listed() {
    let mut window = Window::with(Look::default());
    window.finish();
    let wanted = Request { seed: 77, ..window.request().clone() };
    window.double.lock().opened = Some(wanted.clone());
    let name = |name: &str| name.to_owned();
    window.double.lock().lost = vec![
        Lost::Model { name: name("dreamshaper_8"), can_download: true },
        Lost::OtherLora { name: name("ink") },
        Lost::Sampler { name: name("DPM++ SDE Karras"), used: Sampler::Lcm },
        Lost::Steps { wanted: name("30"), used: 8 },
        Lost::Setting { key: name("Clip skip"), value: name("2") },
    ];
    window.double.lock().dialog = Some(fourstep_ui::Choice::Path("/home/me/fox.png".into()));
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::O);
    wait(&mut window, |window| has(window, "Settings of fox.png are back, but for this"));
    assert_eq!(window.request().seed, 77);
    for text in
        ["dreamshaper_8 is not downloaded", "ink is another file", "LCM is used", "30 steps became 8", "Clip skip 2"]
    {
        assert!(has(&window, text), "{text}");
    }
    window.pass(1.0);
    snapshot(&mut window, "restored");
    window.harness.get_by_label("Close the list").click();
    window.pass(0.1);
    assert!(!has(&window, "but for this"));
}

#[test]
fn the_grid() {
    snapshot(&mut opened(5000, Look::default()), "gallery");
}

#[test]
fn a_large_picture_in_the_smallest_window() {
    let mut window = opened(30, Look { width: 900.0, height: 600.0, light: true, ..Look::default() });
    window.harness.get_by_label_contains("apple number 2").click();
    window.pass(0.3);
    snapshot(&mut window, "gallery_large_900_light");
}

#[test]
#[ignore = "a measurement: how long frames take while five thousand pictures are scrolled through"]
fn scrolling_through_thousands() {
    let mut window = opened(5000, Look::default());
    window.harness.hover_at(egui::pos2(800.0, 500.0));
    window.harness.run_steps(3);
    let mut took = Vec::new();
    for _ in 0..300 {
        let wheel = egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -120.0),
            phase: egui::TouchPhase::Move,
            modifiers: egui::Modifiers::NONE,
            source: egui::MouseWheelSource::Wheel,
        };
        window.harness.event(wheel);
        let clock = std::time::Instant::now();
        window.harness.step();
        took.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    println!("frames without drawing: median {:.2} ms, 99 % {:.2} ms", took[150], took[296]);
    let read = window.double.lock().keeping.small.len();
    println!("{read} thumbnails were asked for");
    assert!(took[150] < 16.0);
}
