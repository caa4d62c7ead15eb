//! The inference thread.

use crate::{
    fault::{Result, RunError},
    mailbox::{Inbox, Work},
    models::Setup,
    pipeline::{Pipeline, Run},
};
use crossbeam_channel::{Sender, TrySendError};
use fourstep_compute::{Backend, CancelFloor};
use fourstep_protocol::{DeviceInfo, Event, Failure, Finished, Request, RunId};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

/// Does one run after the other, always the newest. Every run that was asked for ends in exactly one of
/// `Finished`, `Stopped` and `Failed`.
pub(crate) struct Worker<B: Backend> {
    setup: Setup<B>,
    pipeline: Pipeline<B>,
    inbox: Inbox,
    events: Events,
    floor: CancelFloor,
}

/// Where events go: a bounded channel, and a bell to ring after each.
pub(crate) struct Events {
    sender: Sender<Event>,
    wake: Mutex<Box<dyn Fn() + Send>>,
}

impl Events {
    pub(crate) fn new(sender: Sender<Event>, wake: Box<dyn Fn() + Send>) -> Self {
        Self { sender, wake: Mutex::new(wake) }
    }

    /// Sends an event. Where nobody reads for a long time (a minimised window), previews and progress are dropped and
    /// the rest waits.
    fn send(&self, event: Event) {
        match self.sender.try_send(event) {
            Err(TrySendError::Full(event)) if !droppable(&event) => {
                let _ = self.sender.send(event);
            }
            _ => {}
        }
        // A bell that panicked once is rung again: it is a plain function and holds nothing half-changed of ours.
        self.wake.lock().unwrap_or_else(PoisonError::into_inner)();
    }
}

fn droppable(event: &Event) -> bool {
    matches!(event, Event::Step { .. } | Event::Loading { .. })
}

impl<B: Backend> Worker<B> {
    pub(crate) fn new(setup: Setup<B>, inbox: Inbox, events: Events, floor: CancelFloor) -> Self {
        let pipeline = Pipeline::new(setup.clone());
        Self { setup, pipeline, inbox, events, floor }
    }

    /// Works until nobody can ask any more.
    pub(crate) fn work(mut self) {
        self.events.send(Event::Ready(device_info(&self.setup.backend)));
        while let Some(work) = self.inbox.next() {
            self.do_all(work);
        }
    }

    fn do_all(&mut self, work: Work) {
        for model in work.inspect {
            let inspected = catch_unwind(AssertUnwindSafe(|| self.setup.catalog.inspect(&model)));
            self.events.send(match inspected.unwrap_or_else(|panic| Err(panicked(&*panic))) {
                Ok(info) => Event::Inspected(Box::new(info)),
                Err(failure) => Event::Failed { run: None, failure },
            });
        }
        for run in work.dropped {
            self.events.send(Event::Stopped { run });
        }
        if let Some((run, request)) = work.generate {
            self.generate(run, &request);
        }
    }

    fn generate(&mut self, id: RunId, request: &Arc<Request>) {
        let (pipeline, events) = (&mut self.pipeline, &self.events);
        let run = Run { id, request, cancel: self.floor.token(id.0), emit: &|event| events.send(event) };
        // What a panic leaves half-changed is the pipeline, which is thrown away below.
        let result = catch_unwind(AssertUnwindSafe(|| pipeline.paint(&run)));
        let result = result.unwrap_or_else(|panic| {
            self.pipeline = Pipeline::new(self.setup.clone());
            Err(RunError::Failed(panicked(&*panic)))
        });
        self.events.send(closing(id, result));
    }
}

fn closing(run: RunId, result: Result<Finished>) -> Event {
    match result {
        Ok(finished) => Event::Finished(Box::new(finished)),
        Err(RunError::Cancelled) => Event::Stopped { run },
        Err(RunError::Failed(failure)) => {
            // Whoever asked tells the person; said twice on a terminal otherwise.
            log::debug!("run {}: {failure}", run.0);
            Event::Failed { run: Some(run), failure }
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    Failure::machine(
        "The inference thread ran into a fault of the program",
        message,
        "It was started afresh: change something or try again, and please report this.",
    )
}

fn device_info<B: Backend>(backend: &B) -> DeviceInfo {
    let info = backend.info();
    DeviceInfo {
        backend: info.backend.into(),
        device: info.device,
        precision: info.precision.into(),
        threads: info.threads,
    }
}
