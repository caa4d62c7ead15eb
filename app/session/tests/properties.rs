//! Whatever the person does in whatever order, the session holds its invariants and settles on the last request.

mod engine;

use engine::{FAST, Pace, SLOW, World, failure, finished, latents, models};
use fourstep_protocol::{Event, LoraRef, ModelRef, Noise, Request, RunId, Sampler, Size, Timings};
use fourstep_session::{Action, Moment, Settings};
use proptest::prelude::*;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Play {
    Act(Action),
    Wait(f64),
    /// An event of a run this far behind the newest, which the engine did not mean to send.
    Stray(u64, u8),
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![-3.0f32..20.0, Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY)]
}

fn side() -> impl Strategy<Value = u32> {
    prop_oneof![Just(128), Just(512), 0u32..5000, Just(u32::MAX)]
}

fn sampler() -> impl Strategy<Value = Sampler> {
    proptest::sample::select(Sampler::ALL.to_vec())
}

fn model() -> impl Strategy<Value = ModelRef> {
    proptest::sample::select(vec!["sticker", "full", "turbo", "/a", "/b", "/cursed"]).prop_map(ModelRef::new)
}

fn text() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["", "a", "ab", "abc", "a cat", "cursed"]).prop_map(String::from)
}

fn request() -> impl Strategy<Value = Request> {
    (model(), text(), 0u64..4, (side(), side()), sampler(), 0u32..200, number(), number()).prop_map(
        |(model, prompt, seed, (width, height), sampler, steps, guidance_scale, weight)| Request {
            model,
            seed,
            size: Size::new(width, height),
            sampler,
            steps,
            guidance_scale,
            loras: vec![LoraRef { source: "l".into(), weight }],
            ..Request::new(&models()[0], prompt)
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => text().prop_map(Action::SetPrompt),
        1 => text().prop_map(Action::SetNegativePrompt),
        1 => (0u64..4).prop_map(Action::SetSeed),
        1 => (0u64..4).prop_map(Action::NewSeed),
        1 => any::<i64>().prop_map(Action::NudgeSeed),
        1 => any::<bool>().prop_map(Action::LockSeed),
        4 => number().prop_map(Action::SetGuidance),
        2 => (0u32..200).prop_map(Action::SetSteps),
        2 => (side(), side()).prop_map(|(w, h)| Action::SetSize(Size::new(w, h))),
        2 => sampler().prop_map(Action::SetSampler),
        1 => prop_oneof![Just(Noise::Torch), Just(Noise::Philox)].prop_map(Action::SetNoise),
        2 => (0usize..3, number()).prop_map(|(index, weight)| Action::SetLora { index, weight }),
        2 => proptest::sample::select(vec!["lcm-lora", "ink", "l"]).prop_map(|l| Action::AddLora(l.into())),
        1 => (0usize..3).prop_map(Action::RemoveLora),
        1 => (0usize..3, 0usize..3).prop_map(|(from, to)| Action::MoveLora { from, to }),
        2 => (0usize..3, any::<bool>()).prop_map(|(index, on)| Action::EnableLora { index, on }),
        1 => any::<bool>().prop_map(Action::SetFewStep),
        1 => proptest::option::of(Just("vae".to_owned())).prop_map(Action::SetVae),
        2 => model().prop_map(Action::ChooseModel),
        2 => any::<bool>().prop_map(Action::SetLive),
        2 => (0u64..4).prop_map(|fresh_seed| Action::Paint { fresh_seed }),
        2 => Just(Action::Stop),
        1 => Just(Action::Retry),
        1 => Just(Action::DismissFailure),
        3 => Just(Action::Undo),
        2 => Just(Action::Redo),
        1 => request().prop_map(|r| Action::Restore(Box::new(r))),
    ]
}

fn play() -> impl Strategy<Value = Play> {
    prop_oneof![
        6 => action().prop_map(Play::Act),
        3 => (0.0..0.3f64).prop_map(Play::Wait),
        1 => (0.0..12.0f64).prop_map(Play::Wait),
        1 => (0u64..3, 0u8..5).prop_map(|(behind, what)| Play::Stray(behind, what)),
    ]
}

fn pace() -> impl Strategy<Value = Pace> {
    let odd = Pace { load: 0.0, text: 0.05, step: 0.25, decode: 0.1, cancel: 0.02 };
    proptest::sample::select(vec![FAST, SLOW, odd, Pace { load: 2.0, ..FAST }, Pace { load: 2.0, ..SLOW }])
}

/// Only what ends a run may come for the newest; for older ones, anything.
fn stray(world: &World, behind: u64, what: u8) -> Option<Event> {
    let newest = world.sent.last()?.1;
    let run = RunId(newest.0.checked_sub(behind)?);
    let old = Arc::new(Request::new(&models()[0], "of another time"));
    Some(match what {
        0 => Event::Stopped { run },
        1 => Event::Failed { run: Some(run), failure: failure() },
        _ if behind == 0 => return None,
        2 => Event::Step { run, step: 1, steps: 4, denoised: latents(), elapsed_secs: 0.1 },
        3 => Event::Loading { run, what: "old".into(), fraction: 0.5 },
        _ => Event::Finished(Box::new(finished(run, old, Timings::default()))),
    })
}

fn check(world: &World) -> Result<(), TestCaseError> {
    let s = &world.session;
    prop_assert_eq!(s.request().validate(s.model()), Ok(()));
    prop_assert_eq!(&s.request().model, &s.model().model);
    prop_assert!(s.models().iter().any(|m| m.model == s.model().model));
    let stale = s.shown().is_some_and(|f| {
        let painter = s.models().iter().find(|m| m.model == f.request.model);
        painter.is_none_or(|m| f.request.canonical(m) != s.request().canonical(s.model()))
    });
    prop_assert_eq!(s.is_stale(), stale);
    prop_assert!(s.next_wake(Moment(world.now)).is_none_or(|secs| secs > 0.0 && secs <= 4.0));
    prop_assert!(s.shown().is_none_or(|f| f.request.prompt != "of another time"));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_holds_its_invariants_and_settles(pace in pace(), plays in prop::collection::vec(play(), 1..80)) {
        let mut w = World::with(pace, Settings::sample(&models()));
        for play in plays {
            match play {
                Play::Act(action) => w.act(action),
                Play::Wait(secs) => w.wait(secs),
                Play::Stray(behind, what) => {
                    if let Some(event) = stray(&w, behind, what) {
                        w.receive(event);
                    }
                }
            }
            check(&w)?;
        }
        w.act(Action::SetLive(true));
        w.act(Action::SetPrompt("the end".into()));
        w.settle();
        check(&w)?;
        w.assert_final();
        prop_assert!(w.sent.len() + w.stops <= w.changes + 10, "{} runs, {} stops, {} changes", w.sent.len(), w.stops, w.changes);
    }

    #[test]
    fn undo_goes_all_the_way_back_and_redo_all_the_way_forward(actions in prop::collection::vec(action(), 1..60)) {
        let mut w = World::new(FAST);
        w.settle();
        let first = w.session.request().clone();
        let editing = |a: &Action| !matches!(a, Action::Undo | Action::Redo | Action::ChooseModel(_));
        for action in actions.into_iter().filter(editing) {
            w.act(action);
        }
        let last = w.session.request().clone();
        while w.session.can_undo() {
            w.act(Action::Undo);
        }
        prop_assert_eq!(w.session.request(), &first);
        while w.session.can_redo() {
            w.act(Action::Redo);
        }
        prop_assert_eq!(w.session.request(), &last);
    }
}
