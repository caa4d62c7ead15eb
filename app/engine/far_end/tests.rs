use super::double::{Card, Fate};
use crate::{BackendChoice, DeviceOptions, Engine, EngineOptions, Precision};
use fourstep_catalog::Catalog;
use fourstep_compute::gpu::{Gpu, GpuOptions};
use fourstep_protocol::{Client, Command, DeviceChoice, Event, Finished, ModelRef, Request, RunId, Size};
use std::{sync::Arc, time::Duration};

fn processor() -> EngineOptions {
    let device = DeviceOptions { backend: BackendChoice::Cpu, precision: Precision::F32, ..DeviceOptions::default() };
    EngineOptions { device, ..EngineOptions::default() }
}

fn on(card: Card) -> Engine {
    Engine::start(Some(Box::new(card)), Catalog::builtin(), processor()).expect("an engine")
}

fn request() -> Request {
    let info = Catalog::builtin().inspect(&ModelRef::new("sticker")).expect("embedded");
    Request { seed: 7, size: Size::new(64, 64), ..Request::new(&info, "a cat") }
}

fn generate(engine: &Engine, run: u64) {
    engine.send(Command::Generate { run: RunId(run), request: Arc::new(request()) }).expect("open");
}

/// Events up to and with the next one that closes a run.
fn until_closed(engine: &Engine) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = engine.next_event(Duration::from_secs(60)).expect("an event in time");
        let closing = matches!(event, Event::Finished(_) | Event::Stopped { .. } | Event::Failed { .. });
        events.push(event);
        if closing {
            return events;
        }
    }
}

fn finished(events: &[Event]) -> &Finished {
    match events.last() {
        Some(Event::Finished(finished)) => finished,
        other => panic!("{other:?}"),
    }
}

/// The devices that were told, in order.
fn devices(events: &[Event]) -> Vec<&str> {
    let told = events.iter().filter_map(|event| if let Event::Ready(device) = event { Some(device) } else { None });
    told.map(|device| &*device.backend).collect()
}

/// What the processor paints.
fn expected() -> Finished {
    let engine = Engine::spawn(Catalog::builtin(), processor()).expect("an engine");
    generate(&engine, 1);
    finished(&until_closed(&engine)).clone()
}

/// How many operations the first run of a card takes.
fn operations_of_a_run() -> i64 {
    let card = Card::new(Fate::Lost, i64::MAX);
    let engine = on(card.clone());
    generate(&engine, 1);
    assert_eq!(devices(&until_closed(&engine)), ["card"]);
    i64::MAX - card.left()
}

#[test]
fn a_run_whose_device_fails_is_painted_by_the_processor() {
    let (expected, all) = (expected(), operations_of_a_run());
    // While weights are packed, in the middle of the steps, and at the very end.
    for (fate, operations) in [(Fate::Lost, 3), (Fate::Lost, all * 3 / 4), (Fate::Panics, all - 1)] {
        let engine = on(Card::new(fate, operations));
        generate(&engine, 1);
        let events = until_closed(&engine);
        let painted = finished(&events);
        assert_eq!((painted.run, &painted.picture), (RunId(1), &expected.picture), "{fate:?} {operations}");
        assert_eq!(devices(&events), ["card", "cpu"], "{fate:?} {operations}");
        let told = events.iter().position(|event| match event {
            Event::DeviceFailed(failure) => failure.remedy.contains("processor") && !failure.why.is_empty(),
            _ => false,
        });
        let ready = events.iter().rposition(|event| matches!(event, Event::Ready(_)));
        assert!(told.is_some() && told < ready, "{events:?}");
        // It stays with the processor, and lives.
        generate(&engine, 2);
        let events = until_closed(&engine);
        assert_eq!((&finished(&events).picture, devices(&events).len()), (&expected.picture, 0));
    }
}

