//! The library in the window: the browser, and files that are dropped.

mod double;

use double::library::{self, SMALL, click, mixed, press, snapshot, with};
use double::{Look, Window};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{By, Queryable};
use fourstep_protocol::{Availability, Event, Failure, Family, ItemKind, LibraryItem, ModelRef, Sampler};
use fourstep_ui::Seen;
use std::path::PathBuf;
use std::sync::Arc;

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
    assert!(window.harness.query_by_label("Resume the download of SSD-1B").is_none());
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
