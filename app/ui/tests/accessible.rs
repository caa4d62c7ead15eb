//! Every page for somebody who does not see the window or has no mouse: each control has a name and a role, and the
//! Tab key comes to it.

mod double;

use accesskit_consumer::FilterResult;
use double::library::{click, mixed, press};
use double::{Look, Window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use fourstep_protocol::Failure;
use fourstep_ui::LogEntry;
use std::collections::BTreeMap;

/// Controls by their id, with what they are called.
type Controls = BTreeMap<String, String>;

fn window(look: Look) -> Window {
    let mut window = Window::with(look);
    window.library(mixed());
    window.finish();
    window.pass(1.0);
    window
}

/// Whatever the keyboard can be on.
fn controls(window: &Window, page: &str) -> Controls {
    let mut controls = Controls::new();
    for node in window.harness.root().children_recursive() {
        let node = node.accesskit_node();
        if !node.is_focusable(&|_| FilterResult::Include) || node.is_disabled() {
            continue;
        }
        let (role, label) = (node.role(), node.label().unwrap_or_default());
        assert!(!label.trim().is_empty(), "{page}: a {role:?} has no name");
        assert!(!matches!(role, Role::Unknown | Role::GenericContainer), "{page}: {label} has no role");
        controls.insert(format!("{:?}", node.id()), label);
    }
    controls
}

/// Fails if Tab, pressed again and again, leaves one of these out.
fn assert_reached(window: &mut Window, page: &str, mut wanted: Controls) {
    assert!(!wanted.is_empty(), "{page}");
    for _ in 0..3 * wanted.len() + 20 {
        window.harness.key_press(Key::Tab);
        window.harness.run_steps(2);
        let focused = window.harness.root().children_recursive().find(|node| node.accesskit_node().is_focused());
        if let Some(node) = focused {
            wanted.remove(&format!("{:?}", node.accesskit_node().id()));
        }
        if wanted.is_empty() {
            return;
        }
    }
    panic!("{page}: Tab does not come to {:?}", wanted.values().collect::<Vec<_>>());
}

/// The whole window, from the prompt on.
fn check(window: &mut Window, page: &str) {
    let all = controls(window, page);
    window.harness.get_by_label("Prompt").focus();
    window.pass(0.05);
    assert_reached(window, page, all);
}

/// What came when something was opened over the window.
fn check_over(window: &mut Window, page: &str, open: impl FnOnce(&mut Window)) {
    let before = controls(window, page);
    open(window);
    window.pass(0.3);
    let mut new = controls(window, page);
    new.retain(|id, _| !before.contains_key(id));
    assert_reached(window, page, new);
    press(window, Key::Escape);
    press(window, Key::Escape);
}

#[test]
fn the_window_in_each_state() {
    let mut window = window(Look { unfolded: true, height: 1500.0, ..Look::default() });
    check(&mut window, "idle");
    for tab in fourstep_session::Tab::ALL {
        press(&mut window, Key::Escape);
        press(&mut window, Key::Tab);
        window.pass(0.3);
        check(&mut window, &format!("after {tab:?}"));
    }
    press(&mut window, Key::Escape);
    press(&mut window, Key::R);
    window.start();
    window.step(1);
    check(&mut window, "painting");
    window.fail(Failure::machine("The picture could not be painted", "no more memory", "Close other programs."));
    check(&mut window, "failed");
}

#[test]
fn what_lies_over_the_window() {
    let mut window = window(Look::default());
    window.double.lock().log =
        vec![LogEntry { at_ms: 1, level: log::Level::Warn, target: "fourstep".into(), text: "a note".into() }];
    press(&mut window, Key::Escape);
    check_over(&mut window, "help", |w| press(w, Key::Questionmark));
    check_over(&mut window, "preferences", |w| click(w, "Preferences"));
    check_over(&mut window, "shortcuts", |w| {
        click(w, "Preferences");
        w.pass(0.2);
        click(w, "Shortcuts");
    });
    check_over(&mut window, "devices", |w| {
        click(w, "Preferences");
        w.pass(0.2);
        click(w, "Computing");
    });
    check_over(&mut window, "log", |w| {
        press(w, Key::Questionmark);
        w.pass(0.2);
        click(w, "Show log");
    });
    check_over(&mut window, "first page", |w| {
        press(w, Key::Questionmark);
        w.pass(0.2);
        click(w, "First page");
    });
    check_over(&mut window, "browser", |w| press(w, Key::M));
    check_over(&mut window, "path", |w| {
        w.harness.key_press_modifiers(Modifiers::COMMAND, Key::O);
        for _ in 0..200 {
            w.pass(0.01);
            if w.harness.query_by_label("Path").is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
    check_over(&mut window, "models", |w| {
        w.harness.get_by_label("Model Sticker, teacher with LCM-LoRA").focus();
        w.pass(0.1);
        press(w, Key::Enter);
    });
}

#[test]
fn the_first_start() {
    let mut window = Window::with(Look { fresh: true, ..Look::default() });
    window.finish();
    controls(&window, "first start");
}
