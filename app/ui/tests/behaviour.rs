//! What the window does with keys and clicks, seen through the accessibility tree and the commands it sends.

mod double;

use double::{Look, Window};
use egui::{Event, ImeEvent, Key, Modifiers, accesskit::Role, pos2};
use egui_kittest::kittest::{NodeT, Queryable};
use fourstep_protocol::{Command, Failure, Request};
use fourstep_session::Status;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A window that has painted its first picture, with the keyboard on no field.
fn quiet() -> Window {
    let mut window = Window::new();
    window.finish();
    window.pass(1.0);
    press(&mut window, Key::Escape);
    window
}

fn press(window: &mut Window, key: Key) {
    window.harness.key_press(key);
    window.pass(0.05);
}

fn press_with(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    window.pass(0.05);
}

fn click(window: &mut Window, name: &str) {
    window.harness.get_by_label(name).click();
    window.pass(0.05);
}

/// Waits for something that another thread does.
fn until(window: &mut Window, what: &str, done: impl Fn(&mut Window) -> bool) {
    let began = Instant::now();
    while !done(window) {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
        window.pass(0.01);
    }
}

fn failure() -> Failure {
    Failure::machine("The picture could not be painted", "the latents are not numbers", "Try precision f32.")
}

#[test]
fn the_sample_prompt_is_painted_without_being_asked() {
    let window = Window::new();
    assert_eq!(window.generated(), 1);
    assert_eq!(window.newest().1.prompt, "a red apple on a blue background");
}

#[test]
fn typing_changes_the_prompt_and_paints() {
    let mut window = Window::new();
    window.finish();
    let before = window.generated();
    window.harness.get_by_label("Prompt").type_text(" at night");
    window.pass(0.0);
    assert_eq!(window.request().prompt, "a red apple on a blue background at night");
    window.pass(3.0);
    assert!(window.generated() > before);
    assert_eq!(window.newest().1.prompt, "a red apple on a blue background at night");
}

#[test]
fn the_guidance_slider_is_clamped() {
    let mut window = quiet();
    let rail = window.harness.get_by_label("Guidance").rect();
    let y = rail.top() + 16.0;
    window.harness.drag_at(pos2(rail.left() + 8.0, y));
    window.pass(0.01);
    window.harness.hover_at(pos2(rail.center().x, y));
    window.pass(0.01);
    assert_eq!(window.request().guidance_scale, 1.5);
    window.harness.drop_at(pos2(rail.right() + 200.0, y));
    window.pass(0.01);
    assert_eq!(window.request().guidance_scale, 2.0);
    window.harness.get_by_label("Guidance").set_value_accesskit(7.0);
    window.pass(0.01);
    assert_eq!(window.request().guidance_scale, 2.0);
}

#[test]
fn arrow_keys_nudge_the_slider() {
    let mut window = quiet();
    window.harness.get_by_label("Guidance").focus();
    window.pass(0.01);
    press(&mut window, Key::ArrowRight);
    assert_eq!(window.request().guidance_scale, 1.05);
    press_with(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    assert_eq!(window.request().guidance_scale, 1.06);
}

#[test]
fn dice_field_and_lock_set_the_seed() {
    let mut window = quiet();
    click(&mut window, "New random seed");
    assert_eq!(window.request().seed, 1001);
    press(&mut window, Key::R);
    assert_eq!(window.request().seed, 1002);
    click(&mut window, "Next seed");
    assert_eq!(window.request().seed, 1003);
    window.harness.get_by_label("Seed").focus();
    window.pass(0.01);
    press_with(&mut window, Modifiers::COMMAND, Key::A);
    window.harness.get_by_label("Seed").type_text("42");
    window.pass(0.05);
    assert_eq!(window.request().seed, 42);
    press(&mut window, Key::Escape);
    click(&mut window, "Keep the seed when you paint again");
    assert!(window.harness.state().session().seed_locked());
}

#[test]
fn digits_choose_steps_unless_text_is_typed() {
    let mut window = quiet();
    press(&mut window, Key::Num6);
    assert_eq!(window.request().steps, 6);
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.01);
    press(&mut window, Key::Num3);
    assert_eq!(window.request().steps, 6);
    click(&mut window, "2 steps");
    assert_eq!(window.request().steps, 2);
}

#[test]
fn space_pauses_and_enter_paints() {
    let mut window = quiet();
    press(&mut window, Key::Space);
    assert!(!window.harness.state().session().is_live());
    press(&mut window, Key::R);
    window.pass(5.0);
    let before = window.generated();
    press(&mut window, Key::Enter);
    assert_eq!(window.generated(), before + 1);
}

#[test]
fn enter_in_the_prompt_paints_and_shift_enter_breaks_the_line() {
    let mut window = quiet();
    press(&mut window, Key::Space);
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.01);
    let before = window.generated();
    press_with(&mut window, Modifiers::SHIFT, Key::Enter);
    assert!(window.request().prompt.contains('\n'));
    assert_eq!(window.generated(), before);
    press(&mut window, Key::Enter);
    assert_eq!(window.generated(), before + 1);
}

