//! Small models on disk, and a run of one of them.

#![allow(dead_code, reason = "each test binary uses some of it")]

use fourstep_catalog::Catalog;
use fourstep_engine::{Engine, EngineOptions};
use fourstep_protocol::{Client, Command, Event, Failure, ModelRef, Picture, Request, RunId};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

pub(crate) fn golden_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pipeline").join(name)
}

pub(crate) fn golden_lora(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/lora").join(name)
}

/// A copy of a golden model, to be changed.
pub(crate) fn golden_copy(name: &str) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_folder(&golden_folder(name), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Events up to the closing one of this run.
pub(crate) fn paint(engine: &Engine, run: u64, request: Request) -> Vec<Event> {
    engine.send(Command::Generate { run: RunId(run), request: Arc::new(request) }).expect("open");
    until_closed(engine, run)
}

/// Events up to and with the closing one of `run`.
pub(crate) fn until_closed(engine: &Engine, run: u64) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = engine.next_event(Duration::from_secs(60)).expect("an event in time");
        let closing = matches!(event, Event::Finished(_) | Event::Stopped { .. } | Event::Failed { .. });
        let last = closing && event.run() == Some(RunId(run));
        events.push(event);
        if last {
            return events;
        }
    }
}

pub(crate) fn engine() -> Engine {
    Engine::spawn(Catalog::builtin(), EngineOptions::default()).expect("an engine")
}

/// A cat by the model in this folder.
pub(crate) fn request(folder: &Path) -> Request {
    let info = Catalog::builtin().inspect(&ModelRef::new(folder.to_string_lossy())).expect("a model");
    Request { seed: 7, ..Request::new(&info, "a cat") }
}

pub(crate) fn failed(events: &[Event]) -> Failure {
    match events.last() {
        Some(Event::Failed { run: Some(_), failure }) => failure.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn finished(events: &[Event]) -> Arc<Picture> {
    match events.last() {
        Some(Event::Finished(finished)) => finished.picture.clone(),
        other => panic!("{other:?}"),
    }
}
