//! Whole runs of every family, file format and LoRA format against diffusers (`tests/golden/models/make.py`).

#[path = "support/exact.rs"]
mod exact;
#[path = "support/paint.rs"]
mod paint;
#[path = "support/recipe.rs"]
mod recipe;
#[path = "support/relative_l2.rs"]
mod relative_l2;

use exact::exact_engines;
use fourstep_catalog::{Catalog, Places};
use fourstep_engine::Engine;
use fourstep_protocol::{Event, Finished, ModelRef, Request};
use paint::paint;
use recipe::GoldenFiles;
use relative_l2::relative_l2;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// Final latents within this relative L2 error of diffusers', f32 on both sides.
const BOUND: f64 = 1e-5;
/// Karras' last sigmas are so near zero that what is predicted as v differs in more digits.
const FARTHER: (&str, f64) = ("sd2_dpmpp-2m-karras", 1e-4);
/// The same for networks of full size, whose sums are longer.
const FULL_SIZE_BOUND: f64 = 1e-3;
/// Models, LoRAs, runs.json and runs.safetensors, made by `make.py --seed N --out FOLDER`.
const OTHER: &str = "FOURSTEP_GOLDEN_MODELS";
/// The same, made by `tests/golden/full_size/make.py FOLDER`.
const FULL_SIZE: &str = "FOURSTEP_FULL_SIZE";

/// A line of runs.json.
#[derive(Deserialize)]
struct Run {
    name: String,
    /// A folder or a file.
    model: String,
    /// A [`Request`] without its model, with LoRAs by their place in the golden folder.
    request: Value,
}

#[test]
fn sd15_with_loras_and_without() {
    check(&golden(), &["sd15"], BOUND);
}

#[test]
fn full_lcm() {
    check(&golden(), &["lcm"], BOUND);
}

#[test]
fn sd2_and_sd_turbo() {
    check(&golden(), &["sd2", "sd-turbo"], BOUND);
}

#[test]
fn sdxl_with_loras_and_without() {
    check(&golden(), &["sdxl"], BOUND);
}

#[test]
fn lcm_sdxl_and_sdxl_turbo() {
    check(&golden(), &["lcm-sdxl", "sdxl-turbo"], BOUND);
}

/// A base in the Hugging Face cache, with the U-Net and the autoencoder of two other repositories.
#[test]
fn lcm_sdxl_by_its_id() {
    let files = GoldenFiles::new(golden());
    let cache = tempfile::tempdir().expect("a temporary folder");
    let snapshot = |repo: &str| cache.path().join(format!("models--{}/snapshots/0", repo.replace('/', "--")));
    files.put("sdxl", &snapshot("stabilityai/stable-diffusion-xl-base-1.0"));
    files.put("lcm-sdxl/unet", &snapshot("latent-consistency/lcm-sdxl"));
    files.put("sdxl/vae", &snapshot("madebyollin/sdxl-vae-fp16-fix"));
    let catalog = Catalog::at(Places { cache: Some(cache.path().into()), ..Places::default() });
    let runs = runs(&files);
    let run = runs.iter().find(|run| run.name == "lcm-sdxl_8").expect("the run");
    let request = Request { model: ModelRef::new("lcm-sdxl"), ..request(&files, run) };
    check_requests(&files, &catalog, &[(&run.name, request)], BOUND);
}

#[test]
fn ssd_1b_with_loras_and_without() {
    check(&golden(), &["ssd-1b"], BOUND);
}

#[test]
fn single_files_of_sd15_and_sd2() {
    check(&golden(), &["sd15.safetensors", "sd2.safetensors"], BOUND);
}

#[test]
fn single_files_of_sdxl_and_ssd_1b() {
    check(&golden(), &["sdxl.safetensors", "ssd-1b.safetensors"], BOUND);
}

#[test]
#[ignore = "needs FOURSTEP_GOLDEN_MODELS, see tests/golden/models/make.py"]
fn models_with_other_weights() {
    check(&named_by(OTHER), &[], BOUND);
}

#[test]
#[ignore = "needs FOURSTEP_FULL_SIZE, see tests/golden/full_size/make.py"]
fn full_size_models() {
    check(&named_by(FULL_SIZE), &[], FULL_SIZE_BOUND);
}

/// Paints the runs of these models (none: of all) and compares latents.
fn check(root: &Path, models: &[&str], bound: f64) {
    let files = GoldenFiles::new(root.into());
    let runs = runs(&files);
    let chosen = runs.iter().filter(|run| models.is_empty() || models.contains(&run.model.as_str()));
    let requests: Vec<_> = chosen.map(|run| (run.name.as_str(), request(&files, run))).collect();
    check_requests(&files, &Catalog::builtin(), &requests, bound);
}

fn check_requests(files: &GoldenFiles, catalog: &Catalog, requests: &[(&str, Request)], bound: f64) {
    assert!(!requests.is_empty(), "there are runs");
    let engines = exact_engines(catalog);
    let beyond = engines.flat_map(|(backend, engine)| beyond(files, catalog, backend, &engine, requests, bound));
    let beyond: Vec<_> = beyond.collect();
    assert!(beyond.is_empty(), "beyond {bound}:\n{}", beyond.join("\n"));
}

/// What is too far from the golden one.
#[expect(clippy::print_stdout, reason = "the errors reached are worth reading")]
fn beyond(
    files: &GoldenFiles,
    catalog: &Catalog,
    backend: &str,
    engine: &Engine,
    requests: &[(&str, Request)],
    bound: f64,
) -> Vec<String> {
    let golden = files.read("runs.safetensors");
    let golden = safetensors::SafeTensors::deserialize(&golden).expect("safetensors");
    let mut beyond = Vec::new();
    for (id, (name, request)) in (1..).zip(requests) {
        let info = catalog.inspect(&request.model).expect("a model");
        assert_eq!(request.validate(&info), Ok(()), "{name}");
        let start = Instant::now();
        let error = match paint(engine, id, request.clone()).pop() {
            Some(Event::Finished(finished)) => error(&golden, name, &finished),
            other => {
                println!("{name}: {other:?}");
                f64::INFINITY
            }
        };
        let found = format!("{name} on {backend}: relative L2 {error:.2e}");
        println!("{found}, {:.1} s", start.elapsed().as_secs_f64());
        let bound = if *name == FARTHER.0 { FARTHER.1 } else { bound };
        if error.is_nan() || error > bound {
            beyond.push(found);
        }
    }
    beyond
}

fn error(golden: &safetensors::SafeTensors<'_>, name: &str, finished: &Finished) -> f64 {
    let latents = golden.tensor(name).expect("golden latents");
    assert_eq!(latents.shape(), finished.latents.shape());
    relative_l2(latents.data(), &finished.latents.data)
}

fn runs(files: &GoldenFiles) -> Vec<Run> {
    serde_json::from_slice(&files.read("runs.json")).expect("runs")
}

fn request(files: &GoldenFiles, run: &Run) -> Request {
    let mut request = run.request.clone();
    request["model"] = json!(files.path(&run.model));
    for lora in request["loras"].as_array_mut().into_iter().flatten() {
        lora["source"] = json!(files.path(lora["source"].as_str().expect("a path")));
    }
    serde_json::from_value(request).expect("a request")
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/models")
}

fn named_by(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} names no folder")).into()
}