#[test]
fn a_model_that_a_card_has_no_memory_for_is_painted_by_the_processor() {
    let engine = on(Card::new(Fate::Small(10_000), i64::MAX));
    generate(&engine, 1);
    let events = until_closed(&engine);
    assert_eq!(devices(&events), ["card", "cpu"]);
    let told = |event: &Event| matches!(event, Event::DeviceFailed(failure) if failure.what.contains("memory"));
    assert!(events.iter().any(told), "{events:?}");
    finished(&events);
}

#[test]
fn another_device_is_used_from_the_next_run_on() {
    let engine = on(Card::new(Fate::Lost, i64::MAX));
    generate(&engine, 1);
    assert_eq!(devices(&until_closed(&engine)), ["card"]);
    engine.send(Command::Compute(DeviceChoice::Processor)).expect("open");
    generate(&engine, 2);
    let events = until_closed(&engine);
    assert_eq!((devices(&events), finished(&events).run), (vec!["cpu"], RunId(2)));
    assert!(!events.iter().any(|event| matches!(event, Event::DeviceFailed(_))));
}

#[test]
fn a_superseded_run_is_not_painted_again() {
    let engine = on(Card::new(Fate::Lost, 3));
    for run in 1..=3 {
        generate(&engine, run);
    }
    let events: Vec<Event> = (0..3).flat_map(|_| until_closed(&engine)).collect();
    assert_eq!(finished(&events).run, RunId(3));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Finished(_))).count(), 1);
}

#[test]
fn a_card_that_is_not_there_is_told_and_the_processor_paints() {
    let mut options = processor();
    options.device = options.device.choose(&DeviceChoice::Adapter("Voodoo 3".into()));
    let refused = Engine::spawn(Catalog::builtin(), options).err().expect("nobody has it");
    assert!(refused.why.contains("Voodoo 3"), "{refused}");

    let mut options = processor();
    options.device = options.device.choose(&DeviceChoice::Adapter("Voodoo 3".into()));
    let engine = Engine::spawn_and_open(Catalog::builtin(), options).expect("an engine");
    generate(&engine, 1);
    let events = until_closed(&engine);
    assert!(matches!(&events[0], Event::DeviceFailed(failure) if failure.why.contains("Voodoo 3")), "{events:?}");
    assert_eq!(devices(&events), ["cpu"]);
    finished(&events);
    engine.send(Command::Compute(DeviceChoice::Adapter("Voodoo 5".into()))).expect("open");
    generate(&engine, 2);
    let events = until_closed(&engine);
    assert!(matches!(&events[0], Event::DeviceFailed(failure) if failure.why.contains("Voodoo 5")), "{events:?}");
    finished(&events);
}

#[test]
fn a_graphics_card_that_is_lost_in_the_middle_of_a_run_leaves_it_to_the_processor() {
    let adapter = Some("llvmpipe".into());
    let gpu = Gpu::open(&GpuOptions { adapter, precision: Precision::F32, ..GpuOptions::default() });
    let gpu =
        gpu.unwrap_or_else(|e| panic!("{e}\nThis test needs Mesa's software driver: install mesa-vulkan-drivers."));
    let engine = Engine::start(Some(Box::new(gpu.clone())), Catalog::builtin(), processor()).expect("an engine");
    generate(&engine, 1);
    let mut events = Vec::new();
    loop {
        let event = engine.next_event(Duration::from_secs(120)).expect("an event in time");
        let is_first_step = matches!(event, Event::Step { step: 1, .. });
        events.push(event);
        if is_first_step {
            break;
        }
    }
    gpu.lose();
    events.extend(until_closed(&engine));
    let painted = finished(&events);
    assert_eq!((painted.run, &painted.picture), (RunId(1), &expected().picture));
    assert_eq!(devices(&events), ["gpu", "cpu"]);
    let told = |event: &Event| matches!(event, Event::DeviceFailed(failure) if failure.why.contains("lost"));
    assert!(events.iter().any(told), "{events:?}");
}
