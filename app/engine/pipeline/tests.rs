use super::*;
use crate::{fault::RunError, memory::Memory};
use fourstep_catalog::Catalog;
use fourstep_compute::{
    CancelFloor, Precision,
    candle::{Candle, Device},
};
use fourstep_protocol::{Init, ModelRef, Picture, Sampler};
use std::{path::PathBuf, sync::Mutex};

fn pipeline() -> Pipeline<Candle> {
    Pipeline::new(setup())
}

fn setup() -> Setup<Candle> {
    let backend = Candle::open(Device::Cpu, Precision::F32).expect("a processor");
    let memory = Memory::new(&backend, Arc::new(|| None));
    Setup { backend, catalog: Catalog::builtin(), memory }
}

fn request() -> Arc<Request> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pipeline/sdxl");
    let model = ModelRef::new(folder.to_string_lossy());
    let info = Catalog::builtin().inspect(&model).expect("a model");
    let gray = Picture::new(64, 64, vec![128; 64 * 64 * 3]).expect("a picture");
    let init = Some(Init::new(gray, 0.5));
    Arc::new(Request { guidance_scale: 1.5, init, ..Request::new(&info, "a cat") })
}

type Until = dyn Fn(&Event) -> bool + Sync;

/// Paints, and raises the cancel floor at the first event that `until` names.
fn paint_until(pipeline: &mut Pipeline<Candle>, until: &Until) -> (Result<Finished>, Vec<Event>) {
    let (floor, events, request) = (CancelFloor::default(), Mutex::new(Vec::new()), request());
    let emit = |event: Event| {
        if until(&event) {
            floor.raise(2);
        }
        events.lock().expect("not poisoned").push(event);
    };
    let result = pipeline.paint(&Run { id: RunId(1), request: &request, cancel: floor.token(1), emit: &emit });
    (result, events.into_inner().expect("not poisoned"))
}

fn assert_cancelled_at(until: &Until, (result, events): &(Result<Finished>, Vec<Event>)) {
    assert!(matches!(result, Err(RunError::Cancelled)), "{result:?}");
    assert!(until(events.last().expect("an event")), "went on after it was cancelled: {events:?}");
}

#[test]
fn a_run_cancelled_while_loading_ends_there_and_the_next_one_paints() {
    let mut pipeline = pipeline();
    let at_once: &Until = &|event| matches!(event, Event::Loading { .. });
    let halfway: &Until = &|event| matches!(event, Event::Loading { fraction, .. } if *fraction > 0.4);
    for until in [at_once, halfway] {
        assert_cancelled_at(until, &paint_until(&mut pipeline, until));
    }
    let (result, events) = paint_until(&mut pipeline, &|_| false);
    assert_eq!(result.expect("a picture").picture.width(), 64);
    let whole = |event: &Event| matches!(event, Event::Loading { fraction, .. } if *fraction >= 1.0);
    assert!(events.iter().any(whole), "loading was not told to its end: {events:?}");
}

#[test]
fn a_run_cancelled_at_a_step_takes_no_other_and_the_model_stays() {
    let mut pipeline = pipeline();
    let second: &Until = &|event| matches!(event, Event::Step { step: 2, .. });
    assert_cancelled_at(second, &paint_until(&mut pipeline, second));
    let (result, events) = paint_until(&mut pipeline, &|_| false);
    assert!(result.is_ok(), "{result:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::Loading { .. })), "{events:?}");
}

/// Paints; the steps that were told, by number, and the latents.
fn steps_of(pipeline: &mut Pipeline<Candle>, request: Request) -> (Vec<u32>, Vec<f32>) {
    let steps = Mutex::new(Vec::new());
    let emit = |event: Event| {
        if let Event::Step { step, .. } = event {
            steps.lock().expect("not poisoned").push(step);
        }
    };
    let request = Arc::new(request);
    let cancel = CancelFloor::default().token(1);
    let finished = pipeline.paint(&Run { id: RunId(1), request: &request, cancel, emit: &emit }).expect("a picture");
    (steps.into_inner().expect("not poisoned"), finished.latents.data.clone())
}

#[test]
fn a_fork_goes_on_from_steps_that_are_kept() {
    let mut pipeline = pipeline();
    for sampler in [Sampler::Lcm, Sampler::EulerA, Sampler::DpmPp2m, Sampler::UniPc] {
        let plain = Request { init: None, sampler, steps: 4, ..(*request()).clone() };
        let fork = |request: Request, steps| {
            let fork = Some(Anchor { request: Box::new(plain.clone()), steps });
            Request { fork, ..request }
        };
        let (_, whole) = steps_of(&mut pipeline, plain.clone());
        let dog = Request { prompt: "a dog".into(), ..plain.clone() };
        let (_, other) = steps_of(&mut pipeline, dog.clone());
        let (first, forked) = steps_of(&mut pipeline, fork(dog.clone(), 2));
        assert_eq!(first, [1, 2, 3, 4], "{sampler:?}: the steps of the other run are told as the first ones");
        assert!(forked != whole && forked != other, "{sampler:?}");
        assert_eq!(steps_of(&mut pipeline, fork(plain.clone(), 2)), (vec![3, 4], whole), "{sampler:?}");
        assert_eq!(steps_of(&mut pipeline, fork(dog, 2)), (vec![3, 4], forked), "{sampler:?}");
    }
}

#[test]
fn a_run_that_holds_its_own_composition_is_the_same_run() {
    let mut pipeline = pipeline();
    let plain = Request { init: None, ..(*request()).clone() };
    let (_, whole) = steps_of(&mut pipeline, plain.clone());
    let composition = Some(Anchor { request: Box::new(plain.clone()), steps: 2 });
    let (steps, held) = steps_of(&mut pipeline, Request { composition, ..plain });
    assert_eq!(steps, [1, 2, 3, 4], "the run that is followed is not told");
    assert!(held.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-4));
}
