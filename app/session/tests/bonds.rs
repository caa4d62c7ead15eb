//! Following the run of the picture that is shown.

mod engine;

use engine::{FAST, World, models};
use fourstep_protocol::{ModelRef, Sampler};
use fourstep_session::{Action, Bond};

fn follow(bond: Bond, steps: u32) -> Action {
    Action::Follow { bond, steps: Some(steps) }
}

fn forked() -> World {
    let mut w = World::settled(FAST);
    w.act(Action::SetPrompt("a dog".into()));
    w.settle();
    w.act(follow(Bond::Fork, 2));
    w.settle();
    w
}

#[test]
fn a_fork_keeps_the_run_that_was_shown_while_settings_change() {
    let mut w = forked();
    let runs = w.sent.len();
    assert_eq!(w.session.request().fork.as_ref().map(|fork| fork.steps), Some(2));
    assert!(!w.session.is_stale(), "what follows itself is the same picture");
    w.act(Action::SetPrompt("a car".into()));
    w.settle();
    assert_eq!(w.sent.len(), runs + 1);
    let sent = &w.sent.last().expect("a run").2;
    assert_eq!((sent.prompt.as_str(), sent.fork.as_ref().map(|f| f.request.prompt.as_str())), ("a car", Some("a dog")));

    w.act(follow(Bond::Fork, 3));
    let fork = w.session.request().fork.clone().expect("still forked");
    assert_eq!((fork.steps, fork.request.prompt.as_str()), (3, "a dog"), "other steps of the same run");
    w.act(Action::Follow { bond: Bond::Fork, steps: None });
    assert_eq!(w.session.request().fork, None);
}

#[test]
fn a_fork_of_what_was_forked_later_follows_the_first_run() {
    let mut w = forked();
    w.act(Action::SetPrompt("a car".into()));
    w.settle();
    w.act(Action::Follow { bond: Bond::Fork, steps: None });
    w.act(Action::Undo);
    w.settle();
    w.act(Action::Follow { bond: Bond::Composition, steps: Some(1) });
    let held = w.session.request().composition.clone().expect("held");
    assert_eq!(held.request.prompt, "a dog", "one step of a run that was forked after two");
    assert_eq!(held.request.fork, None);
}

#[test]
fn steps_and_models_take_their_anchors_along_or_let_go() {
    let mut w = forked();
    w.act(Action::SetSteps(2));
    assert_eq!(w.session.request().fork.as_ref().map(|fork| fork.steps), Some(1));
    w.act(Action::SetSteps(1));
    assert_eq!((w.session.request().fork.clone(), w.session.bond_range()), (None, None));
    w.act(Action::Undo);
    assert!(w.session.request().fork.is_some(), "taken back like any setting");
    w.act(Action::ChooseModel(ModelRef::new("full")));
    assert_eq!(w.session.request().fork, None);
}

#[test]
fn what_is_followed_is_valid_with_every_sampler() {
    let mut w = forked();
    w.act(Action::SetSampler(Sampler::Ddim));
    w.act(Action::SetGuidance(9.0));
    w.settle();
    w.act(Action::SetSampler(Sampler::Lcm));
    let request = w.session.request();
    assert_eq!(request.validate(&models()[0]), Ok(()));
}
