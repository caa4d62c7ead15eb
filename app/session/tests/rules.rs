//! One test for each rule of the session.

mod engine;

use engine::{FAST, SLOW, World, failure, finished, latents, models};
use fourstep_protocol::{Command, Event, ModelRef, Noise, Request, RunId, Sampler, Size, Timings};
use fourstep_session::{Action, Moment, NegativeEffect, Notice, Session, Settings, Status};
use std::sync::Arc;

fn prompt(text: &str) -> Action {
    Action::SetPrompt(text.into())
}

fn choose(id: &str) -> Action {
    Action::ChooseModel(ModelRef::new(id))
}

impl World {
    fn status(&self) -> Status {
        self.session.status(Moment(self.now))
    }
}

#[test]
fn it_starts_by_painting_the_sample() {
    let mut s = Session::new(models(), Settings::sample(&models()));
    assert_eq!(s.status(Moment(0.0)), Status::Starting);
    assert_eq!(s.commands(Moment(0.0)).len(), 1);
    let mut w = World::new(FAST);
    w.settle();
    w.assert_final();
    assert_eq!(w.status(), Status::Idle);
    assert_eq!(w.session.device(), Some(&engine::device()));
    assert_eq!(w.session.tokens().unwrap().used, 7);
}

#[test]
fn a_paused_session_paints_once_at_its_start() {
    let settings = Settings { live: false, ..Settings::sample(&models()) };
    let mut s = Session::new(models(), settings);
    assert!(matches!(s.commands(Moment(0.0))[..], [Command::Generate { .. }]));
    s.act(prompt("x"), Moment(1.0));
    assert!(s.commands(Moment(9.0)).is_empty());
}

#[test]
fn identical_requests_do_nothing() {
    let mut w = World::settled(FAST);
    let same = w.session.request().clone();
    w.act(prompt(&same.prompt));
    w.act(Action::SetSteps(same.steps));
    w.act(Action::SetNegativePrompt("has no effect at guidance 1".into()));
    w.act(Action::Restore(Box::new(w.session.request().clone())));
    assert!(w.sent.is_empty());
    assert!(!w.session.is_stale());
}

#[test]
fn typing_and_deleting_returns_to_the_picture_that_is_there() {
    let mut w = World::settled(SLOW);
    let before = w.session.request().prompt.clone();
    w.act(prompt("x"));
    w.wait(1.0);
    assert_eq!(w.sent.len(), 1);
    w.act(prompt(&before));
    assert_eq!(w.stops, 1);
    w.settle();
    assert_eq!(w.sent.len(), 1);
    w.assert_final();
}

#[test]
fn events_of_superseded_and_stopped_runs_are_dropped() {
    let mut w = World::settled(FAST);
    w.act(Action::NewSeed(1));
    let old = w.sent.last().unwrap().clone();
    w.act(Action::SetSteps(2));
    w.wait(0.5);
    let (shown, steps) = (w.session.shown().unwrap().run, w.session.request().steps);
    assert_eq!((shown, steps), (RunId(old.1.0 + 1), 2));
    let late = Event::Step { run: old.1, step: 1, steps: 4, denoised: latents(), elapsed_secs: 0.1 };
    w.receive(late);
    assert!(w.session.latest_step().is_none());
    w.receive(Event::Finished(Box::new(finished(old.1, old.2, Timings::default()))));
    w.receive(Event::Failed { run: Some(old.1), failure: failure() });
    assert_eq!(w.session.shown().unwrap().run, shown);
    assert!(w.session.failure().is_none());
}

#[test]
fn previews_stay_until_the_next_and_are_named_with_their_model() {
    let mut w = World::settled(FAST);
    w.act(Action::NewSeed(1));
    w.wait(0.03);
    assert_eq!(w.status(), Status::Painting { step: 1, steps: 4 });
    w.act(choose("full"));
    assert_eq!(w.status(), Status::Painting { step: 0, steps: 4 });
    assert_eq!(w.session.latest_step().unwrap().model, ModelRef::new("sticker"));
    w.wait(0.04);
    assert_eq!(w.session.latest_step().unwrap().model, ModelRef::new("full"));
    w.settle();
    assert!(w.session.latest_step().is_none());
}

#[test]
fn the_picture_is_stale_while_it_is_not_of_the_request() {
    let mut w = World::settled(SLOW);
    let since = w.now;
    w.act(prompt("x"));
    w.wait(2.0);
    w.act(prompt("xy"));
    assert_eq!(w.session.stale_since(), Some(Moment(since)));
    w.settle();
    w.assert_final();
}

