//! The library in the window: the browser, the stack of LoRAs, few steps in one click, and files that are dropped.

mod double;

use double::library::{self, lcm, lora, mixed, transferring};
use double::{Look, Window};
use egui::{Key, Modifiers, pos2};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{SnapshotOptions, kittest::By};
use fourstep_protocol::{Availability, Event, Failure, Family, ItemKind, LibraryItem, LoraReport, ModelRef, Sampler};
use fourstep_ui::Seen;
use std::path::PathBuf;
use std::sync::Arc;

const SMALL: Look = Look { width: 900.0, height: 600.0, density: 1.0, light: false, prompt: "a cat", unfolded: false };

fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

/// A window that has painted, with this library.
fn with(look: Look, items: Vec<LibraryItem>) -> Window {
    let mut window = Window::with(look);
    window.library(items);
    window.finish();
    window.pass(1.0);
    window.harness.key_press(Key::Escape);
    window.pass(0.05);
    window
}

fn click(window: &mut Window, name: &str) {
    window.harness.get_by_label(name).click();
    window.pass(0.05);
}

fn press(window: &mut Window, key: Key) {
    window.harness.key_press(key);
    window.pass(0.05);
}

/// A picture of `DreamShaper` is on the stage.
fn dreaming(look: Look, lcm: LibraryItem) -> Window {
    let mut items = mixed();
    items.retain(|item| item.id != lcm.id);
    items.push(lcm);
    let mut window = with(look, items);
    press(&mut window, Key::M);
    window.harness.get_by_label("Search").type_text("dreamshaper 8");
    window.pass(0.05);
    press(&mut window, Key::Enter);
    window.pass(1.0);
    window.finish();
    window.pass(0.3);
    window
}

#[test]
fn the_browser_shows_every_state() {
    let mut window = with(Look { prompt: "a cat", ..Look::default() }, mixed());
    press(&mut window, Key::M);
    window.pass(0.3);
    snapshot(&mut window, "browser_1280");
}

#[test]
fn the_browser_fits_a_small_light_window() {
    let mut window = with(Look { light: true, ..SMALL }, mixed());
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    window.pass(0.1);
    press(&mut window, Key::ArrowDown);
    window.pass(0.3);
    snapshot(&mut window, "browser_900_light");
}

#[test]
fn an_empty_list_says_what_to_do() {
    let mut window = with(SMALL, mixed());
    press(&mut window, Key::M);
    window.harness.get_by_label("Search").type_text("zebra");
    window.pass(0.3);
    snapshot(&mut window, "browser_nothing_found");
    press(&mut window, Key::Escape);
    assert!(window.harness.query_by_label("Search").is_none());
}

#[test]
fn items_are_found_downloaded_cancelled_and_used() {
    let mut window = with(Look::default(), mixed());
    click(&mut window, "Model Sticker, teacher with LCM-LoRA");
    click(&mut window, "All models…");
    click(&mut window, "Download SDXL Turbo");
    assert_eq!(window.double.lock().downloads, ["sdxl-turbo"]);
    click(&mut window, "Download again Stable Diffusion XL");
    click(&mut window, "Cancel the download of LCM Dreamshaper v7");
    assert_eq!(window.double.lock().cancelled, ["lcm-dreamshaper-v7"]);
    click(&mut window, "To download");
    assert!(window.harness.query_by_label("Use DreamShaper 8").is_none());
    click(&mut window, "On this computer");
    assert!(window.harness.query_by_label("Download SSD-1B").is_none());
    click(&mut window, "Only SD1.5");
    click(&mut window, "Use DreamShaper 8");
    assert_eq!(window.request().model, ModelRef::new("dreamshaper-8"));
    assert_eq!((window.request().sampler, window.request().steps), (Sampler::DpmPp2mKarras, 25));
    assert!(window.harness.query_by_label("Search").is_none(), "it closes");
}

