//! What the window says about itself: tooltips, the help, and what it tells the previews.

mod double;

use double::{Look, Window};
use egui::{Key, Rect, pos2};
use egui_kittest::kittest::Queryable;
use fourstep_protocol::ModelRef;

const GUIDANCE_TIP: &str = "How closely the picture follows the prompt. Above 1.0 a second pass runs each step.";

fn quiet(look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.pass(1.0);
    window.harness.key_press(Key::Escape);
    window.pass(0.05);
    window
}

/// Frames enough for a tooltip to come.
fn linger(window: &mut Window) {
    window.harness.run_steps(60);
}

fn place_of(window: &Window, text: &str) -> Rect {
    window.harness.get_by_label(text).rect()
}

#[test]
fn a_tooltip_covers_no_other_setting() {
    let mut window = quiet(Look::default());
    let slider = place_of(&window, "Guidance");
    window.harness.hover_at(slider.center());
    linger(&mut window);
    let tip = place_of(&window, GUIDANCE_TIP);
    assert!(tip.left() > slider.right() + 8.0, "{tip:?} lies over the settings");
    assert!(tip.width() <= 320.0);
}

#[test]
fn there_is_no_tooltip_while_a_slider_is_dragged() {
    let mut window = quiet(Look::default());
    let slider = place_of(&window, "Guidance");
    let y = slider.top() + 16.0;
    window.harness.hover_at(pos2(slider.left() + 60.0, y));
    linger(&mut window);
    assert!(window.harness.query_by_label(GUIDANCE_TIP).is_some());
    window.harness.drag_at(pos2(slider.left() + 60.0, y));
    linger(&mut window);
    assert!(window.harness.query_by_label(GUIDANCE_TIP).is_none(), "a tooltip under a held button");
    window.harness.hover_at(pos2(slider.left() + 62.0, y));
    linger(&mut window);
    assert!(window.harness.query_by_label(GUIDANCE_TIP).is_none(), "a tooltip while dragging");
}

#[test]
fn the_help_keeps_to_its_columns_in_the_smallest_window() {
    let mut window = quiet(Look { width: 900.0, height: 600.0, ..Look::default() });
    window.harness.key_press(Key::Questionmark);
    window.pass(0.5);
    let left = ["Paint now; again for another seed", "New line in the prompt", "Undo and redo settings"];
    let right = ["Open a picture and its settings", "Larger and smaller letters"];
    let key = place_of(&window, "Space");
    let gutter = place_of(&window, "Open a model folder").left() - 128.0;
    for text in left {
        let place = place_of(&window, text);
        assert!(place.right() < gutter - 16.0, "{text} runs into the keys beside it");
        assert!(place.left() > key.right(), "{text} lies under its keys");
    }
    let close = place_of(&window, "Close");
    for text in right {
        assert!(place_of(&window, text).right() <= close.right(), "{text} leaves the overlay");
    }
    let last = place_of(&window, "These shortcuts");
    assert!(close.top() > 24.0 && last.bottom() < 600.0 - 24.0, "the help is higher than the window");
}

#[test]
fn the_previews_are_told_of_models_and_of_finished_runs() {
    let mut window = Window::new();
    assert_eq!(window.double.lock().prepared, [ModelRef::new("sticker")]);
    let (run, _) = window.newest();
    assert!(window.double.lock().ended.is_empty());
    window.finish();
    assert_eq!(window.double.lock().ended, [run]);
    window.harness.get_by_label("Model Sticker, teacher with LCM-LoRA").click();
    window.pass(0.3);
    window.harness.get_by_label("Sticker, full LCM").click();
    window.pass(0.3);
    assert_eq!(window.double.lock().prepared, ["sticker", "sticker-lcm"].map(ModelRef::new));
}

#[test]
fn no_tooltip_stays_above_what_comes_over_the_window() {
    let mut window = quiet(Look::default());
    let slider = place_of(&window, "Guidance");
    window.harness.hover_at(slider.center());
    linger(&mut window);
    assert!(window.harness.query_by_label(GUIDANCE_TIP).is_some());
    window.harness.key_press(Key::Questionmark);
    window.pass(0.2);
    assert!(window.harness.query_all_by_label("Keyboard shortcuts").next().is_some());
    assert!(window.harness.query_by_label(GUIDANCE_TIP).is_none());
}
