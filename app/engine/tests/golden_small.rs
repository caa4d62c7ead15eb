//! Whole runs of small random models against diffusers (`tests/golden/pipeline/make_small.py`): what the embedded models
//! do not have. `AutoencoderKL`, SDXL's conditioning, v-prediction, half-precision variants and shards.

#[path = "support/exact.rs"]
mod exact;
#[path = "support/relative_l2.rs"]
mod relative_l2;
mod support;

use exact::exact_engines;
use fourstep_catalog::Catalog;
use fourstep_engine::Engine;
use fourstep_protocol::{Event, Init, ModelRef, Picture, Request, Sampler, Size};
use relative_l2::relative_l2;
use std::path::Path;
use support::{golden_copy, golden_folder, paint};
use tempfile::TempDir;

/// Latents within this relative L2 error of diffusers', f32 on both sides.
const BOUND: f64 = 1e-3;
/// The image crate's Lanczos filter rounds elsewhere than Pillow's, which shows in single pixels by 1 in 255.
const RESIZED_BOUND: f64 = 2e-3;
const PROMPT: &str = "a blue apple on a yellow background";

#[test]
fn stable_diffusion_with_a_full_autoencoder() {
    let lcm = Request { seed: 7, ..request(&golden_folder("sd")) };
    let guided = Request { guidance_scale: 1.5, ..lcm.clone() };
    let ddim = Request { sampler: Sampler::Ddim, ..lcm.clone() };
    let from_picture = Request { steps: 8, guidance_scale: 3.0, ..ddim.clone() };
    let negative = String::from("a green background");
    check(&[
        ("sd_lcm_4", lcm.clone()),
        ("sd_lcm_4_cfg", Request { seed: 8, ..guided.clone() }),
        (
            "sd_lcm_4_cfg_negative_odd",
            Request { size: Size::new(72, 104), negative_prompt: negative.clone(), ..guided.clone() },
        ),
        ("sd_lcm_1", Request { prompt: String::new(), steps: 1, ..lcm.clone() }),
        ("sd_ddim_6_negative", Request { steps: 6, guidance_scale: 5.0, negative_prompt: negative.clone(), ..ddim }),
        ("sd_lcm_4_init", Request { size: Size::new(64, 72), init: gradient(64, 72, 0.5), ..lcm }),
        (
            "sd_lcm_4_init_cfg",
            Request { size: Size::new(64, 72), init: gradient(64, 72, 0.5), negative_prompt: negative, ..guided },
        ),
        ("sd_ddim_8_init", Request { size: Size::new(72, 64), init: gradient(72, 64, 0.6), ..from_picture.clone() }),
        ("sd_ddim_8_init_resized", Request { init: gradient(50, 80, 0.6), ..from_picture }),
    ]);
}

#[test]
fn v_prediction() {
    let config = "scheduler/scheduler_config.json";
    let folder = changed("sd", config, "\"prediction_type\": \"epsilon\"", "\"prediction_type\": \"v_prediction\"");
    let lcm = Request { seed: 7, guidance_scale: 1.5, ..request(folder.path()) };
    let ddim = Request { sampler: Sampler::Ddim, steps: 6, guidance_scale: 5.0, ..lcm.clone() };
    check(&[("v_lcm_4_cfg", lcm), ("v_ddim_6", ddim)]);
}

#[test]
fn sdxl() {
    let lcm = Request { seed: 7, ..request(&golden_folder("sdxl")) };
    let guided = Request { guidance_scale: 1.5, ..lcm.clone() };
    let euler = Request { sampler: Sampler::Euler, steps: 6, guidance_scale: 5.0, ..lcm.clone() };
    let negative = String::from("a green background");
    check(&[
        ("sdxl_lcm_4", lcm.clone()),
        ("sdxl_lcm_4_cfg_zeros", Request { seed: 8, ..guided.clone() }),
        (
            "sdxl_lcm_4_cfg_negative_odd",
            Request { size: Size::new(72, 104), negative_prompt: negative.clone(), ..guided },
        ),
        ("sdxl_euler_6", euler.clone()),
        ("sdxl_lcm_4_init", Request { size: Size::new(64, 72), init: gradient(64, 72, 0.5), ..lcm }),
        (
            "sdxl_euler_8_init_negative",
            Request {
                size: Size::new(72, 64),
                steps: 8,
                guidance_scale: 3.0,
                init: gradient(72, 64, 0.6),
                negative_prompt: negative,
                ..euler
            },
        ),
    ]);
}

