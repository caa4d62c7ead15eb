//! Choosing what computes, and a device that fails.

mod engine;

use engine::{FAST, World, device, failure};
use fourstep_protocol::{DeviceChoice, DeviceInfo, Event};
use fourstep_session::{Action, Moment, Status};

fn status(world: &World) -> Status {
    world.session.status(Moment(world.now))
}

#[test]
fn another_device_paints_the_same_picture_again() {
    let mut w = World::settled(FAST);
    let before = w.session.shown().expect("a picture").request.clone();
    w.act(Action::ChooseDevice(DeviceChoice::Processor));
    assert_eq!(w.session.device_choice(), &DeviceChoice::Processor);
    assert_eq!(w.session.settings().device, DeviceChoice::Processor);
    w.settle();
    assert_eq!(w.sent.len(), 1);
    assert_eq!(w.sent[0].2, before);
    assert_eq!(w.session.device().expect("a device").device, "Processor");
    w.assert_final();
}

#[test]
fn a_device_is_changed_while_a_run_is_in_progress_and_without_live_painting() {
    let mut w = World::settled(FAST);
    w.act(Action::SetPrompt("a dog".into()));
    w.wait(0.1);
    w.act(Action::ChooseDevice(DeviceChoice::Processor));
    w.settle();
    w.assert_final();
    w.act(Action::SetLive(false));
    w.sent.clear();
    w.act(Action::ChooseDevice(DeviceChoice::Auto));
    w.settle();
    assert_eq!((w.sent.len(), status(&w)), (1, Status::Paused));
}

#[test]
fn a_run_begins_again_where_its_device_failed() {
    let mut w = World::settled(FAST);
    w.act(Action::SetPrompt("a dog".into()));
    let run = loop {
        w.wait(0.01);
        match w.session.latest_step() {
            Some(step) if step.step == 2 => break step.run,
            _ => {}
        }
    };
    w.receive(Event::DeviceFailed(failure()));
    w.receive(Event::Ready(DeviceInfo { device: "slow".into(), ..device() }));
    assert_eq!(w.session.failure(), Some(&failure()));
    assert_eq!(w.session.metrics(), Default::default(), "what was measured is of the other device");
    assert!(matches!(status(&w), Status::Painting { step: 0, .. }), "{:?}", status(&w));
    // The engine paints the run again, under the same name.
    w.settle();
    assert_eq!(w.session.shown().expect("a picture").run, run);
    assert_eq!(status(&w), Status::Idle, "the picture is there, and the message stays until it is put away");
    assert_eq!(w.session.failure(), Some(&failure()));
    w.act(Action::DismissFailure);
    assert_eq!(w.session.failure(), None);
}

#[test]
fn trying_again_asks_for_the_device_that_failed() {
    let mut w = World::settled(FAST);
    w.receive(Event::DeviceFailed(failure()));
    w.receive(Event::Ready(DeviceInfo { device: "slow".into(), ..device() }));
    w.act(Action::Retry);
    assert_eq!(w.session.failure(), None);
    w.settle();
    assert_eq!((w.sent.len(), &*w.session.device().expect("a device").device), (1, "Auto"));
    w.assert_final();
}
