//! The comparison in the real window: typed, twinned, wiped.

use super::{desk::Desk, place};
use std::time::Duration;

/// The wipe's cell of how two pictures are compared.
const WIPE: (i32, i32) = (508, 124);
/// The middle of the picture between the captions and the strip, and a part of it left of that.
const MIDDLE: (i32, i32) = (813, 360);
const LEFT: (i32, i32) = (713, 360);
const LEFT_OF_MIDDLE: [u32; 4] = [730, 240, 60, 200];

#[test]
fn typing_makes_a_twin_appear_and_the_divider_wipes() {
    let desk = Desk::new(1440, 900);
    let window = desk.start();
    let sample = window.settled_picture(place::PICTURE);
    window.click(place::TWIN);
    window.click(place::PROMPT);
    window.key("ctrl+a");
    window.type_text("a green frog on a yellow background", 60);
    let both = window.settled_picture(place::PICTURE);
    assert!(both.differs_from(&sample), "nothing of the twin is to be seen");
    window.screenshot("twin");

    window.click(WIPE);
    // The twin takes a few seconds of idle time; after it, nothing moves.
    std::thread::sleep(Duration::from_secs(2));
    let fast = window.settled_picture(LEFT_OF_MIDDLE);
    window.screenshot("twin-wipe");
    window.drag(MIDDLE, LEFT);
    let slow = window.settled_picture(LEFT_OF_MIDDLE);
    window.screenshot("twin-wiped");
    assert!(slow.differs_from(&fast), "right of the divider is the slow picture");
    window.drag(LEFT, MIDDLE);
    let back = window.settled_picture(LEFT_OF_MIDDLE);
    assert!(!back.differs_from(&fast), "left of the divider is the live picture");
    window.close();
}
