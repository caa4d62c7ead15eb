//! What is painted while nothing else is wanted, and that nothing else notices.

#![allow(clippy::unwrap_used)]

mod engine;

use engine::{FAST, Pace, SLOW, World, failure, latents, models};
use fourstep_protocol::{Event, LoraRef, ModelInfo, ModelRef, Recipe, Sampler};
use fourstep_session::{Action, Moment, Settings, Status, Tab, TwinState};

fn slow() -> Recipe {
    Recipe { loras: vec![], sampler: Sampler::Ddim, steps: 25, guidance_scale: 4.0 }
}

/// The first model knows a slow recipe.
fn with_slow() -> Vec<ModelInfo> {
    let mut models = models();
    models[0].compare = Some(slow());
    models
}

fn world(pace: Pace) -> World {
    let mut world = World::of(with_slow(), pace, Settings::sample(&with_slow()));
    world.settle();
    world
}

fn open(world: &mut World, tab: Tab) {
    world.session.ui_mut().tab = tab;
    world.wait(0.0);
}

fn prompt(text: &str) -> Action {
    Action::SetPrompt(text.into())
}

impl World {
    fn status(&self) -> Status {
        self.session.status(Moment(self.now))
    }
}

#[test]
fn the_twin_has_the_same_prompt_and_seed_and_the_slow_recipe_without_the_few_step_lora() {
    let mut w = world(FAST);
    w.act(Action::AddLora("ink".into()));
    w.act(Action::SetSeed(7));
    w.settle();
    assert!(w.idle.is_empty(), "nobody looks at it");
    open(&mut w, Tab::Twin);
    let (_, run, twin) = w.idle[0].clone();
    assert_eq!((twin.seed, &twin.prompt), (7, &w.session.request().prompt));
    assert_eq!((twin.sampler, twin.steps, twin.guidance_scale), (Sampler::Ddim, 25, 4.0));
    assert_eq!(twin.loras, [LoraRef { source: "ink".into(), weight: 1.0 }]);
    assert_eq!(w.session.idle_run(), Some(run));
    w.wait(0.1);
    assert!(matches!(w.session.twin(), TwinState::Painting { step: 1.., steps: 25 }));
    w.settle();
    assert!(matches!(w.session.twin(), TwinState::Finished(finished) if finished.run == run));
    assert_eq!((w.session.twin_steps().len(), w.idle.len()), (25, 1));
    w.assert_final();
}

#[test]
fn nothing_but_its_customer_notices_an_idle_run() {
    let mut w = world(FAST);
    let before = (w.session.metrics(), w.session.shown().unwrap().run, w.session.tokens());
    let (previews, pictures) = (w.previews.len(), w.pictures.len());
    open(&mut w, Tab::Twin);
    w.wait(0.2);
    assert!(w.session.idle_run().is_some());
    assert_eq!(w.status(), Status::Idle);
    assert!(w.session.latest_step().is_none());
    assert_eq!(w.session.next_wake(Moment(w.now)), None);
    w.settle();
    assert_eq!((w.session.metrics(), w.session.shown().unwrap().run, w.session.tokens()), before);
    assert_eq!((w.previews.len(), w.pictures.len()), (previews, pictures));
    assert!(!w.session.is_stale());
}

#[test]
fn a_change_supersedes_idle_work_at_once_and_it_comes_back_afterwards() {
    let mut w = world(FAST);
    open(&mut w, Tab::Twin);
    w.wait(0.1);
    let sent = w.sent.len();
    w.act(prompt("another"));
    assert_eq!(w.sent.len(), sent + 1, "a fast model does not wait for it");
    assert!(w.session.idle_run().is_none() && w.session.twin_steps().is_empty());
    assert!(matches!(w.session.twin(), TwinState::NoPicture));
    assert_eq!(w.stops, 0, "the new run supersedes it");
    w.settle();
    assert_eq!(w.idle.len(), 2);
    assert_eq!(w.idle[1].2.prompt, "another");
    assert!(matches!(w.session.twin(), TwinState::Finished(_)));
}

