//! The live picture beside the same in many steps.

mod double;

use double::{Look, Window};
use egui::Key;
use egui_kittest::{SnapshotOptions, kittest::Queryable};
use fourstep_protocol::Sampler;
use fourstep_session::{Tab, TwinState};

fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

/// A window on the twin's tab whose twin is being painted.
fn opened(look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.harness.get_by_label("Compare with the same in many steps").click();
    window.pass(0.1);
    window
}

fn twin_is_there(window: &Window) -> bool {
    matches!(window.harness.state().session().twin(), TwinState::Finished(_))
}

#[test]
fn typing_makes_a_twin_appear() {
    let mut window = opened(Look::default());
    assert_eq!(window.newest().1.sampler, Sampler::Ddim);
    window.finish();
    assert!(twin_is_there(&window));
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.05);
    window.harness.get_by_label("Prompt").type_text(" at night");
    window.pass(1.0);
    assert!(!twin_is_there(&window));
    assert_eq!(window.newest().1.sampler, Sampler::Lcm, "the live picture first");
    window.finish();
    let (_, twin) = window.newest();
    assert_eq!((twin.sampler, twin.steps, twin.seed), (Sampler::Ddim, 25, 4711));
    assert!(twin.prompt.ends_with("at night"));
    window.start();
    window.step(1);
    let (run, _) = window.newest();
    assert_eq!(window.double.lock().offered.last(), Some(&(run, 1)), "its steps are previewed too");
    window.harness.get_by_label("step 1/25");
    window.finish();
    assert!(twin_is_there(&window));
}

#[test]
fn the_tab_key_goes_through_the_views_while_nothing_has_the_keyboard() {
    let mut window = Window::new();
    window.finish();
    let tab = |window: &Window| window.harness.state().session().settings().ui.tab;
    window.harness.key_press(Key::Escape);
    window.pass(0.05);
    window.harness.key_press(Key::Tab);
    window.pass(0.05);
    assert_eq!(tab(&window), Tab::Twin);
    assert_eq!(window.harness.ctx.memory(egui::Memory::focused), None);
    for _ in 1..Tab::ALL.len() {
        window.harness.key_press(Key::Tab);
        window.pass(0.05);
    }
    assert_eq!(tab(&window), Tab::Picture);
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.05);
    window.harness.key_press(Key::Tab);
    window.pass(0.05);
    assert_eq!(tab(&window), Tab::Picture, "in a field it goes to the next");
}

#[test]
fn a_model_without_a_slow_recipe_says_so() {
    let mut window = opened(Look { width: 900.0, height: 600.0, light: true, ..Look::default() });
    window.finish();
    window.harness.get_by_label("Model Sticker, teacher with LCM-LoRA").click();
    window.pass(0.1);
    window.harness.get_by_label_contains("full LCM").click();
    window.pass(0.1);
    window.finish();
    assert!(matches!(window.harness.state().session().twin(), TwinState::OnlyFewSteps));
    snapshot(&mut window, "twin_none_900_light");
}

#[test]
fn twin_while_it_is_painted() {
    let mut window = opened(Look::default());
    window.start();
    for step in 1..=7 {
        window.step(step);
    }
    window.pass(0.5);
    snapshot(&mut window, "twin_painting");
}

#[test]
fn twin_at_900() {
    let mut window = opened(Look { width: 900.0, height: 600.0, ..Look::default() });
    window.finish();
    window.pass(0.5);
    snapshot(&mut window, "twin_900");
}
