use fourstep_engine::Engine;
use fourstep_protocol::{Client, Command, Event, Request, RunId};
use std::{sync::Arc, time::Duration};

/// Events up to the closing one of this run.
pub(crate) fn paint(engine: &Engine, run: u64, request: Request) -> Vec<Event> {
    engine.send(Command::Generate { run: RunId(run), request: Arc::new(request) }).expect("open");
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