#[test]
fn numbers_are_brought_into_range_and_told() {
    let mut w = World::settled(FAST);
    w.act(Action::SetGuidance(3.0));
    assert_eq!(w.session.request().guidance_scale, 2.0);
    assert!(matches!(w.session.notices(), [Notice::Guidance { asked: 3.0, used: 2.0, .. }]));
    w.act(Action::DismissNotice);
    assert!(w.session.notices().is_empty());
    w.act(Action::SetSteps(0));
    assert_eq!(w.session.request().steps, 1);
    w.act(Action::SetSize(Size::new(100, 10)));
    assert_eq!(w.session.request().size, Size::new(104, 64));
    w.act(Action::SetSampler(Sampler::Ddim));
    w.act(Action::SetGuidance(7.0));
    w.act(Action::SetSteps(25));
    assert!(w.session.notices().is_empty());
    w.act(Action::SetSampler(Sampler::Lcm));
    let r = w.session.request();
    assert_eq!((r.guidance_scale, r.steps), (2.0, 8));
    assert!(matches!(w.session.notices(), [Notice::Steps { asked: 25, used: 8, .. }, Notice::Guidance { .. }]));
    w.act(Action::SetLora { index: 0, weight: 5.0 });
    w.act(Action::SetLora { index: 9, weight: 1.0 });
    assert_eq!(w.session.request().loras[0].weight, 2.0);
}

#[test]
fn a_turbo_model_is_given_four_steps_at_most() {
    let mut w = World::settled(FAST);
    w.act(Action::ChooseModel(models()[2].model.clone()));
    w.act(Action::SetSteps(7));
    assert_eq!(w.session.request().steps, 4);
    // Settings that come back paint what they painted.
    let eight = Request { steps: 8, ..w.session.request().clone() };
    w.act(Action::Restore(Box::new(eight)));
    assert_eq!(w.session.request().steps, 8);
}

#[test]
fn paused_nothing_is_sent_until_enter() {
    let mut w = World::settled(FAST);
    w.act(Action::SetLive(false));
    w.act(prompt("x"));
    w.act(Action::SetSteps(2));
    w.settle();
    assert_eq!(w.status(), Status::Paused);
    assert!(w.sent.is_empty() && w.session.is_stale());
    w.act(Action::Paint { fresh_seed: 5 });
    assert_eq!(w.sent.len(), 1);
    assert_eq!(w.session.request().seed, 0);
    w.settle();
    w.assert_final();
    w.act(prompt("y"));
    w.act(Action::SetLive(true));
    w.settle();
    w.assert_final();
    assert_eq!(w.sent.len(), 2);
}

#[test]
fn enter_paints_another_seed_unless_it_is_locked() {
    let mut w = World::settled(FAST);
    w.act(Action::Paint { fresh_seed: 5 });
    assert_eq!(w.session.request().seed, 5);
    w.settle();
    w.act(Action::LockSeed(true));
    w.act(Action::Paint { fresh_seed: 6 });
    assert_eq!((w.sent.len(), w.session.request().seed), (1, 5));
    w.act(Action::Undo);
    assert_eq!(w.session.request().seed, 0);
}

#[test]
fn enter_does_not_wait_for_a_pause() {
    let mut w = World::settled(SLOW);
    w.act(prompt("x"));
    assert!(w.sent.is_empty());
    w.act(Action::Paint { fresh_seed: 5 });
    assert_eq!(w.sent.len(), 1);
    w.act(Action::Paint { fresh_seed: 6 });
    assert_eq!((w.sent.len(), w.session.request().seed), (1, 0));
}

#[test]
fn stop_ends_the_run_and_does_not_resend_it() {
    let mut w = World::settled(SLOW);
    w.act(Action::NewSeed(1));
    w.wait(3.0);
    w.act(prompt("pending"));
    w.act(Action::Stop);
    assert_eq!(w.stops, 1);
    w.settle();
    assert_eq!(w.sent.len(), 1);
    assert_eq!(w.status(), Status::Idle);
    assert!(w.session.is_live() && w.session.is_stale() && w.session.latest_step().is_none());
    w.act(Action::Stop);
    assert_eq!(w.stops, 1);
    w.act(Action::Paint { fresh_seed: 9 });
    w.settle();
    w.assert_final();
    assert_eq!(w.session.request().seed, 1);
}

#[test]
fn a_failed_request_is_not_resent_until_something_changes() {
    let mut w = World::settled(FAST);
    w.act(prompt("cursed"));
    w.settle();
    assert_eq!(w.status(), Status::Failed(failure()));
    assert_eq!(w.sent.len(), 1);
    w.act(Action::DismissFailure);
    w.settle();
    assert_eq!((w.sent.len(), w.status()), (1, Status::Idle));
    w.act(Action::SetSteps(2));
    w.settle();
    assert_eq!(w.sent.len(), 2);
    w.act(Action::Retry);
    assert_eq!(w.sent.len(), 3);
    w.settle();
    w.act(prompt("fine"));
    assert!(w.session.failure().is_none());
    w.settle();
    w.assert_final();
}

