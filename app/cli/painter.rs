use super::out;
use fourstep_catalog::Catalog;
use fourstep_engine::{Engine, EngineOptions};
use fourstep_protocol::{Client, Command, DeviceInfo, Event, Failure, Finished, Request, RunId};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// An engine, asked for one picture after the other.
pub(super) struct Painter {
    engine: Engine,
    last_run: RunId,
    /// What computes.
    pub(super) device: DeviceInfo,
    /// Why that is not what was asked for.
    pub(super) device_failure: Option<Failure>,
}

/// How long to wait for an event before looking whether the engine still lives.
const PATIENCE: Duration = Duration::from_secs(1);

impl Painter {
    /// Starts an engine and waits until it is up.
    ///
    /// # Errors
    /// [`Failure`] where there is no such device.
    pub(super) fn start(catalog: &Catalog, options: EngineOptions) -> Result<Self, Failure> {
        let engine = Engine::spawn(catalog.clone(), options)?;
        loop {
            if let Event::Ready(device) = next_event(&engine)? {
                return Ok(Self { engine, last_run: RunId(0), device, device_failure: None });
            }
        }
    }

    /// Paints, and shows every event of the run to `watch` as it comes.
    ///
    /// # Errors
    /// The run's [`Failure`].
    pub(super) fn paint(&mut self, request: &Request, watch: &mut dyn FnMut(&Event)) -> Result<Finished, Failure> {
        let run = self.begin(request)?;
        loop {
            let event = self.next_event()?;
            if event.run() != Some(run) {
                continue;
            }
            watch(&event);
            match event {
                Event::Finished(finished) => return Ok(*finished),
                Event::Failed { failure, .. } => return Err(failure),
                Event::Stopped { .. } => {
                    return Err(Failure::machine("The run was stopped", "something else asked for it", "Try again."));
                }
                _ => {}
            }
        }
    }

    /// Asks for a picture and does not wait.
    ///
    /// # Errors
    /// [`Failure`] where the engine is gone.
    pub(super) fn begin(&mut self, request: &Request) -> Result<RunId, Failure> {
        self.last_run = RunId(self.last_run.0 + 1);
        self.send(Command::Generate { run: self.last_run, request: Arc::new(request.clone()) })?;
        Ok(self.last_run)
    }

    /// Hands over a command.
    ///
    /// # Errors
    /// [`Failure`] where the engine is gone.
    pub(super) fn send(&self, command: Command) -> Result<(), Failure> {
        self.engine.send(command).map_err(|_| engine_gone())
    }

    /// Waits for an event.
    ///
    /// # Errors
    /// [`Failure`] where the engine is gone.
    pub(super) fn next_event(&mut self) -> Result<Event, Failure> {
        let event = next_event(&self.engine)?;
        match &event {
            Event::Ready(device) => self.device.clone_from(device),
            Event::DeviceFailed(failure) => {
                out::note(&format!("warning: {failure}"));
                self.device_failure = Some(failure.clone());
            }
            _ => {}
        }
        Ok(event)
    }
}

fn next_event(engine: &Engine) -> Result<Event, Failure> {
    loop {
        let start = Instant::now();
        if let Some(event) = engine.next_event(PATIENCE) {
            return Ok(event);
        }
        // An engine that is gone answers at once.
        if start.elapsed() < PATIENCE / 2 {
            return Err(engine_gone());
        }
    }
}

fn engine_gone() -> Failure {
    Failure::machine("The picture could not be painted", "the inference thread has ended", "Start again.")
}

/// A progress bar on a terminal; nothing anywhere else.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar that has not begun.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(1000);
        // A template that did not parse would leave the default bar, which is no reason to stop.
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:32} {percent:>3} %") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Follows a run.
    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Loading { what, fraction, .. } => self.set(&format!("loading {what}"), f64::from(*fraction)),
            Event::Started { steps, .. } => self.set(&format!("step 0/{steps}"), 0.0),
            Event::Step { step, steps, .. } => {
                self.set(&format!("step {step}/{steps}"), f64::from(*step) / f64::from(*steps));
            }
            Event::Finished(_) | Event::Failed { .. } | Event::Stopped { .. } => self.0.finish_and_clear(),
            Event::Ready(_) | Event::DeviceFailed(_) | Event::Inspected(_) | Event::Merged { .. } => {}
        }
    }

    fn set(&self, what: &str, fraction: f64) {
        self.0.set_message(what.to_owned());
        self.0.set_position((fraction * 1000.0) as u64);
    }
}
