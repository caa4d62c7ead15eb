//! A time that is kept while things move, and the picture that was asked for after a pause.

mod engine;

use engine::{FAST, SLOW, World};
use fourstep_protocol::Size;
use fourstep_session::Action;

fn typed(w: &mut World, text: &str) {
    for end in 1..=text.len() {
        w.act(Action::SetPrompt(text[..end].into()));
        w.wait(0.12);
    }
}

fn governed() -> World {
    let mut w = World::settled(SLOW);
    w.act(Action::SetLatencyTarget(Some(500)));
    w
}

#[test]
fn without_a_target_nothing_is_a_draft() {
    let mut w = World::settled(SLOW);
    typed(&mut w, "a cat");
    w.settle();
    assert!(w.sent.iter().all(|(_, _, request)| request.steps == 4));
    assert_eq!(w.session.draft(), None);
}

#[test]
fn a_fast_model_needs_no_draft() {
    let mut w = World::settled(FAST);
    w.act(Action::SetLatencyTarget(Some(1000)));
    typed(&mut w, "a cat");
    w.settle();
    assert!(w.sent.iter().all(|(_, _, request)| request.steps == 4));
}

#[test]
fn drafts_come_while_typing_and_the_picture_itself_after_a_pause() {
    let mut w = governed();
    let size = w.session.request().size;
    typed(&mut w, "a cat on a mat");
    w.settle();
    w.assert_final();
    w.assert_nothing_twice();
    let last = &w.sent.last().expect("sent").2;
    assert_eq!((last.steps, last.size), (4, size), "refined");
    let drafts = w.sent.iter().filter(|(_, _, request)| request.steps < 4).count();
    assert!(drafts > 0, "{:?}", w.sent.iter().map(|(at, _, r)| (*at, r.steps)).collect::<Vec<_>>());
    assert_eq!(w.session.draft(), None);
    assert!(!w.session.is_stale());
}

#[test]
fn a_draft_is_marked_until_it_is_refined_and_its_request_is_its_own() {
    let mut w = governed();
    w.act(Action::SetPrompt("a boat".into()));
    while w.session.draft().is_none() {
        w.wait(0.05);
        assert!(w.now < 60.0, "no draft");
    }
    let draft = w.session.draft().expect("a draft");
    let shown = w.session.shown().expect("a picture");
    assert_eq!((shown.request.steps, shown.request.size), (draft.steps, draft.size));
    assert!(draft.steps < 4 && draft.size != Size::new(0, 0));
    assert!(!w.session.is_stale());
    w.settle();
    w.assert_final();
}

#[test]
fn enter_paints_the_picture_itself() {
    let mut w = governed();
    w.act(Action::SetPrompt("a boat".into()));
    w.act(Action::Paint { fresh_seed: 9 });
    w.settle();
    w.assert_final();
    assert_eq!(w.sent.iter().filter(|(_, _, request)| request.steps == 4).count(), 1);
}

#[test]
fn a_draft_that_fails_is_told_and_not_tried_for_ever() {
    let mut w = governed();
    w.act(Action::SetPrompt("cursed".into()));
    w.settle();
    assert!(w.session.failure().is_some());
    assert!(w.sent.len() <= 2, "{}", w.sent.len());
}
