//! The inference thread.

use crate::{
    far_end::FarEnd,
    fault::{Result, RunError},
    mailbox::{Asked, Work},
    memory::Memory,
    models::Setup,
    pipeline::{Pipeline, Run},
};
use crossbeam_channel::{Sender, TrySendError};
use fourstep_compute::{Backend, cpu::lower_priority};
use fourstep_protocol::{DeviceChoice, DeviceInfo, Event, Failure, Finished, RunId};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

/// Does one run after the other, always the newest, on one device. Every run that was asked for ends in exactly one of
/// `Finished`, `Stopped` and `Failed`, here or on the device after this one.
pub(crate) struct Worker<'a, B: Backend> {
    far_end: &'a FarEnd,
    setup: Setup<B>,
    pipeline: Pipeline<B>,
    /// The processor itself computes: there is nothing to fall back to.
    on_processor: bool,
}

/// Why a device was left.
pub(crate) enum Left {
    /// Nobody can ask any more.
    Unneeded,
    /// Another was chosen; the run is to be done there.
    Chosen(DeviceChoice, Option<Asked>),
    /// It failed during this run.
    Failed(Failure, Asked),
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
    pub(crate) fn send(&self, event: Event) {
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

impl<'a, B: Backend> Worker<'a, B> {
    pub(crate) fn new(far_end: &'a FarEnd, backend: B) -> Self {
        let on_processor = backend.info().threads > 0;
        let memory = Memory::new(&backend, far_end.available_bytes.clone());
        let setup = Setup { backend, catalog: far_end.catalog.clone(), memory };
        Self { far_end, pipeline: Pipeline::new(setup.clone()), setup, on_processor }
    }

    /// Does `first`, and works until the device is left.
    pub(crate) fn work(mut self, first: Option<Asked>) -> Left {
        if self.on_processor {
            lower_priority();
        }
        self.far_end.events.send(Event::Ready(device_info(&self.setup.backend)));
        let mut work = Work { generate: first, ..Work::default() };
        loop {
            if let Some(left) = self.do_all(work) {
                return left;
            }
            match self.far_end.inbox.next() {
                Some(next) => work = next,
                None => return Left::Unneeded,
            }
        }
    }

    fn do_all(&mut self, work: Work) -> Option<Left> {
        let events = &self.far_end.events;
        for model in work.inspect {
            let inspected = catch_unwind(AssertUnwindSafe(|| self.setup.catalog.inspect(&model)));
            events.send(match inspected.unwrap_or_else(|panic| Err(panicked(&*panic))) {
                Ok(info) => Event::Inspected(Box::new(info)),
                Err(failure) => Event::Failed { run: None, failure },
            });
        }
        for run in work.dropped {
            events.send(Event::Stopped { run });
        }
        if let Some(choice) = work.device {
            return Some(Left::Chosen(choice, work.generate));
        }
        self.generate(work.generate?)
    }

    fn generate(&mut self, asked: Asked) -> Option<Left> {
        let (pipeline, events) = (&mut self.pipeline, &self.far_end.events);
        let cancel = self.far_end.floor.token(asked.run.0);
        let run = Run { id: asked.run, request: &asked.request, cancel, emit: &|event| events.send(event) };
        // What a panic leaves half-changed is the pipeline, which is thrown away below.
        let result = catch_unwind(AssertUnwindSafe(|| pipeline.paint(&run)));
        let result = result.unwrap_or_else(|panic| {
            self.pipeline = Pipeline::new(self.setup.clone());
            // Drivers panic too; a fault of our own is told when the processor has it as well.
            Err(RunError::Device(panicked(&*panic)))
        });
        if let (Err(RunError::Device(failure)), false) = (&result, self.on_processor) {
            return Some(Left::Failed(failure.clone(), asked));
        }
        events.send(closing(asked.run, result));
        None
    }
}

fn closing(run: RunId, result: Result<Finished>) -> Event {
    match result {
        Ok(finished) => Event::Finished(Box::new(finished)),
        Err(RunError::Cancelled) => Event::Stopped { run },
        Err(RunError::Failed(failure) | RunError::Device(failure)) => {
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
        memory_bytes: backend.device_memory().map(|memory| memory.total_bytes),
    }
}
