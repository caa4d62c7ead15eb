//! Choosing models, by name and by folder, and taking over settings that name one.

mod engine;

use engine::{FAST, World, failure, models};
use fourstep_protocol::{ModelRef, Request, Size};
use fourstep_session::{Action, Moment, NegativeEffect, Notice, Settings, Status};

fn prompt(text: &str) -> Action {
    Action::SetPrompt(text.into())
}

fn choose(id: &str) -> Action {
    Action::ChooseModel(ModelRef::new(id))
}

fn status(world: &World) -> Status {
    world.session.status(Moment(world.now))
}

#[test]
fn a_model_brings_its_recipe_and_keeps_prompt_seed_and_chosen_size() {
    let mut w = World::settled(FAST);
    w.act(prompt("a dog"));
    w.act(Action::SetSeed(7));
    w.act(choose("turbo"));
    let r = w.session.request();
    assert_eq!((r.prompt.as_str(), r.seed, r.size), ("a dog", 7, Size::new(512, 512)));
    assert!(r.loras.is_empty());
    w.act(Action::SetSize(Size::new(640, 384)));
    w.act(choose("full"));
    assert_eq!(w.session.request().size, Size::new(640, 384));
    assert_eq!(w.session.request().guidance_scale, 8.0);
    assert_eq!(w.session.negative_effect(), NegativeEffect::GuidanceEmbedded);
    w.act(Action::Undo);
    assert_eq!(w.session.model().model, ModelRef::new("turbo"));
    assert_eq!(w.session.negative_effect(), NegativeEffect::NoGuidance);
}

#[test]
fn a_folder_is_inspected_and_then_chosen() {
    let mut w = World::settled(FAST);
    w.act(choose("/models/x"));
    assert_eq!(w.session.model().model, ModelRef::new("sticker"));
    assert_eq!(status(&w), Status::Loading { what: "/models/x".into(), fraction: 0.0 });
    w.settle();
    assert_eq!(w.session.model().model, ModelRef::new("/models/x"));
    assert_eq!(w.session.models().len(), 4);
    w.assert_final();
}

#[test]
fn a_folder_that_is_no_model_leaves_the_old_one_and_can_be_tried_again() {
    let mut w = World::settled(FAST);
    w.act(choose("/cursed"));
    w.settle();
    assert_eq!(status(&w), Status::Failed(failure()));
    w.act(prompt("still painting"));
    assert!(w.session.failure().is_some());
    w.settle();
    w.assert_final();
    assert_eq!(w.session.model().model, ModelRef::new("sticker"));
    w.cursed = "mended".into();
    w.act(Action::Retry);
    w.settle();
    assert_eq!(w.session.model().model, ModelRef::new("/cursed"));
    assert!(w.session.failure().is_none());
}

#[test]
fn the_last_of_several_folders_is_chosen() {
    let mut w = World::settled(FAST);
    w.act(choose("/cursed"));
    w.act(choose("/b"));
    w.settle();
    assert_eq!(w.session.model().model, ModelRef::new("/b"));
    assert!(w.session.failure().is_none());
    w.act(choose("/c"));
    w.act(choose("full"));
    w.settle();
    assert_eq!(w.session.model().model, ModelRef::new("full"));
}

#[test]
fn settings_with_a_folder_come_back_once_it_is_known() {
    let mut settings = Settings::sample(&models());
    settings.request = Request { steps: 2, seed: 9, ..Request::new(&engine::folder("/models/x"), "a boat") };
    let json = serde_json::to_string(&settings).unwrap();
    let mut w = World::with(FAST, serde_json::from_str(&json).unwrap());
    assert_eq!(w.session.model().model, ModelRef::new("sticker"));
    w.act(prompt("a bigger boat"));
    w.settle();
    let expected = Request { prompt: "a bigger boat".into(), ..settings.request.clone() };
    assert_eq!(*w.session.request(), expected);
    w.assert_final();
    settings.request.model = ModelRef::new("/cursed");
    let mut w = World::with(FAST, settings);
    w.settle();
    assert_eq!(w.session.model().model, ModelRef::new("sticker"));
    assert_eq!(status(&w), Status::Failed(failure()));
}

#[test]
fn settings_of_a_picture_are_restored_but_for_a_model_that_is_not_here() {
    let mut w = World::settled(FAST);
    let known = Request { seed: 3, ..Request::new(&models()[1], "a boat") };
    w.act(Action::Restore(Box::new(known.clone())));
    assert_eq!(*w.session.request(), known);
    assert_eq!(w.session.model().model, known.model);
    let unknown = Request { model: ModelRef::new("gone"), guidance_scale: 99.0, seed: 4, ..known.clone() };
    w.act(Action::Restore(Box::new(unknown)));
    let r = w.session.request();
    assert_eq!((r.model.as_str(), r.seed, r.guidance_scale), ("full", 4, 13.0));
    let missing = Notice::UnknownModel { missing: ModelRef::new("gone"), used: w.session.model().name.clone() };
    let notices = w.session.notices();
    assert_eq!(notices[0], missing);
    assert!(matches!(notices[1..], [Notice::Guidance { asked: 99.0, used: 13.0, .. }]), "{notices:?}");
    w.act(Action::Undo);
    assert_eq!(*w.session.request(), known);
}