#[test]
fn the_browser_is_led_by_keys() {
    let mut window = with(Look::default(), mixed());
    press(&mut window, Key::M);
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowDown, Key::ArrowUp, Key::Enter] {
        press(&mut window, key);
    }
    assert_eq!(window.double.lock().cancelled, ["lcm-dreamshaper-v7"], "the third row's action");
    press(&mut window, Key::ArrowUp);
    press(&mut window, Key::Enter);
    assert_eq!(window.request().model, ModelRef::new("dreamshaper-8"));
}

#[test]
fn only_rows_to_be_seen_are_laid_out() {
    let many: Vec<LibraryItem> = (0..5000)
        .map(|i| library::item(&format!("m{i}"), &format!("Model {i}"), ItemKind::Model, Family::Sd15, 1))
        .collect();
    let mut window = with(Look::default(), many);
    press(&mut window, Key::M);
    let rows = |w: &Window| w.harness.query_all(By::new().label_contains("Download Model")).count();
    assert!((6..30).contains(&rows(&window)), "{}", rows(&window));
    for _ in 0..40 {
        press(&mut window, Key::PageDown);
    }
    assert!(rows(&window) < 30);
    press(&mut window, Key::Enter);
    let asked = window.double.lock().downloads.clone();
    assert!(asked.len() == 1 && asked[0] != "m0", "{asked:?}");
}

/// `DreamShaper` with an ink LoRA at 0.7, one that is off and one of another family.
fn stacked(look: Look) -> Window {
    let mut window = dreaming(look, lcm(Availability::Ready));
    let mut items = (*window.double.lock().items).clone();
    items.push(lora("/loras/blue.safetensors", "Blueprint", Family::Sd15, &[]));
    window.library(items);
    for name in ["Ink sketch", "Blueprint"] {
        if window.harness.query_by_label("Add LoRA…").is_none() {
            click(&mut window, "Show loras");
        }
        click(&mut window, "Add LoRA…");
        click(&mut window, &format!("Add {name}"));
    }
    let pixel = Seen::Item(Box::new(lora("/loras/pixel.safetensors", "Pixel art XL", Family::Sdxl, &[])));
    window.double.lock().seen.push_back(pixel);
    window.pass(0.1);
    window.harness.get_by_label("Weight of Ink sketch").set_value_accesskit(0.7);
    window.pass(0.1);
    click(&mut window, "Switch off Blueprint");
    window.pass(1.0);
    let (run, _) = window.newest();
    let ignored = vec!["lora_te_text_model_encoder_layers_12_mlp_fc1".into()];
    let report = LoraReport { source: "/loras/ink.safetensors".into(), matched: 262, total: 264, ignored };
    window.event(Event::Merged { run, reports: vec![report] });
    window.finish();
    window.pass(1.0);
    window
}

#[test]
fn the_stack_of_loras() {
    let mut window = stacked(Look { height: 1000.0, ..Look::default() });
    snapshot(&mut window, "loras");
}

#[test]
fn the_stack_of_loras_light() {
    let mut window = stacked(Look { light: true, height: 1000.0, width: 900.0, ..Look::default() });
    snapshot(&mut window, "loras_light");
}

