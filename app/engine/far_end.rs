//! What an inference thread keeps while its devices come and go.

use crate::{
    AvailableBytes, DeviceOptions,
    mailbox::{Asked, Inbox},
    worker::{Events, Left, Worker},
};
use fourstep_catalog::Catalog;
use fourstep_compute::{Backend, CancelFloor};
use fourstep_protocol::{DeviceChoice, Event, Failure};

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
    /// Works on this device, and on those that come after it, until nobody can ask any more.
    pub(crate) fn work(mut self, mut device: Box<dyn Serve>) {
        let mut asked = None;
        loop {
            let next = match device.serve(&self, asked) {
                Left::Unneeded => return,
                Left::Chosen(choice, waiting) => {
                    asked = waiting;
                    self.change_to(&choice)
                }
                Left::Failed(failure, begun) => {
                    asked = Some(begun);
                    self.go_on(failure)
                }
            };
            device = match next {
                Ok(device) => device,
                Err(failure) => {
                    let run = asked.map(|asked| asked.run);
                    return self.events.send(Event::Failed { run, failure });
                }
            };
        }
    }

    fn change_to(&mut self, choice: &DeviceChoice) -> Result<Box<dyn Serve>, Failure> {
        self.devices = self.devices.choose(choice);
        self.devices.open().map_or_else(|failure| self.go_on(failure), |device| Ok(device.serving()))
    }

    /// The processor, for what cannot be computed on another device any more.
    fn go_on(&self, failure: Failure) -> Result<Box<dyn Serve>, Failure> {
        log::warn!("{failure}");
        let remedy = "The processor paints from now on; choose the device again to go back to it.".into();
        self.events.send(Event::DeviceFailed(Failure { remedy, ..failure }));
        Ok(self.devices.open_processor()?.serving())
    }
}

#[cfg(test)]
mod double;
#[cfg(test)]
mod tests;
