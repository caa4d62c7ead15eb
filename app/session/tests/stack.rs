//! The stack of LoRAs, and the recipe that an LCM-LoRA brings and takes away again.

mod engine;

use engine::{FAST, World, models};
use fourstep_protocol::{
    Availability, Event, Family, Guidance, ItemKind, LibraryItem, LoraInfo, LoraRef, LoraReport, ModelInfo, ModelRef,
    Origin, Recipe, Request, Sampler, Size,
};
use fourstep_session::{Action, LoraTrouble, Misfit, Moment, Notice, Settings};
use std::sync::Arc;

fn lora_ref(source: &str, weight: f32) -> LoraRef {
    LoraRef { source: source.into(), weight }
}

fn item(id: &str, kind: ItemKind, family: Family, availability: Availability) -> LibraryItem {
    LibraryItem {
        id: id.into(),
        name: id.to_uppercase(),
        kind,
        family: Some(family),
        detail: String::new(),
        licence: None,
        size_bytes: None,
        origin: Origin::BuiltIn,
        availability,
        model: None,
        lora: None,
    }
}

fn lora(id: &str, family: Family, few_step: bool) -> LibraryItem {
    let info = LoraInfo {
        source: id.into(),
        name: id.to_uppercase(),
        family: Some(family),
        few_step,
        trigger_words: vec![],
        modules: 3,
        unread: vec![],
        size_bytes: 1,
    };
    LibraryItem { lora: Some(info), ..item(id, ItemKind::Lora, family, Availability::Ready) }
}

/// A model that paints in 25 steps, and in 4 with an LCM-LoRA.
fn slow(id: &str) -> ModelInfo {
    let live = Recipe { loras: vec![], sampler: Sampler::DpmPp2mKarras, steps: 25, guidance_scale: 7.0 };
    let few_step = Recipe { loras: vec![lora_ref("lcm", 1.0)], sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 };
    ModelInfo {
        model: ModelRef::new(id),
        family: Family::Sd15,
        guidance: Guidance::ClassifierFree,
        native_size: Size::new(512, 512),
        live: live.clone(),
        compare: None,
        few_step: Some(few_step),
        ..models()[0].clone()
    }
}

fn library(has_lcm: bool) -> Arc<Vec<LibraryItem>> {
    let model = |id: &str| LibraryItem {
        model: Some(slow(id)),
        ..item(id, ItemKind::Model, Family::Sd15, Availability::Ready)
    };
    let absent = item("lcm", ItemKind::Lora, Family::Sd15, Availability::Absent { have_bytes: 0 });
    let lcm = if has_lcm { lora("lcm", Family::Sd15, true) } else { absent };
    let others = [lora("ink", Family::Sd15, false), lora("xl", Family::Sdxl, false), lora("turbo", Family::Sd15, true)];
    Arc::new([model("dream"), model("real"), lcm].into_iter().chain(others).collect())
}

/// `dream` was chosen and painted.
fn world(has_lcm: bool) -> World {
    let mut w = World::with(FAST, Settings::sample(&models()));
    w.session.set_library(library(has_lcm), Moment(0.0));
    w.act(Action::ChooseModel(ModelRef::new("dream")));
    w.settle();
    w.sent.clear();
    w
}

fn recipe(w: &World) -> (Sampler, u32, f32) {
    let r = w.session.request();
    (r.sampler, r.steps, r.guidance_scale)
}

const SLOW: (Sampler, u32, f32) = (Sampler::DpmPp2mKarras, 25, 7.0);
const QUICK: (Sampler, u32, f32) = (Sampler::Lcm, 4, 1.0);

#[test]
fn one_click_sets_everything_and_the_next_brings_back_what_was_before() {
    let mut w = world(true);
    assert!(w.session.few_step().is_some_and(|f| f.is_here && !f.is_on));
    w.act(Action::SetSteps(30));
    w.act(Action::SetGuidance(5.0));
    w.act(Action::AddLora("ink".into()));
    w.act(Action::SetFewStep(true));
    assert_eq!(recipe(&w), QUICK);
    assert_eq!(w.session.request().loras, [lora_ref("lcm", 1.0), lora_ref("ink", 1.0)]);
    assert!(w.session.few_step().is_some_and(|f| f.is_on));
    w.act(Action::SetFewStep(false));
    assert_eq!(recipe(&w), (Sampler::DpmPp2mKarras, 30, 5.0));
    assert_eq!(w.session.request().loras, [lora_ref("ink", 1.0)]);
    w.act(Action::Undo);
    assert_eq!(recipe(&w), QUICK);
    w.act(Action::RemoveLora(0));
    assert_eq!(recipe(&w), (Sampler::DpmPp2mKarras, 30, 5.0));
    w.settle();
    w.assert_final();
}

#[test]
fn an_lcm_lora_switched_off_and_on_takes_its_recipe_along() {
    let mut w = world(true);
    w.act(Action::AddLora("turbo".into()));
    assert_eq!(recipe(&w), QUICK, "any LoRA that teaches few steps");
    w.act(Action::EnableLora { index: 0, on: false });
    assert_eq!(recipe(&w), SLOW);
    w.act(Action::EnableLora { index: 0, on: true });
    assert_eq!(recipe(&w), QUICK);
    w.act(Action::SetSampler(Sampler::Euler));
    assert_eq!(recipe(&w), (Sampler::Euler, 25, 7.0), "a classic sampler does not paint with it");
    assert!(!w.session.lora_is_on(0));
    w.act(Action::EnableLora { index: 0, on: true });
    assert_eq!(recipe(&w), QUICK);
    w.act(Action::SetLora { index: 0, weight: 0.0 });
    assert_eq!(recipe(&w), QUICK, "a slider on its way through 0 changes nothing else");
}

