//! What narrower numbers do to the embedded model's pictures.

mod support;

use fourstep_catalog::Catalog;
use fourstep_engine::{BackendChoice, DeviceOptions, Engine, EngineOptions, Precision};
use fourstep_protocol::{ModelRef, Picture, Request};
use std::sync::Arc;
use support::{finished, paint};

const THINGS: [&str; 8] = ["apple", "cat", "dog", "fox", "house", "car", "tree", "fish"];
const COLOURS: [&str; 8] = ["red", "blue", "green", "yellow", "orange", "purple", "pink", "black"];

/// Pictures of so many prompts, each with another seed.
fn pictures(precision: Precision, count: usize) -> Vec<Arc<Picture>> {
    let device = DeviceOptions { backend: BackendChoice::Cpu, precision, ..DeviceOptions::default() };
    let options = EngineOptions { device, ..EngineOptions::default() };
    let engine = Engine::spawn(Catalog::builtin(), options).expect("an engine");
    let info = Catalog::builtin().inspect(&ModelRef::new("sticker")).expect("embedded");
    let picture = |i: usize| {
        let (thing, colour, ground) = (THINGS[i % 8], COLOURS[i / 8 % 8], COLOURS[(i / 8 + i % 7 + 1) % 8]);
        let prompt = format!("a {colour} {thing} on a {ground} background");
        let request = Request { seed: i as u64, ..Request::new(&info, prompt) };
        finished(&paint(&engine, i as u64 + 1, request))
    };
    (0..count).map(picture).collect()
}

/// Peak signal to noise in dB.
fn psnr(a: &Picture, b: &Picture) -> f64 {
    let squares = a.rgb().iter().zip(b.rgb()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / a.rgb().len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

#[test]
fn pictures_of_narrower_numbers_look_like_those_of_f32() {
    const PROMPTS: usize = 64;
    let exact = pictures(Precision::F32, PROMPTS);
    for (precision, least) in [(Precision::Bf16, 38.0), (Precision::Int8, 30.0)] {
        let narrow = pictures(precision, PROMPTS);
        let each: Vec<f64> = exact.iter().zip(&narrow).map(|(a, b)| psnr(a, b)).collect();
        let mean = each.iter().sum::<f64>() / PROMPTS as f64;
        let worst = each.iter().copied().fold(f64::INFINITY, f64::min);
        println!("{precision}: {mean:.1} dB on average, {worst:.1} dB at worst");
        assert!(mean >= least, "{precision}: {mean:.1} dB");
    }
}
