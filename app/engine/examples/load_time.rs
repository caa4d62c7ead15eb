//! How long a load takes to end after Stop, and how much memory painting takes: run it on a model of full size.
//!
//!     cargo run --release -p fourstep-engine --example load_time -- MODEL [SIZE …]

use fourstep_catalog::Catalog;
use fourstep_engine::{Engine, EngineOptions};
use fourstep_protocol::{Client, Command, Event, ModelRef, Request, RunId, Size};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::print_stdout, reason = "it is a measurement")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = ModelRef::new(arguments.next().ok_or("give a model")?);
    let sizes = arguments.map(|size| size.parse()).collect::<Result<Vec<Size>, _>>()?;
    let info = Catalog::builtin().inspect(&model)?;
    let mut run = 0;
    for wait_ms in [0, 50, 150, 300, 500, 800, 1200] {
        let engine = Engine::spawn(Catalog::builtin(), EngineOptions::default())?;
        run += 1;
        engine.send(Command::Generate { run: RunId(run), request: Arc::new(Request::new(&info, "a cat")) })?;
        std::thread::sleep(Duration::from_millis(wait_ms));
        let clock = Instant::now();
        engine.send(Command::Stop)?;
        let (_, at) = closing(&engine);
        println!("stop after {wait_ms} ms, at {:.0} %: {:?}", at * 100.0, clock.elapsed());
    }
    let engine = Engine::spawn(Catalog::builtin(), EngineOptions::default())?;
    for size in sizes {
        run += 1;
        let request = Request { size, steps: 1, ..Request::new(&info, "a cat") };
        engine.send(Command::Generate { run: RunId(run), request: Arc::new(request) })?;
        let (event, _) = closing(&engine);
        match event {
            Some(Event::Finished(finished)) => println!("{size}: {:?}", finished.timings),
            other => println!("{size}: {other:?}"),
        }
        println!("{size}: {}", memory()?);
    }
    Ok(())
}

/// The closing event, and how much was loaded.
fn closing(engine: &Engine) -> (Option<Event>, f32) {
    let mut loaded = 0.0;
    while let Some(event) = engine.next_event(Duration::from_secs(600)) {
        match event {
            Event::Loading { fraction, .. } => loaded = fraction,
            Event::Finished(_) | Event::Stopped { .. } | Event::Failed { .. } => return (Some(event), loaded),
            _ => {}
        }
    }
    (None, loaded)
}

/// Resident memory now and at most, of which file pages are a part.
fn memory() -> std::io::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let lines =
        status.lines().filter(|line| ["VmHWM", "VmRSS", "RssAnon", "RssFile"].iter().any(|k| line.starts_with(k)));
    Ok(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", "))
}
