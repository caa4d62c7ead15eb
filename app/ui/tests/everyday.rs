//! What lies over the window: first page, preferences, shortcuts, log.

mod double;

use double::library::{click, press};
use double::{Look, Window};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use fourstep_protocol::Failure;
use fourstep_session::{Language, ThemeChoice};
use fourstep_ui::LogEntry;

fn quiet(look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.pass(1.0);
    press(&mut window, Key::Escape);
    window
}

fn preferences() -> Window {
    let mut window = quiet(Look::default());
    click(&mut window, "Preferences");
    window.pass(0.2);
    window
}

fn has(window: &Window, label: &str) -> bool {
    window.harness.query_by_label(label).is_some()
}

#[test]
fn the_first_page_comes_once_and_its_examples_are_painted() {
    let mut window = Window::with(Look { fresh: true, ..Look::default() });
    assert!(has(&window, "Welcome to Fourstep"));
    click(&mut window, "an orange fox on a teal background");
    window.pass(0.1);
    assert_eq!(window.request().prompt, "an orange fox on a teal background");
    assert!(!has(&window, "Welcome to Fourstep"));
    assert!(window.harness.state().session().settings().ui.welcomed);
    let mut window = Window::with(Look { fresh: true, ..Look::default() });
    click(&mut window, "Surprise me");
    window.pass(0.1);
    let surprise = window.request().prompt.clone();
    assert!(surprise != fourstep_session::SAMPLE_PROMPT && surprise.contains(' '), "{surprise}");
    assert!(!has(&window, "Welcome to Fourstep"));
    click(&mut window, "Surprise me with a prompt");
    window.pass(0.1);
    assert!(window.request().prompt != surprise);
    let mut window = Window::with(Look { fresh: true, ..Look::default() });
    press(&mut window, Key::Escape);
    assert!(!has(&window, "Welcome to Fourstep"));
    assert!(window.harness.state().session().settings().ui.welcomed);
    assert!(!has(&quiet(Look::default()), "Welcome to Fourstep"));
}

#[test]
fn language_theme_and_letters_change_at_once_and_are_kept() {
    let mut window = preferences();
    click(&mut window, "繁體中文");
    window.pass(0.1);
    assert!(window.harness.query_all_by_label("偏好設定").count() > 0);
    click(&mut window, "淺色");
    window.pass(0.1);
    window.harness.get_by_label("文字大小").set_value_accesskit(120.0);
    window.pass(0.1);
    window.pass(0.1);
    let ui = &window.harness.state().session().settings().ui;
    assert_eq!((ui.language, ui.theme), (Language::TraditionalChinese, ThemeChoice::Light));
    assert_eq!(ui.letters.percent(), 120);
    assert_eq!(window.harness.ctx.zoom_factor(), 1.2);
    press(&mut window, Key::Escape);
    window.harness.get_by_label("提示詞");
    window.pass(2.0);
    window.pass(2.0);
    let kept = window.double.lock().settings.last().cloned().expect("kept");
    assert_eq!(kept.ui.language, Language::TraditionalChinese);
}

#[test]
fn letters_grow_and_shrink_with_keys() {
    let mut window = quiet(Look::default());
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Plus);
    window.pass(0.1);
    assert_eq!(window.harness.ctx.zoom_factor(), 1.1);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Minus);
    window.pass(0.1);
    assert_eq!(window.harness.ctx.zoom_factor(), 1.0);
}

#[test]
fn a_shortcut_is_changed_its_conflict_is_told_and_it_is_reset() {
    let mut window = preferences();
    click(&mut window, "Shortcuts");
    window.pass(0.1);
    click(&mut window, "Change the keys of “New random seed”");
    window.pass(0.1);
    press(&mut window, Key::L);
    window.pass(0.1);
    assert!(has(&window, "New random seed · same keys as “Keep the seed”"));
    click(&mut window, "Change the keys of “New random seed”");
    window.pass(0.1);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    window.pass(0.1);
    press(&mut window, Key::Escape);
    let seed = window.request().seed;
    press(&mut window, Key::R);
    assert_eq!(window.request().seed, seed, "R is free now");
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    window.pass(0.1);
    assert_ne!(window.request().seed, seed);
    click(&mut window, "Preferences");
    window.pass(0.1);
    click(&mut window, "Shortcuts");
    window.pass(0.1);
    click(&mut window, "Original keys for all");
    window.pass(0.1);
    assert!(window.harness.state().session().settings().ui.shortcuts.is_empty());
}

#[test]
fn escape_ends_the_waiting_for_keys_first() {
    let mut window = preferences();
    click(&mut window, "Shortcuts");
    window.pass(0.1);
    click(&mut window, "Change the keys of “New random seed”");
    window.pass(0.1);
    press(&mut window, Key::Escape);
    assert!(has(&window, "Change the keys of “New random seed”"));
    press(&mut window, Key::Escape);
    assert!(!has(&window, "Change the keys of “New random seed”"));
}

#[test]
fn the_log_opens_from_a_failure_and_is_filtered_and_copied() {
    let mut window = quiet(Look::default());
    let note = |level, text: &str| LogEntry { at_ms: 12_345, level, target: "fourstep_hub".into(), text: text.into() };
    window.double.lock().log =
        vec![note(log::Level::Warn, "a cache was cold"), note(log::Level::Error, "no more memory")];
    press(&mut window, Key::R);
    window.fail(Failure::machine("The picture could not be painted", "no more memory", "Close other programs."));
    click(&mut window, "Show log");
    window.pass(0.2);
    assert!(has(&window, "12.345 s Warning a cache was cold"));
    click(&mut window, "Errors");
    window.pass(0.1);
    assert!(!has(&window, "12.345 s Warning a cache was cold") && has(&window, "12.345 s Error no more memory"));
    window.harness.get_by_label("Copy what is listed").click();
    window.harness.step();
    let commands = &window.harness.output().platform_output.commands;
    let copied = commands.iter().any(|command| match command {
        egui::OutputCommand::CopyText(text) => text == "    12.345 ERROR fourstep_hub: no more memory\n",
        _ => false,
    });
    assert!(copied, "{commands:?}");
}

#[test]
fn the_help_shows_the_keys_as_they_are() {
    let mut window = quiet(Look::default());
    press(&mut window, Key::Questionmark);
    window.pass(0.2);
    for text in ["New line in the prompt", "Preferences", "Show log", "First page"] {
        assert!(window.harness.query_all_by_label(text).count() > 0, "{text}");
    }
    let heading = window.harness.get_all_by_label("Keyboard shortcuts").last().expect("the help");
    assert!(!heading.accesskit_node().is_hidden());
}

#[test]
fn finished_pictures_are_recorded_and_saved() {
    let mut window = quiet(Look::default());
    click(&mut window, "Record finished pictures");
    for _ in 0..3 {
        press(&mut window, Key::R);
        window.finish();
    }
    click(&mut window, "End the recording and save its 3 pictures");
    let began = std::time::Instant::now();
    while window.double.lock().recorded.is_empty() && began.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let recorded = window.double.lock().recorded.clone();
    let seed = window.request().seed;
    assert_eq!(recorded, [(format!("/home/me/Pictures/Fourstep/picture-{seed}.gif").into(), 3)]);
    assert!(has(&window, "Record finished pictures"));
}
