//! Scripted typing and dragging on fast and slow models: what is sent when, what is seen, and how soon it settles.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod engine;

use engine::{FAST, Pace, SLOW, World};
use fourstep_protocol::Sampler;
use fourstep_session::{Action, Status};

const TEXT: &str = "a small blue cat on a yellow background!";

fn type_text(world: &mut World, interval: f64) {
    assert_eq!(TEXT.len(), 40);
    for end in 1..=TEXT.len() {
        world.act(Action::SetPrompt(TEXT[..end].into()));
        if end < TEXT.len() {
            world.wait(interval);
        }
    }
}

/// Drags the guidance slider for 2 s at 60 events a second.
fn drag(world: &mut World) {
    for i in 0..120 {
        world.act(Action::SetGuidance(1.0 + i as f32 / 119.0));
        world.wait(1.0 / 60.0);
    }
}

/// Settles and gives the seconds from the last change to the final picture.
fn settle(world: &mut World) -> f64 {
    let last_change = world.now;
    world.settle();
    world.assert_final();
    world.assert_nothing_twice();
    world.pictures.last().unwrap().0 - last_change
}

/// The longest time without anything new, from `from` to `to`.
fn longest_gap(world: &World, from: f64, to: f64) -> f64 {
    let seen = world.previews.iter().map(|p| p.0).chain(world.pictures.iter().map(|p| p.0));
    let mut times: Vec<f64> = seen.filter(|t| (from..=to).contains(t)).chain([from, to]).collect();
    times.sort_by(f64::total_cmp);
    times.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max)
}

fn report(what: &str, world: &World, settle_secs: f64) {
    let (sent, previews, pictures) = (world.sent.len(), world.previews.len(), world.pictures.len());
    println!(
        "{what}: {sent} runs, {previews} previews, {pictures} pictures, settled {settle_secs:.3} s after the last change"
    );
}

#[test]
fn a_fast_model_repaints_at_every_keystroke() {
    let mut w = World::settled(FAST);
    let start = w.now;
    type_text(&mut w, 0.12);
    let typed = w.now;
    let secs = settle(&mut w);
    report("fast, 120 ms", &w, secs);
    assert_eq!(w.sent.len(), 40);
    assert_eq!(w.pictures.len(), 40);
    assert!(longest_gap(&w, start, typed) < 0.13);
    assert!(secs < 0.1, "{secs}");
}

#[test]
fn a_fast_model_shows_previews_while_typing_faster_than_it_paints() {
    let mut w = World::settled(FAST);
    let start = w.now;
    type_text(&mut w, 0.03);
    let typed = w.now;
    let secs = settle(&mut w);
    report("fast, 30 ms", &w, secs);
    assert!((20..=40).contains(&w.sent.len()), "{}", w.sent.len());
    assert!(w.previews.iter().filter(|p| p.0 < typed).count() >= 20, "{}", w.previews.len());
    assert!(longest_gap(&w, start, typed) < 0.1);
    assert!(secs < 0.15, "{secs}");
}

#[test]
fn pictures_follow_the_thumb_of_a_slider() {
    let mut w = World::settled(FAST);
    let start = w.now;
    drag(&mut w);
    let dragged = w.now;
    let secs = settle(&mut w);
    report("fast, slider", &w, secs);
    assert!((30..=80).contains(&w.sent.len()), "{}", w.sent.len());
    assert!(longest_gap(&w, start, dragged) < 0.1);
    assert!(secs < 0.15, "{secs}");
}

#[test]
fn a_slow_model_waits_for_a_pause() {
    for interval in [0.12, 0.03] {
        let mut w = World::settled(SLOW);
        type_text(&mut w, interval);
        let typed = w.now;
        assert!(matches!(w.session.status(fourstep_session::Moment(typed)), Status::Waiting { .. }));
        let secs = settle(&mut w);
        report(&format!("slow, {:.0} ms", interval * 1e3), &w, secs);
        assert_eq!(w.sent.len(), 1 + ((interval * 39.0) / 3.0) as usize);
        assert_eq!(w.pictures.len(), 1);
        // After a pause, or a little later where the first preview of the run in progress was near.
        let waited = w.sent.last().unwrap().0 - typed;
        assert!((0.249..0.75).contains(&waited), "{waited}");
        assert!(secs < waited + 0.05 + 8.6 + 1e-3, "{secs}");
    }
    let mut w = World::settled(SLOW);
    drag(&mut w);
    let secs = settle(&mut w);
    report("slow, slider", &w, secs);
    assert_eq!(w.sent.len(), 1);
}