#[test]
fn loras_are_switched_called_up_moved_and_removed() {
    let mut window = stacked(Look { height: 1000.0, ..Look::default() });
    let order = |w: &Window| w.request().loras.iter().map(|l| (l.source.clone(), l.weight)).collect::<Vec<_>>();
    let named = |names: [(&str, f32); 3]| names.map(|(name, weight)| (format!("/loras/{name}.safetensors"), weight));
    assert_eq!(order(&window), named([("ink", 0.7), ("blue", 0.0), ("pixel", 0.0)]));
    click(&mut window, "Switch on Blueprint");
    assert_eq!(order(&window), named([("ink", 0.7), ("blue", 1.0), ("pixel", 0.0)]));
    click(&mut window, "Add inkpen to the prompt");
    assert!(window.request().prompt.ends_with(", inkpen"));
    window.harness.get_by_label("inkpen is in the prompt");
    let handle = window.harness.get_by_label("Move Blueprint").rect().center();
    let first = window.harness.get_by_label("Move Ink sketch").rect();
    window.harness.drag_at(handle);
    window.pass(0.05);
    window.harness.hover_at(pos2(handle.x, handle.y - 30.0));
    window.pass(0.05);
    window.harness.hover_at(pos2(handle.x, first.top() - 2.0));
    window.pass(0.05);
    window.harness.drop_at(pos2(handle.x, first.top() - 2.0));
    window.pass(0.05);
    assert_eq!(order(&window), named([("blue", 1.0), ("ink", 0.7), ("pixel", 0.0)]));
    window.harness.get_by_label("Move Blueprint").focus();
    window.pass(0.05);
    press(&mut window, Key::ArrowDown);
    assert_eq!(order(&window), named([("ink", 0.7), ("blue", 1.0), ("pixel", 0.0)]));
    click(&mut window, "Take Pixel art XL out of the stack");
    assert_eq!(window.request().loras.len(), 2);
}

#[test]
fn a_lora_says_how_much_of_it_fits() {
    let window = stacked(Look { height: 1000.0, ..Look::default() });
    let about = "Ink sketch: /loras/ink.safetensors, Made for SD1.5, 262 of 264 modules change the model, Without effect: \
                 lora_te_text_model_encoder_layers_12_mlp_fc1";
    window.harness.get_by_label(about);
    window.harness.get_by_label("Made for SDXL; DreamShaper 8 is SD1.5");
}

#[test]
fn an_lcm_lora_that_is_not_here_is_offered_downloaded_and_applied() {
    let mut window = dreaming(Look::default(), lcm(Availability::Absent { have_bytes: 0 }));
    click(&mut window, "Download the LCM-LoRA and paint with it");
    assert_eq!(window.double.lock().downloads, ["lcm-lora-sdv1-5"]);
    let mut items = (*window.double.lock().items).clone();
    *items.last_mut().unwrap() = lcm(transferring());
    window.library(items.clone());
    window.pass(0.3);
    snapshot(&mut window, "few_step_downloading");
    *items.last_mut().unwrap() = lcm(Availability::Ready);
    window.library(items);
    assert_eq!((window.request().sampler, window.request().steps), (Sampler::Lcm, 4));
    assert_eq!(window.request().loras[0].source, "lcm-lora-sdv1-5");
}

#[test]
fn few_steps_are_offered_in_a_quiet_line() {
    let mut window = dreaming(Look::default(), lcm(Availability::Absent { have_bytes: 0 }));
    window.harness.get_by_label("Paints in 25 steps, 4 steps with LCM-LoRA (135 MB)");
    snapshot(&mut window, "few_step_offered");
}

#[test]
fn an_lcm_lora_is_one_click() {
    let mut window = dreaming(Look { light: true, ..SMALL }, lcm(Availability::Ready));
    click(&mut window, "Paint with the LCM-LoRA: weight 1, LCM sampler, 4 steps, guidance 1.0");
    assert_eq!((window.request().sampler, window.request().steps), (Sampler::Lcm, 4));
    window.pass(1.0);
    window.finish();
    window.pass(1.0);
    snapshot(&mut window, "few_step_on_900_light");
    click(&mut window, "Switch the LCM-LoRA off; sampler, steps and guidance are as before");
    assert_eq!((window.request().sampler, window.request().steps), (Sampler::DpmPp2mKarras, 25));
    assert!(window.request().loras.is_empty());
}

fn hover(window: &mut Window, paths: &[&str]) {
    let files = paths.iter().map(|path| egui::HoveredFile { path: Some(path.into()), mime: String::new() });
    window.harness.input_mut().hovered_files = files.collect();
    window.harness.step();
}

