//! How the window looks: snapshots of its states and sizes.

mod double;

use double::{Look, Window};
use egui_kittest::{SnapshotOptions, kittest::Queryable};
use fourstep_protocol::{Event, Failure};

/// Text is drawn a little differently by different graphics drivers; a moved control differs by far more.
fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

fn idle(look: Look) -> Window {
    let mut window = Window::with(look);
    window.finish();
    window.pass(1.0);
    window
}

/// Leaves the prompt and presses a key, as nothing that is typed there is a shortcut; then waits.
fn press(window: &mut Window, key: egui::Key, secs: f64) {
    window.harness.key_press(egui::Key::Escape);
    window.pass(0.1);
    window.harness.key_press(key);
    window.pass(secs);
}

#[test]
fn idle_at_1280() {
    snapshot(&mut idle(Look::default()), "idle_1280");
}

#[test]
fn idle_at_900() {
    snapshot(&mut idle(Look { width: 900.0, height: 600.0, ..Look::default() }), "idle_900");
}

#[test]
fn idle_at_double_density() {
    snapshot(&mut idle(Look { density: 2.0, ..Look::default() }), "idle_2x");
}

#[test]
fn idle_light() {
    snapshot(&mut idle(Look { light: true, ..Look::default() }), "idle_light");
}

#[test]
fn everything_unfolded_with_a_long_prompt() {
    let prompt = "a small round sticker of a red apple with one green leaf, thick white border, soft shadow, on a plain blue \
                  background, flat colours, clean outline, centred, seen from the front";
    snapshot(&mut idle(Look { prompt, unfolded: true, height: 1100.0, ..Look::default() }), "unfolded");
}

#[test]
fn painting() {
    let mut window = idle(Look::default());
    press(&mut window, egui::Key::R, 1.0);
    window.start();
    window.step(1);
    window.step(2);
    snapshot(&mut window, "painting");
}

#[test]
fn stale() {
    let mut window = idle(Look::default());
    press(&mut window, egui::Key::R, 1.0);
    window.start();
    window.pass(0.6);
    snapshot(&mut window, "stale");
}

#[test]
fn failed() {
    let mut window = idle(Look::default());
    press(&mut window, egui::Key::R, 1.0);
    window.fail(Failure::machine(
        "The picture could not be painted",
        "the latents held values that are not numbers after step 2",
        "Try precision f32, or another model.",
    ));
    snapshot(&mut window, "failed");
}

#[test]
fn failed_at_900_light() {
    let mut window = Window::with(Look { width: 900.0, height: 600.0, light: true, ..Look::default() });
    window.fail(Failure::input(
        "The model could not be opened",
        "/home/me/models/dreamshaper-8/unet/diffusion_pytorch_model.safetensors ends after 1204 of 3438167540 bytes",
        "Download the file again.",
    ));
    snapshot(&mut window, "failed_900_light");
}

#[test]
fn help() {
    let mut window = idle(Look::default());
    press(&mut window, egui::Key::Questionmark, 0.5);
    snapshot(&mut window, "help");
}

#[test]
fn paused() {
    let mut window = idle(Look::default());
    press(&mut window, egui::Key::Space, 0.5);
    snapshot(&mut window, "paused");
}

#[test]
fn loading_at_first_start() {
    let mut window = Window::with(Look { width: 900.0, height: 600.0, ..Look::default() });
    let (run, _) = window.newest();
    window.event(Event::Loading { run, what: "Sticker".into(), fraction: 0.4 });
    window.pass(0.2);
    snapshot(&mut window, "loading_900");
}

#[test]
fn model_menu() {
    let mut window = idle(Look::default());
    window.harness.get_by_label("Model Sticker, teacher with LCM-LoRA").click();
    window.pass(0.5);
    snapshot(&mut window, "model_menu");
}

#[test]
fn path_dialog() {
    let mut window = idle(Look { width: 900.0, height: 600.0, ..Look::default() });
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND | egui::Modifiers::SHIFT, egui::Key::O);
    for _ in 0..200 {
        window.pass(0.01);
        if window.harness.query_by_label("Path").is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    window.pass(0.5);
    snapshot(&mut window, "path_dialog_900");
}

#[test]
fn keeping_the_first_steps() {
    let mut window = idle(Look { width: 900.0, height: 600.0, ..Look::default() });
    window.harness.get_by_label("Keep the first steps").click();
    window.pass(0.3);
    window.harness.get_by_label("The first 2 steps").click();
    window.pass(0.3);
    snapshot(&mut window, "fork_900");
}
