//! What computes: what was chosen, and what becomes of it.

use crate::{Moment, Session, meter::Meter};
use fourstep_protocol::{Command, DeviceChoice, DeviceInfo, Failure};

impl Session {
    /// Computes on this from now on; what is wanted is painted again there.
    pub(crate) fn choose_device(&mut self, choice: DeviceChoice, now: Moment) {
        self.settings.device = choice;
        self.open_device(now);
    }

    /// Asks for the chosen device, also where it is the one in use or has failed.
    pub(crate) fn open_device(&mut self, now: Moment) {
        self.device_failure = None;
        self.declined = false;
        self.trouble.take_if(|trouble| trouble.of_run);
        self.outbox.push(Command::Compute(self.settings.device.clone()));
        self.generate(now);
    }

    /// The first device is up, or another one: then nothing that was measured holds any more, and a run in progress
    /// begins again.
    pub(crate) fn device_ready(&mut self, device: DeviceInfo, now: Moment) {
        if self.device.replace(device).is_none() {
            return;
        }
        self.meter = Meter::default();
        if let Some(run) = &mut self.run {
            run.begin_again(now);
            self.meter.begin(run.id, run.load.clone(), now);
        }
    }

    /// The device that failed is not the one that paints now.
    pub(crate) fn device_failed(&mut self, failure: Failure) {
        self.device_failure = Some(failure);
    }

    /// What is to be computed on, as the person chose it.
    pub fn device_choice(&self) -> &DeviceChoice {
        &self.settings.device
    }
}
