//! The real window: started as a person starts it, under Xvfb with Mesa's software Vulkan, driven by xdotool, judged by
//! its pixels, by what it saves and by what it keeps for the next start.
//!
//! The screenshots are left in `target/window/` to be looked at; those in README come from here.

#[path = "window/canvas.rs"]
mod canvas;
#[path = "window/desk.rs"]
mod desk;
#[path = "window/dragging.rs"]
mod dragging;
#[path = "window/dropped.rs"]
mod dropped;
#[path = "window/kept.rs"]
mod kept;
#[path = "window/models.rs"]
mod models;
#[path = "window/seen.rs"]
mod seen;
#[path = "window/twin.rs"]
mod twin;

use desk::Desk;
use fourstep_protocol::Request;
use std::time::Duration;

/// Where things are in the window of 1280×800, in px; `app/ui/tests` holds that nothing moves.
mod place {
    pub(crate) const PROMPT: (i32, i32) = (150, 210);
    pub(crate) const SLIDER_START: (i32, i32) = (25, 372);
    pub(crate) const SLIDER_END: (i32, i32) = (322, 372);
    pub(crate) const STAGE: (i32, i32) = (420, 600);
    pub(crate) const TWIN: (i32, i32) = (460, 80);
    pub(crate) const CANVAS: (i32, i32) = (597, 80);
    pub(crate) const GALLERY: (i32, i32) = (664, 80);
    /// A part without letters of the button that ends the first page: left, top, width, height.
    pub(crate) const START: [u32; 4] = [816, 552, 6, 22];
    /// The middle of the picture above the timeline: left, top, width, height.
    pub(crate) const PICTURE: [u32; 4] = [613, 164, 400, 400];
}

#[test]
fn typing_dragging_and_reseeding_repaint_and_everything_comes_back() {
    let desk = Desk::new(1440, 900);
    let window = desk.start();
    println!("window after {:.2} s", window.up_after.as_secs_f64());
    assert!(window.up_after < Duration::from_secs(10), "the window took {:?}", window.up_after);

    let sample = window.settled_picture(place::PICTURE);
    window.screenshot("1-started");

    window.click(place::PROMPT);
    window.key("ctrl+a");
    window.type_text("a green frog on", 60);
    window.screenshot("2-while-typing");
    window.type_text(" a yellow background", 60);
    let frog = window.settled_picture(place::PICTURE);
    assert!(frog.differs_from(&sample), "typing did not change the picture");
    window.screenshot("3-typed");

    window.drag(place::SLIDER_START, place::SLIDER_END);
    let guided = window.settled_picture(place::PICTURE);
    assert!(guided.differs_from(&frog), "guidance did not change the picture");
    window.screenshot("4-guidance");

    window.click(place::STAGE);
    window.key("r");
    let reseeded = window.settled_picture(place::PICTURE);
    assert!(reseeded.differs_from(&guided), "a new seed did not change the picture");
    window.key("6");
    window.settled_picture(place::PICTURE);

    // Without a dialog service the picture goes into the pictures folder.
    window.key("ctrl+s");
    let saved = window.wait_for("a saved picture", || desk.saved_pictures().pop());
    let opened = fourstep_gallery::open(&saved).expect("a whole picture");
    let request: Request = opened.request.expect("with its settings");
    assert_eq!(request.prompt, "a green frog on a yellow background");
    assert_eq!((request.guidance_scale, request.steps), (2.0, 6));
    assert_ne!(request.seed, 0);
    assert!(
        window.picture(place::PICTURE).looks_like(&opened.picture),
        "the window shows another picture than it saves"
    );
    window.screenshot("5-saved");

    window.key("space");
    window.screenshot("6-paused");
    window.close();
    assert_eq!(desk.settings().request, request, "the settings do not come back");

    // Paused at the end means paused at the start, but never an empty stage.
    let again = desk.start();
    let restored = again.settled_picture(place::PICTURE);
    assert!(restored.looks_like(&opened.picture), "another picture came back");
    again.screenshot("7-next-start");
    again.close();
}

#[test]
fn undo_brings_the_prompt_back_and_the_help_lists_the_keys() {
    let desk = Desk::new(1440, 900);
    let window = desk.start();
    let sample = window.settled_picture(place::PICTURE);
    window.click(place::STAGE);
    window.key("question");
    std::thread::sleep(Duration::from_millis(500));
    window.screenshot("help");
    assert!(window.picture(place::PICTURE).differs_from(&sample), "no help over the picture");
    window.key("Escape");
    window.key("1");
    let one_step = window.settled_picture(place::PICTURE);
    assert!(one_step.differs_from(&sample), "one step gives another picture than four");
    window.key("ctrl+z");
    let back = window.settled_picture(place::PICTURE);
    assert!(!back.differs_from(&sample), "undo brings the picture back");
    window.close();
    assert_eq!(desk.settings().request.steps, 4);
}

#[test]
fn an_idle_window_costs_next_to_nothing() {
    let desk = Desk::new(1440, 900);
    let window = desk.start();
    window.settled_picture(place::PICTURE);
    std::thread::sleep(Duration::from_secs(1));
    let before = window.cpu_secs();
    std::thread::sleep(Duration::from_secs(5));
    let used = window.cpu_secs() - before;
    println!("{used:.2} s of processor time in 5 s of idling");
    // A window that repaints without need takes all it can get of a software renderer.
    assert!(used < 1.0, "{used} s of processor time while nothing happens");
    window.close();
}
