//! The live picture beside the same in many steps.

#![allow(clippy::unwrap_used)]

mod double;

use double::{Look, Window, painted};
use egui::{Key, pos2, vec2};
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
    window.open_tab("Compare with the same in many steps", "Twin");
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

fn click(window: &mut Window, name: &str) {
    window.harness.get_by_label(name).click();
    window.pass(0.1);
}

/// Its picture differs from the live one: another seed's haze, another ground.
fn finish_slow(window: &mut Window) {
    window.start();
    for step in 1..=25 {
        window.step(step);
    }
    window.finish_with(|request| painted(request, 0.86));
}

fn colour(window: &mut Window, x: f32, y: f32) -> [u8; 3] {
    let [r, g, b, _] = window.harness.render().unwrap().get_pixel(x as u32, y as u32).0;
    [r, g, b]
}

#[test]
fn the_divider_wipes_between_both() {
    let mut window = opened(Look::default());
    finish_slow(&mut window);
    click(&mut window, "A divider between both pictures");
    let area = window.harness.get_by_label("Live picture").rect();
    let grip = window.harness.get_by_label("Divider").rect();
    assert!((grip.center().x - area.center().x).abs() < 1.0);
    snapshot(&mut window, "twin_wipe");
    let probe = pos2(area.center().x - 100.0, area.top() + 20.0);
    let fast = colour(&mut window, probe.x, probe.y);
    window.harness.drag_at(grip.center());
    window.pass(0.05);
    window.harness.hover_at(grip.center() - vec2(150.0, 0.0));
    window.pass(0.05);
    window.harness.drop_at(grip.center() - vec2(150.0, 0.0));
    window.pass(0.05);
    let moved = window.harness.get_by_label("Divider").rect();
    assert!((grip.center().x - moved.center().x - 150.0).abs() < 2.0, "{grip} {moved}");
    assert_ne!(colour(&mut window, probe.x, probe.y), fast, "right of the divider is the slow picture");
    assert_eq!(window.harness.get_by_label("Live picture").rect(), area);
}

#[test]
fn the_difference_is_drawn_on_the_graphics_card_as_the_legend_says() {
    let mut window = opened(Look { width: 900.0, height: 600.0, ..Look::default() });
    finish_slow(&mut window);
    click(&mut window, "Where the pictures differ");
    window.pass(0.2);
    let area = window.harness.get_by_label("Live picture").rect();
    let lit = |at: [u8; 3]| at.map(u32::from).iter().sum::<u32>();
    let ground = lit(colour(&mut window, area.center().x, area.top() + 4.0));
    let drawn = window.harness.render().unwrap();
    let row = (0..240).map(|x| drawn.get_pixel(area.center().x as u32 - 120 + x, area.center().y as u32).0);
    let edge = row.map(|[r, g, b, _]| lit([r, g, b])).max().unwrap();
    assert!(ground < 30 && edge > 90, "dark where they are alike, bright at the apple's edge: {ground}, {edge}");
    snapshot(&mut window, "twin_difference_900");
}

#[test]
fn onion_skin_at_900_light() {
    let mut window = opened(Look { width: 900.0, height: 600.0, light: true, ..Look::default() });
    finish_slow(&mut window);
    click(&mut window, "The slow picture laid over the live one");
    window.harness.get_by_label("Slow picture over the live one").set_value_accesskit(0.7);
    window.pass(0.1);
    snapshot(&mut window, "twin_onion_900_light");
}

#[test]
fn a_step_of_the_strip_is_shown_large_and_missing_ones_are_developed() {
    let mut window = opened(Look::default());
    window.start();
    for step in 3..=25 {
        window.step(step);
    }
    let (slow, _) = window.newest();
    window.finish_with(|request| painted(request, 1.0));
    assert_eq!(window.double.lock().developed, [], "nothing is missing of what was told");
    assert!(window.harness.query_by_label("Slow picture: step 2 of 25").is_none());
    click(&mut window, "Live picture: step 1 of 4");
    click(&mut window, "Slow picture: step 25 of 25");
    snapshot(&mut window, "twin_steps");
    click(&mut window, "Slow picture: step 25 of 25");
    assert!(slow.0 > 1);
}

#[test]
fn both_are_saved_on_one_sheet() {
    let mut window = opened(Look::default());
    finish_slow(&mut window);
    click(&mut window, "Save both pictures on one labelled sheet");
    let began = std::time::Instant::now();
    while window.double.lock().sheets.is_empty() {
        assert!(began.elapsed().as_secs() < 20, "nothing is saved");
        window.pass(0.01);
    }
    let sheet = window.double.lock().sheets[0].clone();
    assert_eq!(sheet.heading, "a red apple on a blue background (seed 4711)");
    let titles: Vec<&str> = sheet.panels.iter().map(|panel| &*panel.title).collect();
    assert_eq!(titles, ["LCM, 4 steps", "DDIM, 25 steps"]);
    assert!(window.double.lock().saved[0].ends_with("picture-4711-twin.png"));
}