#[test]
fn an_empty_negative_prompt_of_sdxl_is_zeros_unless_the_model_says_otherwise() {
    let says = "\"force_zeros_for_empty_prompt\": true,";
    let silent = changed("sdxl", "model_index.json", says, "");
    let no = changed("sdxl", "model_index.json", says, &says.replace("true", "false"));
    let guided = |folder: &TempDir| Request { seed: 8, guidance_scale: 1.5, ..request(folder.path()) };
    check(&[("sdxl_lcm_4_cfg_zeros", guided(&silent)), ("sdxl_lcm_4_cfg_encoded", guided(&no))]);
}

/// Paints each on each backend and compares latents, and pictures where there are golden ones.
fn check<const N: usize>(cases: &[(&str, Request); N]) {
    let catalog = Catalog::builtin();
    let engines = exact_engines(&catalog);
    let beyond: Vec<_> = engines.flat_map(|(backend, engine)| beyond(backend, &engine, cases)).collect();
    assert!(beyond.is_empty(), "beyond {BOUND} or off by more than 1:\n{}", beyond.join("\n"));
}

/// What is too far from the golden one.
#[expect(clippy::print_stdout, reason = "the errors reached are worth reading")]
fn beyond(backend: &str, engine: &Engine, cases: &[(&str, Request)]) -> Vec<String> {
    let golden = std::fs::read(golden_folder("small.safetensors")).expect("small.safetensors");
    let golden = safetensors::SafeTensors::deserialize(&golden).expect("safetensors");
    let mut beyond = Vec::new();
    for (run, (name, request)) in cases.iter().enumerate() {
        let finished = match paint(engine, run as u64 + 1, request.clone()).pop() {
            Some(Event::Finished(finished)) => finished,
            other => panic!("{name}: {other:?}"),
        };
        let latents = golden.tensor(name).expect("golden latents");
        assert_eq!(latents.shape(), finished.latents.shape());
        let error = relative_l2(latents.data(), &finished.latents.data);
        let bound = if name.ends_with("resized") { RESIZED_BOUND } else { BOUND };
        let picture = golden.tensor(&format!("{name}.rgb")).ok();
        let off = picture.map(|picture| largest_difference(picture.data(), finished.picture.rgb()));
        let found = format!("{name} on {backend}: relative L2 {error:.2e}, bytes off by {off:?}");
        println!("{found}");
        if error.is_nan() || error > bound || off.is_some_and(|off| off > 1) {
            beyond.push(found);
        }
    }
    beyond
}

fn request(folder: &Path) -> Request {
    let info = Catalog::builtin().inspect(&ModelRef::new(folder.to_string_lossy())).expect("a model");
    let request = Request::new(&info, PROMPT);
    assert_eq!((request.sampler, request.steps, request.size), (Sampler::Lcm, 4, Size::new(64, 64)));
    request
}

/// A copy of a golden model with a text in one of its files changed.
fn changed(name: &str, file: &str, from: &str, to: &str) -> TempDir {
    let copy = golden_copy(name);
    let path = copy.path().join(file);
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(path, text.replace(from, to)).expect("written");
    copy
}

/// The picture that `make_small.py` starts from.
fn gradient(width: u32, height: u32, strength: f32) -> Option<Init> {
    let pixel = |y: u32, x: u32| [(x * 3) as u8, (y * 3) as u8, (x + y) as u8];
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(y, x))).collect();
    Some(Init::new(Picture::new(width, height, rgb).expect("a picture"), strength))
}

fn largest_difference(golden: &[u8], ours: &[u8]) -> u8 {
    assert_eq!(golden.len(), ours.len());
    golden.iter().zip(ours).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}
