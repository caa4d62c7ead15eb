//! Models whose parts are missing, elsewhere, or too large.

mod support;

use fourstep_catalog::Catalog;
use fourstep_compute::TensorSource;
use fourstep_engine::{BackendChoice, DeviceOptions, Engine, EngineOptions, Precision};
use fourstep_protocol::{Event, FailureKind, Init, ModelRef, Picture, Request, Size};
use fourstep_weights::Checkpoint;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use support::{engine, failed, finished, golden_copy, golden_folder, paint, request};
use tempfile::TempDir;

/// A copy of a golden model without one of its parts.
fn without(name: &str, part: &str) -> TempDir {
    let copy = golden_copy(name);
    let path = copy.path().join("model_index.json");
    let mut index: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("index")).expect("json");
    index.as_object_mut().expect("an object").remove(part).expect("the part");
    std::fs::write(&path, index.to_string()).expect("written");
    std::fs::remove_dir_all(copy.path().join(part)).expect("removed");
    copy
}

#[test]
fn an_autoencoder_of_ones_own_stands_in_for_a_missing_and_for_the_models_own() {
    let engine = engine();
    let (whole, broken) = (golden_folder("sd"), without("sd", "vae"));
    let own = finished(&paint(&engine, 1, request(&whole)));
    let other_vae = Some(golden_folder("sdxl").join("vae").to_string_lossy().into_owned());
    let other = finished(&paint(&engine, 2, Request { vae: other_vae.clone(), ..request(&whole) }));
    assert_ne!(own, other);
    let back = paint(&engine, 3, request(&whole));
    assert_eq!(finished(&back), own);

    let failure = failed(&paint(&engine, 4, request(broken.path())));
    assert_eq!(failure.kind, FailureKind::Input);
    assert!(failure.why.contains("no autoencoder") && failure.remedy.contains("--vae"), "{failure}");
    assert_eq!(finished(&paint(&engine, 5, Request { vae: other_vae, ..request(broken.path()) })), other);
    let vae = Some(String::from("no-such-vae"));
    assert_eq!(failed(&paint(&engine, 6, Request { vae, ..request(&whole) })).kind, FailureKind::Input);
}

#[test]
fn missing_text_encoders_are_named() {
    let engine = engine();
    for (run, name, part, word) in
        [(1, "sd", "text_encoder", "no text encoder"), (2, "sdxl", "text_encoder_2", "1 of its 2")]
    {
        let broken = without(name, part);
        let failure = failed(&paint(&engine, run, request(broken.path())));
        assert!(failure.why.contains(word) && failure.kind == FailureKind::Input, "{failure}");
    }
}

#[test]
fn too_little_memory_is_said_before_with_both_figures_and_the_rest_stays() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let asked = free.clone();
    let options = EngineOptions {
        available_bytes: Arc::new(move || Some(asked.load(Ordering::SeqCst))),
        ..EngineOptions::default()
    };
    let engine = Engine::spawn(Catalog::builtin(), options).expect("an engine");
    let (sd, sdxl) = (request(&golden_folder("sd")), request(&golden_folder("sdxl")));
    let picture = finished(&paint(&engine, 1, sd.clone()));

    free.store(1_000, Ordering::SeqCst);
    // What is on the device needs nothing more.
    assert_eq!(finished(&paint(&engine, 2, sd.clone())), picture);
    // Another model does, even with the first one given up.
    let events = paint(&engine, 3, Request { size: Size::new(512, 512), ..sdxl.clone() });
    let failure = failed(&events);
    assert_eq!(failure.kind, FailureKind::Machine);
    assert!(failure.what.contains("does not fit into memory") && failure.why.contains("GB are free"), "{failure}");
    assert!(!events.iter().any(|event| matches!(event, Event::Loading { .. })), "it is said before: {events:?}");
    let again = paint(&engine, 4, sd.clone());
    assert!(!again.iter().any(|event| matches!(event, Event::Loading { .. })), "nothing was given up: {again:?}");
    // A larger picture does too.
    let failure = failed(&paint(&engine, 5, Request { size: Size::new(1024, 1024), ..sd.clone() }));
    assert!(failure.remedy.contains("smaller picture"), "{failure}");
    assert_eq!(finished(&paint(&engine, 6, sd)), picture);
}

#[test]
fn other_models_make_room() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let asked = free.clone();
    let available_bytes = Arc::new(move || Some(asked.load(Ordering::SeqCst)));
    let options = EngineOptions { available_bytes, ..EngineOptions::default() };
    let engine = Engine::spawn(Catalog::builtin(), options).expect("an engine");
    let info = Catalog::builtin().inspect(&ModelRef::new("sticker")).expect("embedded");
    let sticker = Request { size: Size::new(64, 64), ..Request::new(&info, "a cat") };
    let sd = request(&golden_folder("sd"));
    finished(&paint(&engine, 1, sticker.clone()));
    // Too little for the small model, were the larger one not given up.
    free.store(100_000, Ordering::SeqCst);
    finished(&paint(&engine, 2, sd));
    free.store(u64::MAX, Ordering::SeqCst);
    let events = paint(&engine, 3, sticker);
    assert!(events.iter().any(|event| matches!(event, Event::Loading { .. })), "it was given up: {events:?}");
}

#[test]
fn an_autoencoder_that_overflows_in_half_precision_is_run_in_f32() {
    let model = with_wide_latents();
    let engine = |precision| {
        let device = DeviceOptions { backend: BackendChoice::CandleCpu, precision, ..DeviceOptions::default() };
        let options = EngineOptions { device, ..EngineOptions::default() };
        Engine::spawn(Catalog::builtin(), options).expect("an engine")
    };
    let (half, wide) = (engine(Precision::F16), engine(Precision::F32));
    let picture = Picture::new(64, 64, (0..64 * 64 * 3).map(|i| (i / 50) as u8).collect()).expect("a picture");
    let init = Request { init: Some(Init::new(picture, 0.5)), ..request(model.path()) };
    for (run, request) in [(1, request(model.path())), (2, request(model.path())), (3, init)] {
        let exact = finished(&paint(&wide, run, request.clone()));
        let rescued = finished(&paint(&half, run, request));
        let off = exact.rgb().iter().zip(rescued.rgb()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
        let mean = off / exact.rgb().len() as f64;
        assert!(mean < 4.0, "run {run}: off by {mean} of 255 on average");
    }
}

/// The golden model with an autoencoder whose values pass what f16 can hold, and which a norm brings back.
fn with_wide_latents() -> TempDir {
    let copy = golden_copy("sd");
    let path = copy.path().join("vae/diffusion_pytorch_model.safetensors");
    let file = std::fs::read(&path).expect("weights");
    let mut tensors = SafeTensors::deserialize(&file).expect("safetensors").tensors();
    let read = Checkpoint::open_file(&path).expect("weights");
    let mut scaled = Vec::new();
    for (at, (key, tensor)) in tensors.iter().enumerate() {
        let conv_in =
            ["decoder.conv_in.weight", "decoder.conv_in.bias", "encoder.conv_in.weight", "encoder.conv_in.bias"];
        if conv_in.contains(&key.as_str()) {
            let values = read.tensor(key).expect("the tensor").to_f32();
            let bytes = values.iter().flat_map(|v| (v * 1e6).to_le_bytes()).collect::<Vec<u8>>();
            scaled.push((at, tensor.shape().to_vec(), bytes));
        }
    }
    assert_eq!(scaled.len(), 4);
    for (at, shape, bytes) in &scaled {
        tensors[*at].1 = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor");
    }
    std::fs::write(path, safetensors::serialize(tensors, None).expect("serialised")).expect("written");
    copy
}
