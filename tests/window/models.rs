//! The models people have, in the real window: one is downloaded, killed on the way and resumed, and painted with; LoRAs
//! are stacked on it; files are dragged onto the window.

use super::{
    desk::{Desk, HF_HOME, Window},
    dragging::Dragging,
    place,
};
use fourstep_gallery::Opened;
use fourstep_protocol::Request;
use recipe::GoldenFiles;
use server::{COMMIT, Fault, REPO, Server};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

#[path = "../../app/engine/tests/support/recipe.rs"]
#[allow(dead_code, reason = "the engine's own tests read more of it")]
mod recipe;
#[path = "../../app/hub/tests/hub/support/server.rs"]
#[allow(dead_code, reason = "the hub's own tests know more ways to misbehave")]
mod server;

/// Where things are in the window of 1280×800, in px.
mod at {
    /// Part of the button of the first row of the browser.
    pub(super) const FIRST_BUTTON: [u32; 4] = [984, 206, 16, 16];
    pub(super) const LIST: [u32; 4] = [190, 190, 780, 400];
    pub(super) const FIRST_ROW: [u32; 4] = [230, 190, 600, 48];
    pub(super) const SECOND_ROW: [u32; 4] = [230, 248, 600, 48];
    pub(super) const SEARCH: (i32, i32) = (500, 118);
    pub(super) const TAB: [u32; 4] = [318, 66, 20, 20];
    /// The name of the model in use.
    pub(super) const NAME: [u32; 4] = [190, 18, 120, 20];
    pub(super) const LORAS_TAB: (i32, i32) = (375, 76);
    // In the window of 1280×880, of the second LoRA of the stack.
    pub(super) const SWITCH: (i32, i32) = (50, 798);
    pub(super) const WEIGHT: (i32, i32) = (252, 836);
    pub(super) const BEYOND_WEIGHTS: (i32, i32) = (340, 836);
    pub(super) const HANDLE: (i32, i32) = (18, 798);
    pub(super) const ABOVE_THE_FIRST: (i32, i32) = (18, 676);
    pub(super) const REMOVE_FIRST: (i32, i32) = (310, 695);
}

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";
const INK: &str = "ink.safetensors";
const INK_ID: &str = "ink-sketch";

/// As a person writes it into their settings folder.
const LIST: &str = r#"
[[model]]
id = "paper-sticker"
name = "Paper Sticker"
detail = "LCM-LoRA"
licence = "MIT"
family = "custom"
native_size = { width = 256, height = 256 }
guidance = "classifier-free"

[model.live]
loras = [{ source = "sticker-lcm-lora", weight = 1.0 }]
sampler = "lcm"
steps = 4
guidance_scale = 1.0

[model.compare]
sampler = "ddim"
steps = 25
guidance_scale = 4.0

[model.source.hub]
repo = "REPO"

[model.source.hub.files]
FILES

[[lora]]
id = "ink-sketch"
name = "Ink sketch"
licence = "MIT"
source = { hub = { repo = "REPO", files = { "ink.safetensors" = 1953370 } } }
"#;

#[test]
fn a_download_survives_a_kill_and_its_model_paints_with_a_stack_of_loras() {
    let server = hub();
    let desk = Desk::new(1440, 900).with("HF_ENDPOINT", server.endpoint());
    write_list(&desk);

    let window = desk.start();
    window.settled_picture(place::PICTURE);
    look_for(&window, None, "paper");
    window.key("Return");
    window.wait_for("3 MB", || (part_bytes(&desk) > 3_000_000).then_some(()));
    window.screenshot("models-1-downloading");
    window.wait_for("5 MB", || (part_bytes(&desk) > 5_000_000).then_some(()));
    window.kill();
    let kept = part_bytes(&desk);
    assert!(kept < asset(UNET).len() as u64, "it was too quick to be killed on the way");

    let window = desk.start();
    window.settled_picture(place::PICTURE);
    look_for(&window, None, "paper");
    window.screenshot("models-2-after-the-kill");
    window.key("Return");
    window.wait_for("more of it", || (part_bytes(&desk) > kept + 2_500_000).then_some(()));
    window.screenshot("models-3-resumed");
    window.wait_for("a button to use it", || window.picture(at::FIRST_BUTTON).has_accent().then_some(()));
    assert_eq!(server.ranges(UNET), [None, Some(format!("bytes={kept}-"))], "it did not go on where it stopped");
    let there = fs::read(cache(&desk).join("snapshots").join(COMMIT).join(UNET)).expect("in the cache");
    assert!(there == asset(UNET), "the file in the cache is another one");

    window.key("Return");
    let plain = saved(&desk, &window, "of the downloaded model", |r| r.model.as_str() == "paper-sticker");
    assert_eq!(plain.request.as_ref().map(|r| r.steps), Some(4), "not by its recipe");
    window.screenshot("models-4-painted");
    stack(&desk, &window, &plain);
    window.close();
}