#[test]
fn escape_stops() {
    let mut window = quiet();
    press(&mut window, Key::R);
    window.start();
    press(&mut window, Key::Escape);
    assert_eq!(window.double.lock().sent.last(), Some(&Command::Stop));
}

#[test]
fn a_failure_is_told_and_tried_again() {
    let mut window = quiet();
    press(&mut window, Key::R);
    window.fail(failure());
    window.harness.get_by_label("Status: Failed");
    window.harness.get_by_label("The picture could not be painted");
    let before = window.generated();
    click(&mut window, "Retry");
    assert_eq!(window.generated(), before + 1);
    window.fail(failure());
    click(&mut window, "Dismiss");
    assert!(window.harness.query_by_label("Retry").is_none());
}

#[test]
fn the_negative_prompt_is_grey_while_it_has_no_effect() {
    let mut window = quiet();
    click(&mut window, "Show negative prompt");
    let is_off = |w: &Window| w.harness.get_by_label("Negative prompt").accesskit_node().is_disabled();
    assert!(is_off(&window));
    window.harness.get_by_label("Has no effect while guidance is 1.0: no unconditional pass runs.");
    window.harness.get_by_label("Guidance").set_value_accesskit(1.5);
    window.pass(0.05);
    assert!(!is_off(&window));
    window.harness.get_by_label("Guidance (CFG): 1.50 · 2× cost");
}

#[test]
fn a_model_with_trained_guidance_brings_its_own_slider() {
    let mut window = quiet();
    click(&mut window, "Model Sticker, teacher with LCM-LoRA");
    click(&mut window, "Sticker, full LCM");
    assert_eq!(window.request().model.as_str(), "sticker-lcm");
    let slider = window.harness.get_by_label("Guidance");
    assert_eq!(slider.accesskit_node().max_numeric_value(), Some(8.0));
    window.harness.get_by_label("Guidance (trained in): 3.0 · 1× cost");
    click(&mut window, "Model Sticker, full LCM");
    click(&mut window, "Turbo, distilled");
    assert!(window.harness.get_by_label("Guidance").accesskit_node().is_disabled());
}

#[test]
fn a_model_folder_is_asked_for() {
    let mut window = quiet();
    window.double.lock().dialog = Some(fourstep_ui::Choice::Path(PathBuf::from("/models/dreamshaper-8")));
    press_with(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    let path = PathBuf::from("/models/dreamshaper-8");
    until(&mut window, "the folder is looked at", |w| w.double.lock().looked_at == [path.clone()]);
    let mut item = double::library::dream();
    item.id = path.to_string_lossy().into_owned();
    item.model = None;
    window.double.lock().seen.push_back(fourstep_ui::Seen::Item(Box::new(item)));
    until(&mut window, "the folder is inspected", |w| {
        w.double.lock().sent.iter().any(|c| matches!(c, Command::Inspect(m) if m.as_str() == "/models/dreamshaper-8"))
    });
}

#[test]
fn settings_are_undone_and_redone() {
    let mut window = quiet();
    press(&mut window, Key::R);
    window.pass(2.0);
    press_with(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(window.request().seed, 4711);
    press_with(&mut window, Modifiers::COMMAND, Key::Y);
    assert_eq!(window.request().seed, 1001);
}

#[test]
fn help_opens_and_closes() {
    let mut window = quiet();
    press(&mut window, Key::Questionmark);
    window.harness.get_by_label("Paint now; again for another seed");
    press(&mut window, Key::Escape);
    assert!(window.harness.query_by_label("Paint now; again: another seed").is_none());
}

#[test]
fn without_dialogs_pictures_are_saved_where_the_window_says() {
    let mut window = quiet();
    press_with(&mut window, Modifiers::COMMAND, Key::S);
    until(&mut window, "saved", |w| !w.double.lock().saved.is_empty());
    window.pass(0.1);
    window.harness.get_by_label("Saved to /home/me/Pictures/Fourstep/picture-4711.png");
}

#[test]
fn a_picture_that_cannot_be_saved_is_told() {
    let mut window = quiet();
    window.double.lock().dialog = Some(fourstep_ui::Choice::Path(PathBuf::from("/full/apple.png")));
    click(&mut window, "Save picture");
    until(&mut window, "told", |w| w.harness.query_by_label("The picture could not be saved").is_some());
    click(&mut window, "Dismiss");
    assert!(window.harness.query_by_label("The picture could not be saved").is_none());
}

#[test]
fn a_picture_is_copied_unless_text_is_selected() {
    let mut window = quiet();
    let copied = |w: &Window| {
        w.harness.output().platform_output.commands.iter().any(|c| matches!(c, egui::OutputCommand::CopyImage(_)))
    };
    window.harness.event(Event::Copy);
    window.harness.step();
    assert!(copied(&window));
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.1);
    window.harness.event(Event::Copy);
    window.harness.step();
    assert!(!copied(&window));
}

#[test]
fn a_saved_picture_brings_its_settings_back() {
    let mut window = quiet();
    let saved = Request { prompt: "a green pear".into(), seed: 99, ..window.request().clone() };
    window.double.lock().opened = Some(saved);
    press_with(&mut window, Modifiers::COMMAND, Key::O);
    until(&mut window, "asked", |w| w.harness.query_by_label("Path").is_some());
    window.harness.get_by_label("Path").type_text("/home/me/pear.png");
    window.pass(0.05);
    press(&mut window, Key::Enter);
    until(&mut window, "restored", |w| w.request().seed == 99);
    assert_eq!(window.request().prompt, "a green pear");
}

#[test]
fn settings_are_kept_a_moment_after_they_change() {
    let mut window = quiet();
    press(&mut window, Key::R);
    assert!(window.double.lock().settings.is_empty());
    window.pass(0.5);
    window.pass(1.0);
    assert_eq!(window.double.lock().settings.last().map(|s| s.request.seed), Some(1001));
}

#[test]
fn previews_are_offered_and_shown_and_the_picture_comes_last() {
    let mut window = Window::new();
    window.finish();
    let run = window.newest().0;
    let offered: Vec<u32> = window.double.lock().offered.iter().filter(|o| o.0 == run).map(|o| o.1).collect();
    assert_eq!(offered, [1, 2, 3, 4]);
    assert!(window.harness.state().session().metrics().first_preview_secs.is_some());
    window.harness.get_by_label("Picture of a red apple on a blue background");
}

#[test]
fn an_input_method_composes_and_its_enter_does_not_paint() {
    let mut window = quiet();
    press(&mut window, Key::Space);
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.01);
    let before = window.generated();
    window.harness.event(Event::Ime(ImeEvent::Preedit { text: "ping".into(), active_range_chars: None }));
    window.pass(0.01);
    press(&mut window, Key::Enter);
    assert_eq!(window.generated(), before);
    window.harness.event(Event::Ime(ImeEvent::Commit("蘋果".into())));
    window.pass(0.05);
    assert!(window.request().prompt.ends_with("蘋果"), "{}", window.request().prompt);
    assert_eq!(window.generated(), before);
    press(&mut window, Key::Enter);
    assert_eq!(window.generated(), before + 1);
}

