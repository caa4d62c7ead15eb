//! Runs with weighted, long and mixed prompts against diffusers (`tests/golden/prompt/encode.py`).

#[path = "support/exact.rs"]
mod exact;
#[path = "support/relative_l2.rs"]
mod relative_l2;
mod support;

use exact::exact_engines;
use fourstep_catalog::Catalog;
use fourstep_protocol::{Blended, Event, ModelRef, Request};
use relative_l2::relative_l2;
use serde::Deserialize;
use std::path::Path;
use support::{golden_folder, paint};

#[derive(Deserialize)]
struct Case {
    name: String,
    model: String,
    prompts: Vec<(String, f32)>,
    negative: String,
    guidance: f32,
    chunks: usize,
}

/// Latents within this relative L2 error of diffusers', f32 on both sides.
const BOUND: f64 = 1e-3;

#[test]
fn latents_are_those_of_diffusers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/prompt");
    let cases = std::fs::read(folder.join("encoding.json")).expect("encoding.json");
    let cases: Vec<Case> = serde_json::from_slice(&cases).expect("JSON");
    let golden = std::fs::read(folder.join("encoding.safetensors")).expect("encoding.safetensors");
    let golden = safetensors::SafeTensors::deserialize(&golden).expect("safetensors");
    let catalog = Catalog::builtin();
    for (backend, engine) in exact_engines(&catalog) {
        for (run, case) in cases.iter().enumerate() {
            let events = paint(&engine, run as u64 + 1, request(&catalog, case));
            let Some(Event::Finished(finished)) = events.last() else { panic!("{}: {:?}", case.name, events.last()) };
            let latents = golden.tensor(&format!("{}.latents", case.name)).expect("golden latents");
            let error = relative_l2(latents.data(), &finished.latents.data);
            assert!(error < BOUND, "{} on {backend}: relative L2 {error:.2e}", case.name);
            let window = events.iter().find_map(|event| match event {
                Event::Started { prompt, .. } => Some(prompt.tokens.window),
                _ => None,
            });
            assert!(window.is_some_and(|window| window <= 75 * case.chunks), "{}: {window:?}", case.name);
        }
    }
}

/// The first prompt is the request's own; the others are mixed into it.
fn request(catalog: &Catalog, case: &Case) -> Request {
    let model = ModelRef::new(golden_folder(&case.model).to_string_lossy());
    let info = catalog.inspect(&model).expect("a model");
    let blend = case.prompts[1..].iter().map(|(prompt, weight)| Blended { prompt: prompt.clone(), weight: *weight });
    Request {
        seed: 7,
        blend: blend.collect(),
        negative_prompt: case.negative.clone(),
        guidance_scale: case.guidance,
        ..Request::new(&info, case.prompts[0].0.clone())
    }
}
