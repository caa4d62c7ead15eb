//! Wildcards, tags, comments, styles and mixes, from what is typed to what is sent.

mod engine;

use engine::{FAST, World};
use fourstep_prompt::{Problem, Wildcards};
use fourstep_protocol::{Availability, Blended, Family, ItemKind, LibraryItem, LoraRef, Origin, Request};
use fourstep_session::{Action, Moment, PromptTrouble};
use std::sync::Arc;

fn lora(id: &str, family: Family, availability: Availability) -> LibraryItem {
    LibraryItem {
        id: id.into(),
        name: format!("{id} by name"),
        kind: ItemKind::Lora,
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

fn world() -> World {
    let mut world = World::settled(FAST);
    let items = vec![
        lora("/loras/Ink.safetensors", Family::Custom, Availability::Ready),
        lora("chalk", Family::Custom, Availability::Ready),
        lora("xl", Family::Sdxl, Availability::Ready),
        lora("far", Family::Custom, Availability::Absent { have_bytes: 0 }),
    ];
    world.session.set_library(Arc::new(items), Moment(world.now));
    let mut wildcards = Wildcards::default();
    wildcards.insert("colour", "red\ngreen\nblue");
    world.session.set_wildcards(Arc::new(wildcards), Moment(world.now));
    world
}

impl World {
    fn types(&mut self, text: &str) -> Request {
        self.act(Action::SetPrompt(text.into()));
        self.settle();
        let (_, _, request) = self.sent.last().expect("sent");
        (**request).clone()
    }
}

fn loras(request: &Request) -> Vec<(&str, f32)> {
    request.loras.iter().map(|lora| (lora.source.as_str(), lora.weight)).collect()
}

#[test]
fn what_is_sent_has_words_and_weights_alone() {
    let mut w = world();
    let typed = "a {cat|dog} in (__colour__:1.2) # the best\n<lora:ink:0.5>";
    let sent = w.types(typed);
    assert!(sent.prompt.starts_with("a cat in (") || sent.prompt.starts_with("a dog in ("), "{}", sent.prompt);
    assert!(!sent.prompt.contains(['{', '_', '#', '<']), "{}", sent.prompt);
    assert_eq!(loras(&sent), [("lcm-lora", 1.0), ("/loras/Ink.safetensors", 0.5)]);
    let before = sent.typed.expect("what was typed");
    assert_eq!((before.prompt.as_str(), before.loras.len()), (typed, 1));
    assert!(w.session.spoken().troubles.is_empty());
    w.assert_final();
}

#[test]
fn a_prompt_without_any_of_it_is_sent_as_it_is() {
    let sent = world().types("a (red:1.2) cat, \\(1\\) BREAK [blue]");
    assert_eq!((sent.prompt.as_str(), sent.typed), ("a (red:1.2) cat, \\(1\\) BREAK [blue]", None));
}

#[test]
fn a_seed_gives_the_same_choice_and_another_seed_another() {
    let mut w = world();
    let text = "{a|b|c|d|e|f|g|h|i|j|k|l} __colour__";
    let first = w.types(text).prompt;
    w.types("else");
    assert_eq!(w.types(text).prompt, first);
    w.act(Action::SetSeed(99));
    w.settle();
    assert_ne!(w.sent.last().expect("sent").2.prompt, first);
}

#[test]
fn a_comment_paints_nothing_new() {
    let mut w = world();
    w.types("a cat");
    let sent = w.sent.len();
    w.act(Action::SetPrompt("a cat# note".into()));
    w.settle();
    assert_eq!((w.sent.len(), w.session.is_stale()), (sent, false));
}

#[test]
fn tags_add_up_and_stand_for_the_stack() {
    let mut w = world();
    let sent = w.types("x <lora:chalk:0.5><lora:Chalk by NAME:0.25> <lora:lcm-lora:0.1>");
    assert_eq!(loras(&sent), [("lcm-lora", 1.0), ("chalk", 0.75)], "the library does not know lcm-lora by a tag");
    w.act(Action::AddLora("chalk".into()));
    w.settle();
    assert_eq!(loras(&w.sent.last().expect("sent").2), [("lcm-lora", 1.0), ("chalk", 0.75)]);
    assert_eq!(loras(&w.types("x <lora:chalk:9>"))[1], ("chalk", 2.0));
    assert_eq!(loras(&w.types("x <lora:chalk:0>")).len(), 1, "off");
    assert_eq!(w.session.request().loras[1], LoraRef { source: "chalk".into(), weight: 1.0 }, "the stack stays");
}

#[test]
fn what_cannot_be_followed_is_told_and_paints_all_the_same() {
    let mut w = world();
    w.act(Action::SetNegativePrompt("<lora:chalk>".into()));
    let sent = w.types("x __nothing__ <lora:none:1> <lora:far:1> <lora:xl:1> <hypernet:y:1>");
    assert_eq!((sent.prompt.trim(), loras(&sent).len()), ("x __nothing__", 1));
    let name = String::from;
    assert_eq!(
        w.session.spoken().troubles,
        [
            PromptTrouble::Syntax(Problem::UnknownWildcard(name("nothing"))),
            PromptTrouble::Syntax(Problem::UnknownTag(name("hypernet"))),
            PromptTrouble::NegativeLora(name("chalk")),
            PromptTrouble::UnknownLora(name("none")),
            PromptTrouble::AbsentLora(name("far")),
            PromptTrouble::MisfitLora(name("xl")),
        ]
    );
    assert!(w.session.failure().is_none());
}

#[test]
fn a_lora_that_comes_to_the_library_is_painted_with() {
    let mut w = world();
    w.types("x <lora:far:0.5>");
    let items = vec![lora("far", Family::Custom, Availability::Ready)];
    w.session.set_library(Arc::new(items), Moment(w.now));
    w.settle();
    assert_eq!(loras(&w.sent.last().expect("sent").2)[1], ("far", 0.5));
}

#[test]
fn a_picture_brings_back_what_was_typed_while_that_comes_to_the_same() {
    let mut w = world();
    let typed = "a {cat|dog} __colour__ <lora:ink:0.5>";
    let painted = w.types(typed);
    w.types("else");
    w.act(Action::Restore(Box::new(painted.clone())));
    assert_eq!((w.session.request().prompt.as_str(), w.session.request().loras.len()), (typed, 1));
    w.settle();
    w.assert_final();

    let mut other = Wildcards::default();
    other.insert("colour", "black");
    w.session.set_wildcards(Arc::new(other), Moment(w.now));
    w.act(Action::Restore(Box::new(painted.clone())));
    assert_eq!((&w.session.request().prompt, w.session.request().loras.len()), (&painted.prompt, 2));
    assert_eq!(w.session.request().typed, None);
}

#[test]
fn styles_are_kept_by_name_and_applied_in_one_step() {
    let mut w = world();
    w.types("ink, {prompt}, black");
    for action in [Action::SaveStyle("Zebra".into()), Action::SaveStyle(" ink ".into()), Action::SaveStyle("  ".into())]
    {
        w.act(action);
    }
    let names = |w: &World| w.session.styles().iter().map(|style| style.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&w), ["ink", "Zebra"]);
    w.types("a cat");
    w.act(Action::ApplyStyle("ink".into()));
    assert_eq!(w.session.request().prompt, "ink, a cat, black");
    w.act(Action::Undo);
    assert_eq!(w.session.request().prompt, "a cat");
    w.act(Action::SaveStyle("ink".into()));
    assert_eq!((names(&w).len(), w.session.styles()[0].prompt.as_str()), (2, "a cat"));
    w.act(Action::DeleteStyle("ink".into()));
    assert_eq!(names(&w), ["Zebra"]);
}

#[test]
fn a_mix_is_fitted_and_one_that_is_nothing_paints_nothing_new() {
    let mut w = world();
    w.types("a cat");
    let sent = w.sent.len();
    let other = |weight| vec![Blended { prompt: "a __colour__ dog".into(), weight }];
    w.act(Action::SetBlend(other(0.0)));
    w.settle();
    assert_eq!(w.sent.len(), sent);
    w.act(Action::SetBlend(other(7.0)));
    w.settle();
    let painted = &w.sent.last().expect("sent").2;
    assert_eq!((painted.blend[0].weight, painted.blend[0].prompt.contains('_')), (1.0, false));
    assert_eq!(w.session.request().blend, other(1.0));
}

#[test]
fn the_picture_without_a_word_is_painted_while_nothing_else_is_wanted() {
    let mut w = world();
    w.types("a (red:1.2) apple");
    let painted = w.sent.len();
    w.act(Action::LeaveOut(Some(3..6)));
    assert_eq!(w.session.left_out().map(|it| (it.word, it.picture.is_some())), Some(("red", false)));
    w.settle();
    let left_out = w.session.left_out().expect("left out");
    assert_eq!(left_out.picture.expect("painted").request.prompt, "a (:1.2) apple");
    assert_eq!(w.session.shown().expect("a picture").request.prompt, "a (red:1.2) apple");
    assert_eq!((w.sent.len(), w.idle.len(), w.session.is_stale()), (painted, 1, false));

    w.act(Action::LeaveOut(None));
    assert!(w.session.left_out().is_none());
    w.act(Action::LeaveOut(Some(3..6)));
    w.settle();
    assert!(w.session.left_out().expect("left out").picture.is_some());
    assert_eq!(w.idle.len(), 1, "it is there already");

    w.act(Action::SetSeed(5));
    assert!(w.session.left_out().expect("the word is still there").picture.is_none());
    w.settle();
    assert_eq!(w.session.left_out().expect("left out").picture.expect("painted").request.seed, 5);
    w.types("a blue apple");
    assert!(w.session.left_out().is_none(), "another word stands there");
    w.assert_final();
}

#[test]
fn typing_ends_the_picture_without_a_word() {
    let mut w = world();
    w.types("a red apple");
    w.act(Action::LeaveOut(Some(2..5)));
    assert_eq!(w.idle.len(), 1);
    w.act(Action::SetPrompt("a red apples".into()));
    w.settle();
    assert_eq!(w.sent.last().expect("sent").2.prompt, "a red apples");
    w.assert_final();
}