#[test]
fn a_slow_model_stops_idle_work_while_it_waits_for_a_pause() {
    let mut w = world(SLOW);
    open(&mut w, Tab::Twin);
    w.wait(5.0);
    let sent = w.sent.len();
    w.act(prompt("another"));
    assert_eq!((w.sent.len(), w.stops), (sent, 1));
    assert!(w.session.idle_run().is_none());
    let waited = w.session.next_wake(Moment(w.now)).unwrap();
    assert!(waited <= 0.25, "{waited}");
    w.wait(0.3);
    assert_eq!(w.sent.len(), sent + 1);
}

#[test]
fn a_failed_idle_run_is_its_customers_trouble_and_is_not_tried_again() {
    let mut w = world(FAST);
    open(&mut w, Tab::Twin);
    let run = w.session.idle_run().unwrap();
    w.receive(Event::Failed { run: Some(run), failure: failure() });
    w.settle();
    assert!(matches!(w.session.twin(), TwinState::Failed(why) if *why == failure()));
    assert_eq!((w.session.failure(), w.status(), w.idle.len()), (None, Status::Idle, 1));
    w.act(Action::NewSeed(9));
    w.settle();
    assert!(matches!(w.session.twin(), TwinState::Finished(_)), "of another picture it may work");
}

#[test]
fn paused_it_works_only_for_the_tab_that_is_open() {
    let mut w = world(FAST);
    open(&mut w, Tab::Twin);
    w.wait(0.1);
    open(&mut w, Tab::Picture);
    assert!(w.session.idle_run().is_some(), "what was begun is finished while live");
    w.act(Action::SetLive(false));
    assert_eq!((w.session.idle_run(), w.stops), (None, 1));
    open(&mut w, Tab::Twin);
    assert!(w.session.idle_run().is_some());
    w.act(prompt("not painted"));
    assert!(w.session.idle_run().is_none());
    w.settle();
    assert!(matches!(w.session.twin(), TwinState::NoPicture));
    w.act(Action::Paint { fresh_seed: 1 });
    w.settle();
    assert!(matches!(w.session.twin(), TwinState::Finished(_)));
    assert_eq!(w.status(), Status::Paused);
}

#[test]
fn after_stop_and_after_a_failure_nothing_is_painted_by_itself() {
    let mut w = world(FAST);
    open(&mut w, Tab::Twin);
    w.wait(0.1);
    w.act(Action::Stop);
    w.settle();
    assert_eq!((w.session.idle_run(), w.idle.len()), (None, 1));
    w.act(prompt("cursed"));
    w.settle();
    assert!(w.session.failure().is_some());
    assert_eq!(w.idle.len(), 1);
}

#[test]
fn looking_into_a_model_comes_before_idle_work() {
    let mut w = world(FAST);
    open(&mut w, Tab::Twin);
    w.wait(0.1);
    w.act(Action::ChooseModel(ModelRef::new("/a/model")));
    assert_eq!((w.session.idle_run(), w.stops), (None, 1));
    w.settle();
    assert!(matches!(w.session.twin(), TwinState::OnlyFewSteps));
}

#[test]
fn a_picture_in_many_steps_has_no_twin() {
    let mut w = world(FAST);
    w.act(Action::SetSampler(Sampler::Ddim));
    w.settle();
    open(&mut w, Tab::Twin);
    w.settle();
    assert!(matches!(w.session.twin(), TwinState::IsSlow));
    assert!(w.idle.is_empty());
}

#[test]
fn late_events_of_a_superseded_idle_run_are_dropped() {
    let mut w = world(FAST);
    open(&mut w, Tab::Twin);
    let run = w.session.idle_run().unwrap();
    w.act(Action::NewSeed(5));
    w.receive(Event::Step { run, step: 1, steps: 25, denoised: latents(), elapsed_secs: 0.1 });
    assert!(w.session.latest_step().is_none() && w.session.twin_steps().is_empty());
    w.settle();
    w.assert_final();
}

#[test]
fn tabs_turn_in_a_ring() {
    let ring: Vec<Tab> = (0..=Tab::ALL.len() as i32).map(|by| Tab::Picture.turned(by)).collect();
    assert_eq!(ring.first(), ring.last());
    assert_eq!(Tab::Picture.turned(-1), Tab::ALL[Tab::ALL.len() - 1]);
}