/// A second LoRA comes, weighs, is off and on, goes up and goes away.
fn stack(desk: &Desk, window: &Window<'_>, plain: &Opened) {
    look_for(window, Some(at::LORAS_TAB), "ink");
    window.key("Return");
    window.wait_for("a button to add it", || window.picture(at::FIRST_BUTTON).has_accent().then_some(()));
    window.screenshot("loras-1-library");
    window.key("Return");
    window.resize(1280, 880);
    let added = saved(desk, window, "with the LoRA", |r| weights(r) == [1.0, 1.0]);
    window.screenshot("loras-2-added");
    assert_eq!(sources(&added), ["sticker-lcm-lora", "ink-sketch"]);
    assert!(added.picture != plain.picture, "the LoRA has no effect");

    window.drag(at::WEIGHT, at::BEYOND_WEIGHTS);
    let heavy = saved(desk, window, "with twice the LoRA", |r| weights(r) == [1.0, 2.0]);
    window.screenshot("loras-3-weight");
    assert!(heavy.picture != added.picture, "its weight has no effect");

    window.click(at::SWITCH);
    let off =
        saved(desk, window, "without the LoRA", |r| r.loras.iter().all(|l| l.source != INK_ID || l.weight == 0.0));
    window.screenshot("loras-4-off");
    assert!(off.picture == plain.picture, "without it the picture is another one than before it came");
    window.click(at::SWITCH);
    let on = saved(desk, window, "with it again", |r| weights(r) == [1.0, 2.0]);
    assert!(on.picture == heavy.picture, "it does not come back as it was");

    window.drag(at::HANDLE, at::ABOVE_THE_FIRST);
    // The order changes no picture, so nothing is painted; what is removed next tells that it was moved.
    window.screenshot("loras-5-moved");
    window.click(at::REMOVE_FIRST);
    let gone = saved(desk, window, "without it", |r| weights(r) == [1.0]);
    assert_eq!(sources(&gone), ["sticker-lcm-lora"]);
    assert!(gone.picture == plain.picture, "removing it does not restore the picture");
}

#[test]
fn files_dragged_onto_the_window_are_used_and_what_is_none_is_told() {
    let golden = GoldenFiles::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models"));
    let desk = Desk::new(1440, 900).with("HF_HUB_OFFLINE", "1".into());
    let (model, lora, notes) =
        (desk.path("night.safetensors"), desk.path("sketch.safetensors"), desk.path("notes.txt"));
    golden.put("sd15.safetensors", &model);
    golden.put("loras/sd15_kohya.safetensors", &lora);
    fs::write(&notes, "nothing to paint with").expect("written");
    let window = desk.start();
    window.settled_picture(place::PICTURE);

    let dragging = Dragging::over(&window, place::STAGE, &[&lora, &model, &notes]);
    std::thread::sleep(Duration::from_millis(300));
    window.screenshot("drop-1-over");
    changed(&window, at::NAME, || dragging.drop_them());
    window.screenshot("drop-2-dropped");
    // Weights drawn by lot give noise, however many steps.
    window.click(place::STAGE);
    window.key("2");
    // Both are in the person's list from now on.
    let used = |r: &Request| r.model.as_str() == "night" && r.loras.iter().map(|l| l.source.as_str()).eq(["sketch"]);
    saved(&desk, &window, "of the dropped model with the dropped LoRA", used);
    window.screenshot("drop-3-used");
    window.resize(900, 600);
    window.screenshot("drop-4-small");
    window.close();
    assert!(used(&desk.settings().request), "it does not come back at the next start");
}

