//! Keeping the first steps of a picture, or its composition, from the buttons below the stage.

mod double;

use double::Window;
use egui_kittest::kittest::Queryable;

fn click(window: &mut Window, name: &str) {
    window.harness.get_by_label(name).click();
    window.pass(0.05);
}

fn painted() -> Window {
    let mut window = Window::new();
    window.finish();
    window.pass(1.0);
    window
}

#[test]
fn the_first_steps_are_kept_while_the_prompt_changes() {
    let mut window = painted();
    click(&mut window, "Keep the first steps");
    click(&mut window, "The first 2 steps");
    assert_eq!(window.request().fork.as_ref().map(|fork| fork.steps), Some(2));
    click(&mut window, "Prompt");
    window.harness.get_by_label("Prompt").type_text(" at night");
    window.pass(3.0);
    assert!(window.newest().1.prompt.ends_with("at night"), "{:?}", window.newest());
    let fork = window.newest().1.fork.clone().expect("a fork");
    assert_eq!((fork.steps, fork.request.prompt.as_str()), (2, "a red apple on a blue background"));

    click(&mut window, "Keep the first steps: 2");
    click(&mut window, "Let go");
    assert_eq!(window.request().fork, None);
    window.harness.get_by_label("Keep the first steps");
}

#[test]
fn a_composition_is_held() {
    let mut window = painted();
    click(&mut window, "Hold the composition");
    click(&mut window, "The first step");
    assert_eq!(window.request().composition.as_ref().map(|held| held.steps), Some(1));
    assert_eq!(window.request().fork, None);
}

#[test]
fn there_is_nothing_to_keep_of_a_picture_in_one_step() {
    let mut window = painted();
    click(&mut window, "1 step");
    window.finish();
    window.pass(1.0);
    click(&mut window, "Keep the first steps");
    assert!(window.harness.query_by_label("The first step").is_none());
}