#[test]
fn a_model_with_a_late_first_preview_still_shows_something_during_a_long_flood() {
    let pace = Pace { text: 0.05, step: 0.25, decode: 0.05, ..FAST };
    let mut w = World::settled(pace);
    let start = w.now;
    for i in 0..600 {
        w.act(Action::SetLora { index: 0, weight: i as f32 / 600.0 });
        w.wait(1.0 / 60.0);
    }
    let dragged = w.now;
    let secs = settle(&mut w);
    report("0.3 s to first preview, 10 s of slider", &w, secs);
    assert!(longest_gap(&w, start, dragged) < 2.0, "{}", longest_gap(&w, start, dragged));
    assert!(secs < 1.1 + 0.5 + 0.1, "{secs}");
}

#[test]
fn a_preview_that_is_near_is_waited_for_even_if_the_run_is_superseded() {
    let pace = Pace { text: 0.05, step: 0.15, decode: 0.05, ..FAST };
    let mut w = World::settled(pace);
    let start = w.now;
    type_text(&mut w, 0.12);
    let typed = w.now;
    settle(&mut w);
    assert!(longest_gap(&w, start, typed) < 0.5);
}

#[test]
fn the_first_keystrokes_on_an_unmeasured_model_do_not_flood() {
    let mut w = World::new(FAST);
    type_text(&mut w, 0.03);
    settle(&mut w);
    assert!(w.sent.len() <= 41);
    assert!(!w.previews.is_empty());
}

#[test]
fn typing_while_the_model_loads_does_not_throw_the_loading_away() {
    let mut w = World::new(Pace { load: 3.0, ..FAST });
    w.wait(0.1);
    type_text(&mut w, 0.03);
    assert_eq!(w.sent.len(), 1);
    assert!(matches!(w.session.status(fourstep_session::Moment(w.now)), Status::Loading { .. }));
    settle(&mut w);
    assert_eq!(w.sent.len(), 2);
    assert!(w.now < 3.5, "{}", w.now);
}

#[test]
fn the_time_of_loading_does_not_count_as_time_of_painting() {
    let mut w = World::settled(Pace { load: 3.0, ..FAST });
    let m = w.session.metrics();
    assert!(m.last_run_secs.is_some_and(|secs| secs < 0.1), "{m:?}");
    assert_eq!(m.first_preview_secs, None);
    // The run in progress has a preview near enough to wait for only where the forecast is not spoilt by the load.
    w.act(Action::SetPrompt("a".into()));
    w.act(Action::SetPrompt("ab".into()));
    assert_eq!(w.sent.len(), 1);
    settle(&mut w);
}

#[test]
fn a_classic_sampler_with_many_steps_is_paced_as_slow() {
    let mut w = World::settled(Pace { step: 0.2, ..FAST });
    w.act(Action::SetSampler(Sampler::Ddim));
    w.act(Action::SetSteps(25));
    w.wait(0.3);
    let before = w.sent.len();
    type_text(&mut w, 0.03);
    settle(&mut w);
    assert_eq!(w.sent.len(), before + 1);
}

#[test]
fn metrics_are_those_of_the_engine() {
    let mut w = World::settled(FAST);
    type_text(&mut w, 0.12);
    settle(&mut w);
    let m = w.session.metrics();
    let near = |value: Option<f64>, secs: f64| (value.unwrap() - secs).abs() < 1e-6;
    assert!(near(m.last_run_secs, 0.09), "{m:?}");
    assert!(near(m.first_preview_secs, 0.025), "{m:?}");
    assert!(near(m.step_secs, 0.02), "{m:?}");
    assert!(near(m.pictures_per_sec, 1.0 / 0.09), "{m:?}");
}
