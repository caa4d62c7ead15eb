//! What the window relies on: the newest wins, a superseded run ends at once, a failure is told and survived.

mod support;

use fourstep_catalog::Catalog;
use fourstep_engine::{Engine, EngineOptions};
use fourstep_protocol::{Client, Command, Event, FailureKind, ModelRef, Request, RunId, Size};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::{engine, until_closed};

fn request() -> Request {
    let info = Catalog::builtin().inspect(&ModelRef::new("sticker")).expect("embedded");
    Request { seed: 7, ..Request::new(&info, "a cat") }
}

fn generate(engine: &Engine, run: u64, request: Request) {
    engine.send(Command::Generate { run: RunId(run), request: Arc::new(request) }).expect("open");
}

#[test]
fn a_run_tells_every_step_and_then_the_picture() {
    let engine = engine();
    generate(&engine, 1, request());
    let events = until_closed(&engine, 1);
    assert!(matches!(events[0], Event::Ready(_)));
    let mut started = events.iter().filter_map(|e| match e {
        Event::Started { steps, prompt, .. } => Some((*steps, prompt.tokens)),
        _ => None,
    });
    let (steps, tokens) = started.next_back().expect("a start");
    assert_eq!((steps, tokens.used, tokens.window), (4, 2, 75));
    let seen: Vec<_> =
        events.iter().filter_map(|e| if let Event::Step { step, .. } = e { Some(*step) } else { None }).collect();
    assert_eq!(seen, [1, 2, 3, 4]);
    let Some(Event::Finished(finished)) = events.last() else { panic!("{:?}", events.last()) };
    assert_eq!((finished.picture.width(), finished.picture.height()), (256, 256));
    assert_eq!(finished.timings.step_secs.len(), 4);
    // The last preview is what the picture is decoded from.
    let last_step =
        events.iter().rev().find_map(|e| if let Event::Step { denoised, .. } = e { Some(denoised) } else { None });
    assert_eq!(**last_step.expect("a step"), *finished.latents);
}

#[test]
fn equal_requests_give_equal_pictures() {
    let engine = engine();
    let mut pictures = Vec::new();
    for (run, seed) in [(1, 7), (2, 8), (3, 7)] {
        generate(&engine, run, Request { seed, ..request() });
        match until_closed(&engine, run).pop() {
            Some(Event::Finished(finished)) => pictures.push(finished.picture),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pictures[0], pictures[2]);
    assert_ne!(pictures[0], pictures[1]);
}

#[test]
fn a_newer_run_ends_the_older_one_and_nothing_queues() {
    let engine = engine();
    let slow = |seed| Request { seed, size: Size::new(512, 512), ..request() };
    for run in 1..=30 {
        generate(&engine, run, slow(run));
        std::thread::sleep(Duration::from_millis(5));
    }
    let events = until_closed(&engine, 30);
    let finished: Vec<_> = events.iter().filter(|e| matches!(e, Event::Finished(_))).collect();
    assert_eq!(finished.len(), 1, "only the newest is painted to the end");
    let closed = events.iter().filter(|e| matches!(e, Event::Finished(_) | Event::Stopped { .. })).count();
    assert_eq!(closed, 30, "every run that was asked for is closed");
}

#[test]
fn stop_ends_the_run_and_the_next_one_is_painted() {
    let engine = engine();
    generate(&engine, 1, Request { size: Size::new(768, 768), ..request() });
    loop {
        if let Event::Started { .. } = engine.next_event(Duration::from_secs(60)).expect("a start") {
            break;
        }
    }
    engine.send(Command::Stop).expect("open");
    assert!(matches!(until_closed(&engine, 1).last(), Some(Event::Stopped { run: RunId(1) })));
    generate(&engine, 2, request());
    assert!(matches!(until_closed(&engine, 2).last(), Some(Event::Finished(_))));
}

#[test]
fn bad_requests_fail_with_an_input_failure_and_the_engine_lives_on() {
    let engine = engine();
    let bad = [
        Request { size: Size::new(100, 100), ..request() },
        Request { steps: 0, ..request() },
        Request { guidance_scale: 3.0, ..request() },
        Request { model: ModelRef::new("no-such-model"), ..request() },
        Request { model: ModelRef::new("/no/such/folder"), ..request() },
    ];
    for (i, request) in bad.into_iter().enumerate() {
        let run = i as u64 + 1;
        generate(&engine, run, request);
        match until_closed(&engine, run).pop() {
            Some(Event::Failed { run: Some(_), failure }) => {
                assert_eq!(failure.kind, FailureKind::Input, "{failure}");
                assert!(failure.remedy.ends_with('.'), "{failure}");
            }
            other => panic!("{other:?}"),
        }
    }
    generate(&engine, 99, request());
    assert!(matches!(until_closed(&engine, 99).last(), Some(Event::Finished(_))));
}

#[test]
fn every_event_rings_the_bell() {
    let rung = Arc::new(AtomicUsize::new(0));
    let bell = rung.clone();
    let wake = Box::new(move || {
        bell.fetch_add(1, Ordering::Relaxed);
    });
    let engine = Engine::spawn(Catalog::builtin(), EngineOptions { wake, ..Default::default() }).expect("an engine");
    generate(&engine, 1, request());
    let events = until_closed(&engine, 1).len();
    // The last ring may still be on its way.
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(rung.load(Ordering::Relaxed), events);
}

#[test]
fn a_dropped_engine_ends_its_thread_even_in_the_middle_of_a_run() {
    let engine = engine();
    generate(&engine, 1, Request { size: Size::new(1024, 1024), ..request() });
    std::thread::sleep(Duration::from_millis(100));
    let clock = std::time::Instant::now();
    drop(engine);
    assert!(clock.elapsed() < Duration::from_secs(20), "dropping waited for the whole run");
}
