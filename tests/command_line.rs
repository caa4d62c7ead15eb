//! The command line on good and on bad input: what it prints, what it writes, how it ends.

use fourstep_protocol::{Request, Sampler};
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `fourstep` with these arguments, in this folder, without a display.
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_fourstep"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET")
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .output()
            .expect("the program starts")
    }

    /// Runs, expects this exit code and these words in what it says, and that it left nothing behind.
    fn refuses(&self, code: i32, words: &[&str], arguments: &[&str]) {
        let before = self.files();
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?} said {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?} should say {word:?}, said {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
        assert_eq!(self.files(), before, "{arguments:?} left something behind");
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            std::fs::read_dir(self.folder.path()).expect("readable").flatten().map(|e| e.path()).collect();
        files.sort();
        files
    }

    /// A copy of an embedded model's folder, to be damaged.
    fn model(&self, name: &str) -> PathBuf {
        let to = self.path("model");
        copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sticker").join(name), &to);
        to
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a new folder");
    for entry in std::fs::read_dir(from).expect("readable").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("exactly one JSON object on standard output")
}

#[test]
fn a_prompt_is_followed_as_it_is_written() {
    let case = Case::new();
    let folder = case.path("config/fourstep/wildcards");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("colour.txt"), "blue\n").expect("written");
    let typed = "a __colour__ (apple:1.3) # round\n<lora:none:1> __nothing__";
    let output = case.run(&["generate", "--prompt", typed, "--json", "--out", "x.png"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = json(&output);
    assert_eq!(report["request"]["prompt"], "a blue (apple:1.3) \n __nothing__");
    assert_eq!(report["request"]["typed"]["prompt"], typed);
    assert!(said.contains("no LoRA called none") && said.contains("no nothing.txt"), "{said}");
}

#[test]
fn generate_writes_picture_settings_latents_and_previews() {
    let case = Case::new();
    let arguments = "generate --seed 7 --json --out a.png --save-latents a.safetensors --previews steps --prompt";
    let mut arguments: Vec<&str> = arguments.split(' ').collect();
    arguments.push("a blue apple on a yellow background");
    let printed = json(&case.run(&arguments));
    assert_eq!(printed["seed"], 7);
    assert_eq!(printed["timings"]["step_secs"].as_array().expect("a list").len(), 4);

    let opened = fourstep_gallery::open(&case.path("a.png")).expect("a picture");
    let request: Request = opened.request.expect("its settings");
    assert_eq!(request, serde_json::from_value(printed["request"].clone()).expect("a request"));
    assert_eq!((request.steps, request.sampler), (4, Sampler::Lcm));

    let latents = std::fs::read(case.path("a.safetensors")).expect("latents");
    let latents = safetensors::SafeTensors::deserialize(&latents).expect("safetensors");
    assert_eq!(latents.tensor("latents").expect("key latents").shape(), [1, 4, 32, 32]);
    assert_eq!(std::fs::read_dir(case.path("steps")).expect("a folder").count(), 4);
}

#[test]
fn a_folder_by_path_paints_like_the_embedded_model() {
    let case = Case::new();
    let folder = case.model("lcm");
    let common = ["--prompt", "a fox", "--seed", "3", "--guidance", "4"];
    let paint = |model: &str, out: &str| {
        let arguments = [&["generate", "--json", "--model", model, "--out", out], &common[..]].concat();
        json(&case.run(&arguments));
        fourstep_gallery::open(&case.path(out)).expect("a picture").picture
    };
    let by_path = paint(folder.to_str().expect("UTF-8"), "a.png");
    assert!(by_path == paint("sticker-lcm", "b.png"));
}

#[test]
fn settings_out_of_range_are_refused_with_what_to_give_instead() {
    let case = Case::new();
    let generate = |more: &[&'static str]| [&["generate", "--prompt", "a cat", "--out", "a.png"], more].concat();
    case.refuses(2, &["multiples of 8", "104x104"], &generate(&["--size", "100x100"]));
    case.refuses(2, &["WIDTHxHEIGHT"], &generate(&["--size", "big"]));
    case.refuses(2, &["1 to 8 steps"], &generate(&["--steps", "0"]));
    case.refuses(2, &["1.0 to 2.0"], &generate(&["--guidance", "3.0"]));
    case.refuses(2, &["lcm, ddim"], &generate(&["--sampler", "magic"]));
    case.refuses(2, &["auto, cpu"], &generate(&["--backend", "magic"]));
    case.refuses(2, &["f32"], &generate(&["--precision", "f8"]));
    case.refuses(2, &["f16", "choose f32"], &generate(&["--backend", "cpu", "--precision", "f16"]));
    case.refuses(2, &["mmx", "scalar"], &generate(&["--isa", "mmx"]));
    case.refuses(2, &["only the cpu backend"], &generate(&["--backend", "candle-cpu", "--isa", "scalar"]));
    case.refuses(2, &["--prompt"], &["generate", "--out", "a.png"]);
}

#[test]
fn models_that_cannot_be_read_are_named_with_what_to_do() {
    let case = Case::new();
    let generate = |model: &str, code: i32, words: &[&str]| {
        case.refuses(code, words, &["generate", "--prompt", "a cat", "--out", "a.png", "--model", model]);
    };
    generate("no-such-model", 2, &["no-such-model"]);
    generate("/no/such/folder", 2, &["/no/such/folder"]);

    let folder = case.model("lcm");
    let model = folder.to_str().expect("UTF-8");
    let weights = folder.join("unet/diffusion_pytorch_model.safetensors");
    let whole = std::fs::read(&weights).expect("weights");

    std::fs::write(&weights, &whole[..whole.len() / 2]).expect("written");
    generate(model, 2, &["unet", "cut off"]);

    let mut damaged = whole.clone();
    let len = damaged.len();
    damaged[len - 64..].fill(0xff);
    std::fs::write(&weights, &damaged).expect("written");
    generate(model, 2, &["NaN"]);

    std::fs::write(&weights, b"<html>").expect("written");
    generate(model, 2, &["safetensors"]);

    std::fs::rename(&weights, folder.join("unet/diffusion_pytorch_model.bin")).expect("renamed");
    generate(model, 2, &["pickle"]);

    std::fs::write(folder.join("unet/config.json"), "{").expect("written");
    generate(model, 2, &["config.json"]);
    std::fs::remove_file(folder.join("model_index.json")).expect("removed");
    generate(model, 2, &["model_index.json"]);
}

#[test]
fn loras_that_cannot_be_used_are_named() {
    let case = Case::new();
    let generate = |lora: &str, words: &[&str]| {
        case.refuses(2, words, &["generate", "--prompt", "a cat", "--out", "a.png", "--lora", lora]);
    };
    generate("/no/such.safetensors", &["/no/such.safetensors"]);
    generate("sticker-lcm-lora:9", &["-2 to 2"]);
    std::fs::write(case.path("broken.safetensors"), b"12345678").expect("written");
    let broken = case.path("broken.safetensors");
    generate(broken.to_str().expect("UTF-8"), &["broken.safetensors"]);
}

#[test]
fn a_negative_prompt_without_effect_is_said() {
    let case = Case::new();
    let said = |guidance: &str| {
        let arguments =
            ["generate", "--prompt", "a cat", "--negative", "a dog", "--out", "a.png", "--guidance", guidance];
        String::from_utf8_lossy(&case.run(&arguments).stderr).into_owned()
    };
    assert!(said("1").contains("no effect"));
    assert!(!said("1.5").contains("no effect"));
}

#[test]
fn a_place_that_cannot_be_written_is_said_before_painting() {
    let case = Case::new();
    let out = "/proc/fourstep/a.png";
    case.refuses(2, &[out], &["generate", "--prompt", "a cat", "--out", out]);
    case.refuses(2, &[out], &["compare", "--prompt", "a cat", "--out", out]);
}

#[test]
fn compare_paints_both_recipes_into_one_picture() {
    let case = Case::new();
    let output = case.run(&["compare", "--prompt", "a house on a green background", "--seed", "2", "--out", "c.png"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sheet = fourstep_gallery::open(&case.path("c.png")).expect("a picture").picture;
    assert!(sheet.width() > sheet.height(), "two pictures side by side");
}

#[test]
fn the_prompt_can_come_from_standard_input() {
    use std::io::Write;
    let case = Case::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_fourstep"))
        .args(["generate", "--prompt", "-", "--seed", "7", "--out", "a.png"])
        .current_dir(case.folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all("a dog\n".as_bytes()).expect("written");
    assert!(child.wait().expect("it ends").success());
    let opened = fourstep_gallery::open(&case.path("a.png")).expect("a picture");
    assert_eq!(opened.request.expect("its settings").prompt, "a dog");
}

#[test]
fn without_a_display_the_window_says_what_is_missing() {
    Case::new().refuses(1, &["display", "fourstep generate"], &[]);
}

#[test]
fn bench_measures_every_part() {
    let case = Case::new();
    let printed = json(&case.run(&["bench", "--runs", "2", "--json"]));
    let text = printed.to_string();
    for figure in ["load_secs", "text_secs", "step_secs", "decode_secs", "run_secs", "preview", "cancel", "memory"] {
        assert!(text.contains(figure), "no figure for {figure} in {text}");
    }
}

#[test]
fn models_are_listed_added_and_looked_into() {
    let case = Case::new();
    let listed = json(&case.run(&["models", "--json"]));
    let items = listed["items"].as_array().expect("a list");
    let state = |id: &str| &items.iter().find(|item| item["id"] == id).expect("listed")["availability"];
    assert_eq!(state("sticker"), "ready");
    assert_eq!(state("dreamshaper-8")["absent"]["have_bytes"], 0);

    let folder = case.model("lcm");
    let added = case.run(&["models", "add", folder.to_str().expect("UTF-8"), "--name", "My Stickers"]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert_eq!(String::from_utf8_lossy(&added.stdout).trim(), "my-stickers");
    let table = String::from_utf8_lossy(&case.run(&["models", "list"]).stdout).into_owned();
    assert!(table.lines().any(|line| line.starts_with("my-stickers") && line.contains("ready")), "{table}");

    let details = json(&case.run(&["models", "inspect", "my-stickers", "--json"]));
    assert_eq!((&details["prediction"], &details["networks"][0]["part"]), (&"epsilon".into(), &"U-Net".into()));
    let fit = json(&case.run(&["models", "inspect", "sticker-lcm-lora", "--model", "sticker", "--json"]));
    assert_eq!(fit["report"]["matched"], fit["report"]["total"]);
    assert_eq!(fit["few_step"], true);

    case.refuses(2, &["models download dreamshaper-8"], &["generate", "--prompt", "x", "--model", "dreamshaper-8"]);
    case.refuses(2, &["/no/such/file"], &["models", "add", "/no/such/file"]);
}

#[test]
fn an_lcm_lora_by_path_brings_its_sampler() {
    let case = Case::new();
    let folder = case.model("teacher");
    let lora = case.path("lcm.safetensors");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sticker/lcm_lora.safetensors");
    std::fs::copy(from, &lora).expect("copied");
    let style = format!("{}:0.3", case.path("style.safetensors").display());
    std::fs::copy(&lora, case.path("style.safetensors")).expect("copied");
    let (folder, lora) = (folder.to_str().expect("UTF-8"), lora.to_str().expect("UTF-8"));
    let common =
        ["generate", "--model", folder, "--lora", lora, "--prompt", "a fox", "--seed", "1", "--json", "--out", "a.png"];
    let printed = json(&case.run(&[&common[..], &["--guidance", "1.5", "--lora", &style]].concat()));
    let request = &printed["request"];
    assert_eq!((&request["sampler"], &request["steps"]), (&"lcm".into(), &4.into()));
    assert_eq!(request["loras"][1]["weight"].as_f64().map(|weight| (weight * 10.0).round()), Some(3.0));
    assert_eq!(printed["loras"][0]["matched"], printed["loras"][0]["total"]);
    let printed = json(&case.run(&[&common[..], &["--sampler", "euler", "--steps", "5"]].concat()));
    assert_eq!((&printed["request"]["sampler"], &printed["request"]["steps"]), (&"euler".into(), &5.into()));
}

/// Writes a picture of one colour, and gives its path.
fn picture(case: &Case, name: &str, (width, height): (u32, u32), color: impl Fn(u32, u32) -> [u8; 3]) -> String {
    let path = case.path(name);
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb(color(x, y))).save(&path).expect("written");
    path.to_string_lossy().into_owned()
}

fn opened(path: &Path) -> image::RgbImage {
    image::open(path).expect("a picture").into_rgb8()
}

#[test]
fn a_part_is_painted_and_the_rest_stays_to_the_bit() {
    let case = Case::new();
    let init = picture(&case, "init.png", (128, 136), |x, y| [x as u8, y as u8, 77]);
    let mask = picture(&case, "mask.png", (128, 136), |x, _| if x < 48 { [255; 3] } else { [0; 3] });
    let output = case.run(&[
        "generate",
        "--prompt",
        "a cat",
        "--init",
        &init,
        "--mask",
        &mask,
        "--feather",
        "8",
        "--out",
        "out.png",
        "--json",
    ]);
    let report = json(&output);
    assert_eq!(report["request"]["init"]["mask"].as_str(), Some(mask.as_str()));
    let (old, new) = (opened(Path::new(&init)), opened(&case.path("out.png")));
    assert_eq!(new.dimensions(), (128, 136));
    let changed = |x: u32| (0..136).any(|y| old.get_pixel(x, y) != new.get_pixel(x, y));
    assert!((0..48).all(changed) && !(57..128).any(changed));
}

#[test]
fn a_picture_is_enlarged_on_the_sides_asked_for() {
    let case = Case::new();
    let init = picture(&case, "init.png", (100, 96), |x, y| [x as u8 * 2, y as u8 * 2, 77]);
    let output =
        case.run(&["generate", "--prompt", "a cat", "--init", &init, "--outpaint", "0,0,64,0", "--out", "out.png"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (old, new) = (opened(Path::new(&init)), opened(&case.path("out.png")));
    assert_eq!(new.dimensions(), (168, 96), "164 is no multiple of 8");
    // All but the overlap, which is painted anew too.
    assert!((0..60).all(|x| (0..96).all(|y| old.get_pixel(x, y) == new.get_pixel(x, y))));
}

#[test]
fn masks_that_do_not_fit_are_refused() {
    let case = Case::new();
    let init = picture(&case, "init.png", (64, 64), |_, _| [9; 3]);
    let small = picture(&case, "small.png", (64, 32), |_, _| [255; 3]);
    let black = picture(&case, "black.png", (64, 64), |_, _| [0; 3]);
    let with = |mask: &str, words: &[&str]| {
        case.refuses(2, words, &["generate", "--prompt", "x", "--init", &init, "--mask", mask]);
    };
    with(&small, &["64x32", "64x64"]);
    with(&black, &["mask is empty"]);
    with("none.png", &["there is no such file"]);
    for (margins, word) in
        [("1,2", "LEFT,TOP,RIGHT,BOTTOM"), ("0,0,0,0", "nothing is added"), ("2048,0,2047,0", "4096")]
    {
        case.refuses(2, &[word], &["generate", "--prompt", "x", "--init", &init, "--outpaint", margins]);
    }
    case.refuses(2, &["--init"], &["generate", "--prompt", "x", "--mask", &init]);
}

#[test]
fn a_picture_is_painted_larger_with_its_own_settings() {
    let case = Case::new();
    assert!(case.run(&["generate", "--prompt", "a red fox", "--out", "small.png"]).status.success());
    let output = case.run(&["upscale", "small.png", "--out", "large.png", "--scale", "2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (small, large) = (opened(&case.path("small.png")), opened(&case.path("large.png")));
    assert_eq!(large.dimensions(), (small.width() * 2, small.height() * 2));
    let mean = |p: &image::RgbImage| p.as_raw().iter().map(|v| f64::from(*v)).sum::<f64>() / p.as_raw().len() as f64;
    assert!((mean(&small) - mean(&large)).abs() < 12.0, "{} {}", mean(&small), mean(&large));
    case.refuses(2, &["scale"], &["upscale", "small.png", "--scale", "1"]);
    case.refuses(2, &["strength"], &["upscale", "small.png", "--strength", "0"]);
    case.refuses(2, &["there is no such file"], &["upscale", "none.png"]);
}