#[test]
fn a_lora_that_is_not_here_yet_is_applied_when_it_comes() {
    let mut w = world(false);
    w.act(Action::SetFewStep(true));
    assert_eq!(recipe(&w), SLOW);
    assert!(w.session.few_step().is_some_and(|f| f.is_awaited && !f.is_here));
    w.session.set_library(library(true), Moment(w.now));
    assert_eq!(recipe(&w), QUICK);
    w.settle();
    w.assert_final();
    let mut w = world(false);
    w.act(Action::SetFewStep(true));
    w.act(Action::ChooseModel(ModelRef::new("sticker")));
    w.session.set_library(library(true), Moment(w.now));
    assert_eq!(w.session.request().loras, [lora_ref("lcm-lora", 1.0)], "not to another model");
}

#[test]
fn a_lora_that_is_off_keeps_its_weight_and_is_not_asked_for() {
    let mut w = world(true);
    w.act(Action::AddLora("ink".into()));
    w.act(Action::SetLora { index: 0, weight: 0.7 });
    w.settle();
    w.act(Action::EnableLora { index: 0, on: false });
    assert!(!w.session.lora_is_on(0));
    assert_eq!(w.session.lora_weight(0), 0.7);
    w.settle();
    assert!(w.sent.last().is_some_and(|(_, _, request)| request.loras.is_empty()));
    let json = serde_json::to_string(w.session.settings()).unwrap();
    let kept: Settings = serde_json::from_str(&json).unwrap();
    assert_eq!(kept, *w.session.settings());
    w.act(Action::Undo);
    assert_eq!((w.session.lora_is_on(0), w.session.lora_weight(0)), (true, 0.7));
    w.act(Action::Redo);
    assert_eq!((w.session.lora_is_on(0), w.session.lora_weight(0)), (false, 0.7));
    w.act(Action::AddLora("ink".into()));
    assert_eq!((w.session.lora_is_on(0), w.session.request().loras.len()), (true, 1));
    w.act(Action::AddLora("ink".into()));
    assert_eq!(w.session.notices(), [Notice::LoraInStack { name: "INK".into() }]);
}

#[test]
fn another_order_is_kept_and_paints_nothing() {
    let mut w = world(true);
    for source in ["ink", "a", "b"] {
        w.act(Action::AddLora(source.into()));
    }
    w.settle();
    w.sent.clear();
    w.act(Action::MoveLora { from: 2, to: 0 });
    let order = |w: &World| w.session.request().loras.iter().map(|l| l.source.clone()).collect::<Vec<_>>();
    assert_eq!(order(&w), ["b", "ink", "a"]);
    w.act(Action::MoveLora { from: 0, to: 9 });
    assert_eq!(order(&w), ["ink", "a", "b"]);
    w.act(Action::MoveLora { from: 9, to: 0 });
    w.settle();
    assert!(w.sent.is_empty() && !w.session.is_stale());
    w.act(Action::Undo);
    assert_eq!(order(&w), ["b", "ink", "a"]);
}

#[test]
fn a_lora_of_another_family_comes_switched_off_with_the_reason() {
    let mut w = world(true);
    w.act(Action::AddLora("xl".into()));
    assert!(!w.session.lora_is_on(0));
    let misfit = Misfit { made_for: Family::Sdxl, family: Family::Sd15, model: "STICKER".into() };
    assert_eq!(w.session.lora_trouble("xl"), Some(LoraTrouble::Misfit(misfit)));
    w.settle();
    assert!(w.sent.is_empty());
}

#[test]
fn own_loras_stay_within_a_family() {
    let mut w = world(true);
    w.act(Action::AddLora("ink".into()));
    w.act(Action::SetFewStep(true));
    w.act(Action::SetVae(Some("vae".into())));
    w.act(Action::ChooseModel(ModelRef::new("real")));
    assert_eq!(w.session.request().loras, [lora_ref("ink", 1.0)]);
    assert_eq!(w.session.request().vae.as_deref(), Some("vae"));
    assert_eq!(recipe(&w), SLOW);
    w.act(Action::ChooseModel(ModelRef::new("turbo")));
    assert!(w.session.request().loras.is_empty() && w.session.request().vae.is_none());
    assert_eq!(w.session.settings().recent, ["turbo", "real", "dream"].map(ModelRef::new));
}

#[test]
fn reports_are_kept_for_the_model_they_were_made_with() {
    let mut w = world(true);
    w.act(Action::AddLora("ink".into()));
    let run = w.sent.last().unwrap().1;
    let report = |source: &str, matched| LoraReport { source: source.into(), matched, total: 3, ignored: vec![] };
    w.receive(Event::Merged { run, reports: vec![report("ink", 2)] });
    assert_eq!(w.session.lora_report("ink"), Some(&report("ink", 2)));
    w.receive(Event::Merged { run, reports: vec![report("ink", 3), report("b", 1)] });
    assert_eq!(w.session.lora_report("ink"), Some(&report("ink", 3)));
    w.act(Action::ChooseModel(ModelRef::new("real")));
    assert_eq!(w.session.lora_report("ink"), None);
}

#[test]
fn models_come_and_go_with_the_library_but_for_the_one_in_use() {
    let mut w = world(true);
    let names = |w: &World| w.session.models().iter().map(|m| m.model.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&w), ["sticker", "full", "turbo", "dream", "real"]);
    w.session.set_library(Arc::default(), Moment(w.now));
    assert_eq!(names(&w), ["sticker", "full", "turbo", "dream"]);
    let restored = Request::new(&slow("real"), "x");
    w.act(Action::Restore(Box::new(restored)));
    assert_eq!(w.session.model().model, ModelRef::new("dream"));
}