#[test]
fn a_choice_goes_at_once_and_a_held_key_is_paced() {
    let mut w = World::settled(SLOW);
    w.act(Action::SetSteps(2));
    assert_eq!(w.sent.len(), 1);
    w.wait(1.0);
    for seed in 0..30 {
        w.act(Action::NudgeSeed(1));
        assert_eq!(w.session.request().seed, seed + 1);
        w.wait(0.03);
    }
    assert_eq!(w.sent.len(), 2);
    w.settle();
    assert_eq!(w.sent.len(), 3);
    w.assert_final();
}

#[test]
fn a_pause_fills_a_ring_and_wakes_the_window() {
    let mut w = World::settled(SLOW);
    w.act(prompt("x"));
    let wake = w.session.next_wake(Moment(w.now)).unwrap();
    assert!((wake - 0.25).abs() < 1e-9);
    let Status::Waiting { fraction } = w.session.status(Moment(w.now + 0.125)) else { panic!("not waiting") };
    assert!((fraction - 0.5).abs() < 1e-6);
    w.wait(wake);
    assert_eq!(w.sent.len(), 1);
    assert_eq!(w.session.next_wake(Moment(w.now)), None);
}

#[test]
fn guidance_above_one_doubles_the_cost_and_makes_negatives_work() {
    let mut w = World::settled(FAST);
    assert_eq!(w.session.negative_effect(), NegativeEffect::NoUnconditionalPass);
    assert_eq!(w.session.cost_factor(), 1);
    w.act(Action::SetGuidance(1.5));
    assert_eq!(w.session.negative_effect(), NegativeEffect::Active);
    assert_eq!(w.session.cost_factor(), 2);
    w.settle();
    w.act(Action::SetNegativePrompt("blurry".into()));
    w.settle();
    assert_eq!(w.sent.len(), 2);
}

#[test]
fn undo_takes_back_settings_and_paints_them() {
    let mut w = World::settled(FAST);
    for text in ["c", "ca", "cat"] {
        w.act(prompt(text));
        w.wait(0.2);
    }
    w.act(Action::SetNoise(Noise::Philox));
    w.act(Action::Undo);
    assert_eq!(w.session.request().noise, Noise::Torch);
    w.act(Action::Undo);
    assert_eq!(w.session.request().prompt, fourstep_session::SAMPLE_PROMPT);
    assert!(!w.session.can_undo() && w.session.can_redo());
    w.act(Action::Undo);
    w.settle();
    w.assert_final();
    w.act(Action::Redo);
    assert_eq!(w.session.request().prompt, "cat");
}

#[test]
fn an_empty_prompt_and_an_empty_list_of_models_are_no_trouble() {
    let mut w = World::settled(FAST);
    w.act(prompt(""));
    w.settle();
    w.assert_final();
    let mut s = Session::new(vec![], Settings::sample(&[]));
    assert_eq!(s.commands(Moment(0.0)).len(), 1);
    assert_eq!(s.request().validate(s.model()), Ok(()));
}

#[test]
fn an_engine_that_fails_to_start_is_told() {
    let mut s = Session::new(models(), Settings::sample(&models()));
    s.commands(Moment(0.0));
    s.receive(Event::Failed { run: None, failure: failure() }, Moment(0.1));
    assert_eq!(s.status(Moment(0.1)), Status::Failed(failure()));
    assert!(s.commands(Moment(0.1)).is_empty());
    s.act(Action::Retry, Moment(0.2));
    assert_eq!(s.commands(Moment(0.2)).len(), 1);
}

#[test]
fn a_failure_of_a_run_that_is_about_to_be_superseded_is_not_told() {
    let mut w = World::settled(SLOW);
    w.act(Action::NewSeed(1));
    w.wait(0.5);
    w.act(prompt("pending"));
    let run = w.sent.last().unwrap().1;
    w.receive(Event::Failed { run: Some(run), failure: failure() });
    assert!(w.session.failure().is_none());
    w.settle();
    assert_eq!(w.session.shown().unwrap().request, Arc::new(w.session.request().clone()));
}

#[test]
fn a_change_without_effect_does_not_try_a_failed_request_again() {
    let mut w = World::settled(FAST);
    w.act(prompt("cursed"));
    w.settle();
    w.act(Action::SetNegativePrompt("no effect at guidance 1".into()));
    w.settle();
    assert_eq!((w.sent.len(), w.status()), (1, Status::Failed(failure())));
}

#[test]
fn turning_live_on_again_paints_what_was_stopped() {
    let mut w = World::settled(SLOW);
    w.act(Action::NewSeed(1));
    w.act(Action::Stop);
    w.act(Action::SetLive(false));
    w.act(Action::SetLive(true));
    w.settle();
    w.assert_final();
}

#[test]
fn a_new_run_makes_a_stop_before_it_needless() {
    let mut s = Session::new(models(), Settings::sample(&models()));
    s.commands(Moment(0.0));
    s.act(Action::Stop, Moment(0.1));
    s.act(Action::NewSeed(1), Moment(0.1));
    let commands = s.commands(Moment(0.1));
    assert!(matches!(commands[..], [Command::Generate { run: RunId(2), .. }]), "{commands:?}");
}
