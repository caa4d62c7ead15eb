use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use fourstep_protocol::{Command, DeviceChoice, ModelRef, Request, RunId};
use std::sync::Arc;

/// Commands that can wait before the oldest is given up: far more than a worker leaves lying, as it drains all of them
/// whenever it looks.
const CAPACITY: usize = 64;

/// A bounded channel of commands in which the newest wins.
pub(crate) fn mailbox() -> (Outbox, Inbox) {
    let (sender, receiver) = bounded(CAPACITY);
    (Outbox { sender, overflow: receiver.clone() }, Inbox(receiver))
}

/// The sender's end.
pub(crate) struct Outbox {
    sender: Sender<Command>,
    overflow: Receiver<Command>,
}

impl Outbox {
    /// Hands a command over and never blocks: where the channel is full, the oldest command makes room, since a newer
    /// one of the same kind supersedes it.
    pub(crate) fn send(&self, mut command: Command) {
        loop {
            match self.sender.try_send(command) {
                // Disconnected cannot be: this end holds a receiver. Whether the worker lives is its thread's to say.
                Ok(()) | Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(back)) => {
                    let _ = self.overflow.try_recv();
                    command = back;
                }
            }
        }
    }
}

/// The worker's end.
pub(crate) struct Inbox(Receiver<Command>);

/// What is left of all waiting commands once superseded ones are dropped.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Work {
    /// What everything after this is computed on, where that was chosen.
    pub(crate) device: Option<DeviceChoice>,
    /// Models to describe, in order.
    pub(crate) inspect: Vec<ModelRef>,
    /// Runs that were superseded before they began.
    pub(crate) dropped: Vec<RunId>,
    /// The one run to do.
    pub(crate) generate: Option<Asked>,
}

/// A run that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) run: RunId,
    pub(crate) request: Arc<Request>,
}

impl Inbox {
    /// Waits for a command, then takes everything that is waiting. `None` once all senders are gone.
    pub(crate) fn next(&self) -> Option<Work> {
        let mut work = Work::default();
        work.take(self.0.recv().ok()?);
        self.0.try_iter().for_each(|command| work.take(command));
        Some(work)
    }
}

impl Work {
    fn take(&mut self, command: Command) {
        match command {
            Command::Generate { run, request } => {
                self.dropped.extend(self.generate.replace(Asked { run, request }).map(|asked| asked.run));
            }
            Command::Stop => self.dropped.extend(self.generate.take().map(|asked| asked.run)),
            Command::Inspect(model) => self.inspect.push(model),
            Command::Compute(device) => self.device = Some(device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourstep_protocol::{Family, Guidance, ModelInfo, Recipe, Sampler, Size};

    fn generate(run: u64) -> Command {
        let recipe = Recipe { loras: vec![], sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 };
        let model = ModelInfo {
            model: ModelRef::new("m"),
            name: String::new(),
            detail: String::new(),
            family: Family::Custom,
            guidance: Guidance::None,
            native_size: Size::new(64, 64),
            live: recipe,
            compare: None,
            few_step: None,
        };
        Command::Generate { run: RunId(run), request: Arc::new(Request::new(&model, "")) }
    }

    #[test]
    fn only_the_newest_run_is_left() {
        let (out, inbox) = mailbox();
        for command in [generate(1), Command::Inspect(ModelRef::new("x")), generate(2), generate(3)] {
            out.send(command);
        }
        let work = inbox.next().expect("open");
        assert_eq!(work.generate.expect("a run").run, RunId(3));
        assert_eq!(work.dropped, [RunId(1), RunId(2)]);
        assert_eq!(work.inspect, [ModelRef::new("x")]);
    }

    #[test]
    fn stop_drops_what_waits() {
        let (out, inbox) = mailbox();
        out.send(generate(1));
        out.send(Command::Stop);
        let work = inbox.next().expect("open");
        assert_eq!((work.generate, work.dropped), (None, vec![RunId(1)]));
    }

    #[test]
    fn a_flood_neither_blocks_nor_grows() {
        let (out, inbox) = mailbox();
        for run in 0..10_000 {
            out.send(generate(run));
        }
        let work = inbox.next().expect("open");
        assert_eq!(work.generate.expect("a run").run, RunId(9_999));
        assert!(work.dropped.len() < CAPACITY);
    }

    #[test]
    fn the_worker_notices_that_nobody_will_ask_again() {
        let (out, inbox) = mailbox();
        drop(out);
        assert_eq!(inbox.next(), None);
    }
}