#[test]
fn what_hovers_is_told_before_it_is_dropped() {
    let paths =
        ["/p/apple-4711.png", "/p/dreamshaper_8.safetensors", "/", "/p/old-model.ckpt", "/p/notes.txt", "/p/b.png"];
    let mut window = with(Look::default(), mixed());
    hover(&mut window, &paths);
    snapshot(&mut window, "drop_1280");
}

#[test]
fn one_file_that_hovers_over_a_small_light_window() {
    let mut window = with(Look { light: true, ..SMALL }, mixed());
    hover(&mut window, &["/p/dreamshaper_8.safetensors"]);
    snapshot(&mut window, "drop_900_light");
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it".into())
    }
}

#[test]
fn files_dropped_together_are_used_together() {
    let mut window = with(Look::default(), mixed());
    let paths = ["/m/dream.safetensors", "/loras/ink.safetensors", "/m/notes.txt"].map(PathBuf::from);
    for path in &paths {
        let file: egui::DroppedFileHandle = Arc::new(Dropped(path.clone()));
        window.harness.input_mut().dropped_files.push(file);
    }
    window.pass(0.05);
    assert_eq!(window.double.lock().looked_at, paths);
    let failure = Failure::input("notes.txt cannot be used", "it is a text", "Drop a picture, a model or a LoRA.");
    let seen = |id: &str| mixed().into_iter().find(|item| item.id == id).map(|item| Seen::Item(Box::new(item)));
    window
        .double
        .lock()
        .seen
        .extend([seen("/loras/ink.safetensors"), Some(Seen::Failed(failure))].into_iter().flatten());
    window.pass(0.05);
    assert!(window.request().loras.iter().all(|l| l.source != "/loras/ink.safetensors"), "not before all are known");
    window.double.lock().seen.extend(seen("dreamshaper-8"));
    window.pass(0.05);
    assert_eq!(window.request().model, ModelRef::new("dreamshaper-8"));
    assert_eq!(window.request().loras[0].source, "/loras/ink.safetensors");
    window.harness.get_by_label("Painting with DreamShaper 8. Ink sketch is on the stack of LoRAs");
    window.harness.get_by_label("notes.txt cannot be used");
}

#[test]
fn a_vae_of_the_library_decodes() {
    let mut items = mixed();
    let mut vae = library::item("/vae/mse.safetensors", "vae-ft-mse", ItemKind::Vae, Family::Sd15, 335_000_000);
    vae.availability = Availability::Ready;
    items.push(vae);
    let mut window = with(Look { unfolded: true, height: 1300.0, ..Look::default() }, items);
    press(&mut window, Key::M);
    click(&mut window, "Use DreamShaper 8");
    click(&mut window, "VAE Model's own");
    click(&mut window, "vae-ft-mse");
    assert_eq!(window.request().vae.as_deref(), Some("/vae/mse.safetensors"));
    click(&mut window, "VAE vae-ft-mse");
    click(&mut window, "Model's own");
    assert_eq!(window.request().vae, None);
}

#[test]
fn opening_a_large_model_can_be_cancelled() {
    let mut window = Window::with(SMALL);
    let (run, _) = window.newest();
    window.event(Event::Loading { run, what: "Stable Diffusion XL".into(), fraction: 0.4 });
    window.pass(0.2);
    click(&mut window, "Cancel opening the model");
    assert_eq!(window.double.lock().sent.last(), Some(&fourstep_protocol::Command::Stop));
}

#[test]
fn targets_of_the_browser_and_the_stack_are_large_enough_and_named() {
    let mut window = stacked(Look { height: 1000.0, ..Look::default() });
    click(&mut window, "Add LoRA…");
    use egui::accesskit::Role;
    for role in [Role::Button, Role::RadioButton, Role::Switch, Role::Slider, Role::ListBoxOption, Role::TextInput] {
        for node in window.harness.query_all_by_role(role) {
            let name = node.accesskit_node().label().unwrap_or_default();
            assert!(!name.is_empty(), "a {role:?} has no name");
            assert!(node.rect().height() >= 28.0, "{name} is {} high", node.rect().height());
        }
    }
}
