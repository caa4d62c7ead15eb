//! What ends a run without a picture is told, and the next run paints.

mod support;

use fourstep_catalog::Catalog;
use fourstep_engine::{Engine, EngineOptions};
use fourstep_protocol::{Event, FailureKind, Init, Picture, Request};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};
use support::{failed, finished, golden_copy, golden_folder, paint, request};
use tempfile::TempDir;

#[test]
fn a_panic_in_the_middle_of_a_run_is_a_failure_and_the_next_run_paints() {
    // The bell is rung on the inference thread, from within the run: what a test can make panic there.
    let left = Arc::new(AtomicI32::new(i32::MAX));
    let rings = left.clone();
    let wake = Box::new(move || assert_ne!(rings.fetch_sub(1, Ordering::SeqCst), 1, "the bell broke"));
    let engine = Engine::spawn(Catalog::builtin(), EngineOptions { wake, ..Default::default() }).expect("an engine");
    let picture = finished(&paint(&engine, 1, request(&golden_folder("sd"))));
    // The ring of the last event may still be on its way.
    std::thread::sleep(Duration::from_millis(50));

    left.store(3, Ordering::SeqCst);
    let events = paint(&engine, 2, request(&golden_folder("sd")));
    let failure = failed(&events);
    assert_eq!(failure.kind, FailureKind::Machine, "{failure}");
    assert!(failure.why.contains("the bell broke"), "{failure}");
    assert!(events.iter().any(|event| matches!(event, Event::Step { .. })), "it broke in the middle: {events:?}");

    let events = paint(&engine, 3, request(&golden_folder("sd")));
    assert_eq!(finished(&events), picture);
    assert!(events.iter().any(|event| matches!(event, Event::Loading { .. })), "nothing half-done is used again");
    assert!(left.load(Ordering::SeqCst) < -4, "the bell is still rung");
}

#[test]
fn latents_that_overflow_are_a_failure_that_names_them() {
    // Finite, as weights must be; divided by alpha at the first timestep it is not.
    assert_names("unet", "conv_out.bias", "latents");
}

#[test]
fn pixels_that_overflow_are_a_failure_that_names_them() {
    assert_names("vae", "decoder.conv_out.weight", "pixels");
}

#[test]
fn an_overflow_while_encoding_a_picture_is_a_failure_that_names_it() {
    let model = with_huge("vae", "encoder.conv_out.weight");
    let picture = Picture::new(64, 64, vec![200; 64 * 64 * 3]).expect("a picture");
    let request = Request { init: Some(Init::new(picture, 0.5)), ..request(model.path()) };
    let engine = Engine::spawn(Catalog::builtin(), EngineOptions::default()).expect("an engine");
    let failure = failed(&paint(&engine, 1, request));
    assert!(failure.why.contains("latents of the picture"), "{failure}");
}

fn assert_names(part: &str, key: &str, what: &str) {
    let model = with_huge(part, key);
    let engine = Engine::spawn(Catalog::builtin(), EngineOptions::default()).expect("an engine");
    let failure = failed(&paint(&engine, 1, request(model.path())));
    assert_eq!(failure.kind, FailureKind::Machine, "{failure}");
    assert!(failure.why.contains(what) && failure.remedy.ends_with('.'), "{failure}");
    finished(&paint(&engine, 2, request(&golden_folder("sd"))));
}

/// The golden model with every value of one of its tensors close to the largest that f32 holds.
fn with_huge(part: &str, key: &str) -> TempDir {
    let copy = golden_copy("sd");
    let path = copy.path().join(part).join("diffusion_pytorch_model.safetensors");
    let file = std::fs::read(&path).expect("weights");
    let mut tensors = SafeTensors::deserialize(&file).expect("safetensors").tensors();
    let (_, tensor) = tensors.iter_mut().find(|(name, _)| name == key).expect("the tensor");
    let shape = tensor.shape().to_vec();
    let huge = 3e38_f32.to_le_bytes().repeat(shape.iter().product());
    *tensor = TensorView::new(Dtype::F32, shape, &huge).expect("a tensor");
    let changed = safetensors::serialize(tensors, None).expect("serialised");
    std::fs::write(path, changed).expect("written");
    copy
}
