//! What an inference thread keeps while its devices come and go.

use crate::{
    AvailableBytes, DeviceOptions,
    mailbox::{Asked, Inbox},
    worker::{Events, Left, Worker},
};
use fourstep_catalog::Catalog;
use fourstep_compute::{Backend, CancelFloor};
use fourstep_protocol::{Event, Failure};

/// Everything of the inference thread but the device and what lies on it.
pub(crate) struct FarEnd {
    pub(crate) catalog: Catalog,
    pub(crate) available_bytes: AvailableBytes,
    /// How devices are opened.
    pub(crate) devices: DeviceOptions,
    pub(crate) inbox: Inbox,
    pub(crate) events: Events,
    pub(crate) floor: CancelFloor,
}

/// A device of any kind, opened.
pub(crate) trait Serve: Send {
    /// Does `first` and then what is asked for, until the device is left. With it goes all that lies on it.
    fn serve(self: Box<Self>, far_end: &FarEnd, first: Option<Asked>) -> Left;
}

impl<B: Backend> Serve for B {
    fn serve(self: Box<Self>, far_end: &FarEnd, first: Option<Asked>) -> Left {
        Worker::new(far_end, *self).work(first)
    }
}

impl FarEnd {
    /// Works on this device, or on the one that was chosen, and on those that come after it, until nobody can ask any more.
    pub(crate) fn work(mut self, first: Option<Box<dyn Serve>>) {
        let (mut next, mut asked) = (first.map_or_else(|| self.open(), Ok), None);
        loop {
            let device = match next {
                Ok(device) => device,
                Err(failure) => {
                    let run = asked.map(|asked: Asked| asked.run);
                    return self.events.send(Event::Failed { run, failure });
                }
            };
            next = match device.serve(&self, asked) {
                Left::Unneeded => return,
                Left::Chosen(choice, waiting) => {
                    asked = waiting;
                    self.devices = self.devices.choose(&choice);
                    self.open()
                }
                Left::Failed(failure, begun) => {
                    asked = Some(begun);
                    self.go_on(failure)
                }
            };
        }
    }

    /// What was chosen; the processor where that cannot be opened.
    fn open(&self) -> Result<Box<dyn Serve>, Failure> {
        self.devices.open().map_or_else(|failure| self.go_on(failure), |device| Ok(device.serving()))
    }

    /// The processor, for what cannot be computed on another device any more.
    fn go_on(&self, failure: Failure) -> Result<Box<dyn Serve>, Failure> {
        log::warn!("{failure}");
        let remedy = "The processor paints from now on; choose the device again to go back to it.".into();
        self.events.send(Event::DeviceFailed(Failure { remedy, ..failure }));
        Ok(self.devices.on_processor().open()?.serving())
    }
}

#[cfg(test)]
mod double;
#[cfg(test)]
mod tests;
