//! A picture from another window: let go over this one, it brings its settings back.

use super::{desk::Desk, dragging::Dragging, place};
use std::{fs, time::Duration};

#[test]
fn a_picture_dragged_onto_the_window_brings_its_settings_back() {
    let desk = Desk::new(1440, 900);
    let window = desk.start();
    window.settled_picture(place::PICTURE);
    window.click(place::PROMPT);
    window.key("ctrl+a");
    window.type_text("a green frog on a yellow background", 20);
    window.settled_picture(place::PICTURE);
    window.click(place::STAGE);
    window.key("6");
    window.settled_picture(place::PICTURE);
    window.key("ctrl+s");
    let saved = window.wait_for("a saved picture", || desk.saved_pictures().pop());
    let frog = fourstep_gallery::open(&saved).expect("a whole picture");
    let dropped = desk.path("frog.png");
    fs::rename(&saved, &dropped).expect("moved");

    window.key("3");
    window.click(place::PROMPT);
    window.key("ctrl+a");
    window.type_text("a red car", 20);
    let car = window.settled_picture(place::PICTURE);
    assert!(!car.looks_like(&frog.picture), "the settings did not change");

    let dragging = Dragging::over(&window, place::STAGE, &[&dropped]);
    std::thread::sleep(Duration::from_millis(300));
    window.screenshot("drop-picture-1-over");
    dragging.drop_them();
    window.wait_for("the dropped picture", || window.picture(place::PICTURE).looks_like(&frog.picture).then_some(()));
    window.screenshot("drop-picture-2-restored");
    window.close();
    assert_eq!(Some(desk.settings().request), frog.request, "settings that were not restored");
}
