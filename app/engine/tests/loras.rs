//! LoRAs in use: there and back again is bit for bit the same, and what became of them is told.

mod support;

use fourstep_catalog::Catalog;
use fourstep_engine::{Engine, EngineOptions};
use fourstep_protocol::{Event, Latents, LoraRef, LoraReport, ModelRef, Request};
use std::sync::Arc;
use support::{golden_lora, paint};

const LORA: &str = "sticker-lcm-lora";

fn engine(free_bytes: Option<u64>) -> Engine {
    let options = EngineOptions { available_bytes: Arc::new(move || free_bytes), ..EngineOptions::default() };
    Engine::spawn(Catalog::builtin(), options).expect("an engine")
}

/// The embedded model with its LoRA at these weights, one after the other.
fn request(weights: &[f32]) -> Request {
    let info = Catalog::builtin().inspect(&ModelRef::new("sticker")).expect("embedded");
    let loras = weights.iter().map(|weight| LoraRef { source: LORA.into(), weight: *weight }).collect();
    Request { seed: 7, loras, ..Request::new(&info, "a cat") }
}

struct Painted {
    latents: Arc<Latents>,
    reports: Option<Vec<LoraReport>>,
    loaded: bool,
}

fn painted(engine: &Engine, run: u64, request: Request) -> Painted {
    let events = paint(engine, run, request);
    let reports = events.iter().find_map(|event| match event {
        Event::Merged { reports, .. } => Some(reports.clone()),
        _ => None,
    });
    let loaded = events.iter().any(|event| matches!(event, Event::Loading { .. }));
    match events.last() {
        Some(Event::Finished(finished)) => Painted { latents: finished.latents.clone(), reports, loaded },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slider_there_and_back_gives_the_same_bits() {
    // With room for a second set of networks, and without.
    for free_bytes in [None, Some(150_000_000)] {
        let engine = engine(free_bytes);
        let mut seen: Vec<(Vec<f32>, Arc<Latents>)> = Vec::new();
        let stacks: [&[f32]; 9] = [&[1.0], &[0.5], &[-1.5], &[0.5], &[], &[1.0], &[1.0, 0.3], &[0.0], &[1.0]];
        for (run, weights) in stacks.into_iter().enumerate() {
            let Painted { latents, .. } = painted(&engine, run as u64 + 1, request(weights));
            let fresh = painted(&self::engine(None), 1, request(weights)).latents;
            assert_eq!(*latents, *fresh, "{weights:?} as in an engine that never had another");
            let active = weights.iter().copied().filter(|weight| *weight != 0.0).collect::<Vec<_>>();
            for (other, seen) in &seen {
                assert_eq!(*other == active, *seen == latents, "{other:?} and {weights:?}");
            }
            seen.push((active, latents));
        }
    }
}

#[test]
fn comparing_with_and_without_merges_once_where_there_is_room() {
    let engine = engine(None);
    let loaded = [&[1.0][..], &[], &[1.0], &[], &[0.5], &[]]
        .into_iter()
        .enumerate()
        .map(|(run, weights)| painted(&engine, run as u64 + 1, request(weights)).loaded)
        .collect::<Vec<_>>();
    assert_eq!(loaded, [true, true, false, false, true, false]);
}

#[test]
fn what_became_of_the_loras_is_told_when_it_changes() {
    let engine = engine(None);
    let reports = painted(&engine, 1, request(&[1.0, 0.0])).reports.expect("a report");
    let [report] = &reports[..] else { panic!("one of the two has an effect: {reports:?}") };
    assert_eq!(report.source, LORA);
    assert!(report.matched > 0 && report.matched == report.total && report.ignored.is_empty(), "{report:?}");
    assert_eq!(painted(&engine, 2, request(&[1.0])).reports, None, "nothing changed");
    assert_eq!(painted(&engine, 3, request(&[])).reports, None, "there are none");
    assert_eq!(painted(&engine, 4, request(&[1.0])).reports, Some(reports), "they are in use again");
}

#[test]
fn a_lora_of_another_model_is_refused_and_what_was_loaded_stays() {
    let engine = engine(None);
    painted(&engine, 1, request(&[1.0]));
    let source = golden_lora("first.safetensors").to_string_lossy().into_owned();
    let refused = paint(&engine, 2, Request { loras: vec![LoraRef { source, weight: 1.0 }], ..request(&[]) });
    assert!(matches!(refused.last(), Some(Event::Failed { .. })), "{refused:?}");
    assert!(!painted(&engine, 3, request(&[1.0])).loaded);
}