#[test]
fn chinese_is_drawn_with_a_font_of_the_system_or_its_lack_is_told() {
    let mut window = quiet();
    window.harness.get_by_label("Prompt").type_text("一顆紅蘋果 りんご 사과");
    let drawn = |w: &mut Window| {
        let font = egui::FontId::proportional(14.0);
        w.harness.ctx.fonts_mut(|f| f.has_glyphs(&font, "紅蘋果りんご"))
    };
    until(&mut window, "drawn or told", |w| {
        drawn(w) || w.harness.query_by(|n| n.label().is_some_and(|l| l.starts_with("No font"))).is_some()
    });
}

#[test]
fn nothing_moves_when_states_change() {
    let mut window = quiet();
    const NAMES: [&str; 6] = ["Prompt", "Guidance", "Seed", "Paint now", "Save picture", "Keyboard shortcuts"];
    let places = |w: &Window| NAMES.map(|name| w.harness.get_by_label(name).rect());
    let idle = places(&window);
    press(&mut window, Key::R);
    window.start();
    window.step(1);
    assert!(matches!(window.harness.state().session().status(fourstep_session::Moment(1e3)), Status::Painting { .. }));
    assert_eq!(places(&window), idle, "painting");
    window.pass(1.0);
    assert_eq!(places(&window), idle, "stale");
    window.fail(failure());
    assert_eq!(places(&window), idle, "failed");
    press(&mut window, Key::Space);
    assert_eq!(places(&window), idle, "paused");
}

#[test]
fn controls_are_large_enough_and_have_names() {
    let mut window = Window::with(Look { unfolded: true, height: 1400.0, ..Look::default() });
    window.finish();
    let mut seen = 0;
    for role in
        [Role::Button, Role::RadioButton, Role::Slider, Role::ComboBox, Role::TextInput, Role::MultilineTextInput]
    {
        for node in window.harness.query_all_by_role(role) {
            let name = node.accesskit_node().label().unwrap_or_default();
            assert!(!name.is_empty(), "a {role:?} has no name");
            assert!(node.rect().height() >= 28.0, "{name} is {} high", node.rect().height());
            seen += 1;
        }
    }
    assert!(seen > 35, "{seen}");
}

#[test]
fn an_idle_window_draws_nothing() {
    let mut window = quiet();
    window.pass(2.0);
    window.pass(2.0);
    let delay = window.harness.output().viewport_output.values().map(|v| v.repaint_delay).min();
    assert!(delay.is_some_and(|d| d > Duration::from_secs(5)), "{delay:?}");
}