/// Opens the browser and leaves one item in its list. A busy machine shows late what was typed.
fn look_for(window: &Window<'_>, kind: Option<(i32, i32)>, words: &str) {
    window.click(place::STAGE);
    changed(window, at::LIST, || window.key("m"));
    if let Some(tab) = kind {
        changed(window, at::TAB, || window.click(tab));
        window.click(at::SEARCH);
    }
    window.type_text(words, 30);
    let alone = || window.picture(at::SECOND_ROW).is_plain() && !window.picture(at::FIRST_ROW).is_plain();
    window.wait_for("a single item", || alone().then_some(()));
}

/// Does something and waits until it shows.
fn changed(window: &Window<'_>, area: [u32; 4], act: impl FnOnce()) {
    let before = window.picture(area);
    act();
    window.wait_for("a change", || window.picture(area).differs_from(&before).then_some(()));
}

/// Saves pictures until one is painted as it should be: the machine may be busy.
fn saved(desk: &Desk, window: &Window<'_>, what: &str, is_so: impl Fn(&Request) -> bool) -> Opened {
    window.wait_for(&format!("a picture {what}"), || {
        std::thread::sleep(Duration::from_millis(1500));
        window.key("ctrl+s");
        let file = window.wait_for("a saved picture", || desk.saved_pictures().pop());
        let opened = fourstep_gallery::open(&file).expect("a whole picture");
        fs::remove_file(file).expect("removed");
        opened.request.as_ref().is_some_and(&is_so).then_some(opened)
    })
}

fn weights(request: &Request) -> Vec<f32> {
    request.loras.iter().map(|lora| lora.weight).collect()
}

fn sources(opened: &Opened) -> Vec<&str> {
    let request = opened.request.as_ref().expect("with its settings");
    request.loras.iter().map(|lora| lora.source.as_str()).collect()
}

fn cache(desk: &Desk) -> PathBuf {
    desk.path(HF_HOME).join("hub").join(format!("models--{}", REPO.replace('/', "--")))
}

/// How much of a file on its way is here.
fn part_bytes(desk: &Desk) -> u64 {
    let blobs = fs::read_dir(cache(desk).join("blobs")).into_iter().flatten().flatten();
    let parts = blobs.filter(|blob| blob.path().extension().is_some_and(|e| e == "incomplete"));
    parts.filter_map(|part| part.metadata().ok()).map(|part| part.len()).max().unwrap_or(0)
}

fn hub() -> Server {
    let mut files: Vec<(&str, Vec<u8>)> = FILES.iter().map(|path| (*path, asset(path))).collect();
    files.push((INK, ink()));
    let server = Server::start(&files);
    // About 3 MB/s.
    server.always(UNET, Fault::Slow);
    server
}

fn write_list(desk: &Desk) {
    let files = FILES.iter().map(|path| format!("{path:?} = {}\n", asset(path).len())).collect::<String>();
    let path = desk.path("config/fourstep/models.toml");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, LIST.replace("REPO", REPO).replace("FILES", &files)).expect("written");
}

/// A file of the model in the program.
fn asset(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sticker/teacher").join(path)).expect("an asset")
}

/// The LCM-LoRA of the program with its numbers in another order: one that changes the picture and teaches nothing.
fn ink() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sticker/lcm_lora.safetensors");
    let file = fs::read(path).expect("an asset");
    let (length, rest) = file.split_first_chunk().expect("a header");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: serde_json::Value = serde_json::from_slice(header).expect("a header");
    let mut data = data.to_vec();
    for (name, tensor) in header.as_object().expect("tensors") {
        if name.ends_with("lora_up.weight") {
            let [from, to] = [0, 1].map(|i| tensor["data_offsets"][i].as_u64().expect("an offset") as usize);
            data[from..to].reverse();
            // Two bytes to a number.
            data[from..to].chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
    }
    header["__metadata__"] = serde_json::json!({
        "modelspec.title": "Ink sketch",
        "ss_tag_frequency": r#"{"10_ink": {"ink sketch": 12, "cross-hatching": 9, "paper": 4}}"#,
    });
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
}

/// As the hub names large files.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

const FILES: [&str; 12] = [
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "unet/config.json",
    UNET,
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
];
