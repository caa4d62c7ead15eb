//! What the canvas shows is painted, and is no setting; a picture is painted larger while nothing else is wanted.

#![allow(clippy::unwrap_used)]

mod engine;

use engine::{FAST, SLOW, World, failure};
use fourstep_protocol::{Coverage, Event, Init, Mask, Picture, Size};
use fourstep_session::{Action, Moment, Status};

fn page(shade: u8) -> Init {
    Init::new(Picture::from_rows(128, &[[shade; 3]; 128 * 128]), 0.6)
}

fn canvas(init: Init) -> Action {
    Action::SetCanvas(Some(Box::new(init)))
}

#[test]
fn what_is_drawn_is_painted_and_is_no_setting() {
    let mut w = World::new(FAST);
    w.settle();
    let before = w.session.settings().clone();
    w.act(canvas(page(7)));
    w.settle();
    assert_eq!(w.sent.last().unwrap().2.init, Some(page(7)));
    assert_eq!(w.session.shown().unwrap().request.init, Some(page(7)));
    assert!(*w.session.settings() == before && !w.session.can_undo() && !w.session.is_stale());
    let sent = w.sent.len();
    w.act(canvas(page(7)));
    w.settle();
    assert_eq!(w.sent.len(), sent, "the same page is the same picture");
    w.act(Action::SetCanvas(None));
    w.settle();
    assert_eq!(w.sent.last().unwrap().2.init, None);
}

#[test]
fn a_stroke_streams_on_a_fast_model_and_waits_for_its_end_on_a_slow_one() {
    for (pace, least, most) in [(FAST, 4, 40), (SLOW, 0, 1)] {
        let mut w = World::new(pace);
        w.settle();
        let before = w.sent.len();
        for shade in 0..40 {
            w.act(canvas(page(shade)));
            w.wait(0.04);
        }
        let during = w.sent.len() - before;
        assert!((least..=most).contains(&during), "{during} runs during a stroke");
        w.settle();
        assert_eq!(w.session.shown().unwrap().request.init, Some(page(39)));
    }
}

#[test]
fn a_mask_that_does_not_fit_is_not_sent() {
    let mut w = World::new(FAST);
    w.settle();
    let mask = Some(Mask { coverage: Coverage::from_rows(2, &[255; 4]), grow_px: 0, feather_px: 0 });
    w.act(canvas(Init { mask, ..page(7) }));
    w.settle();
    assert_eq!(w.session.shown().unwrap().request.init, Some(page(7)));
}

#[test]
fn a_picture_is_painted_larger_while_nothing_else_is_wanted() {
    let mut w = World::new(FAST);
    w.settle();
    let source = w.session.shown().unwrap().request.clone();
    w.act(Action::Upscale);
    let state = w.session.upscaling().unwrap();
    assert_eq!((state.done, state.tiles, state.secs_left), (0, 9, None));
    w.wait(0.15);
    assert!(w.session.upscaling().unwrap().done > 0 && w.session.upscaling().unwrap().secs_left.is_some());
    assert_eq!(w.session.status(Moment(w.now)), Status::Idle);
    let (live, idle) = (w.sent.len(), w.idle.len());
    w.act(Action::SetPrompt("something else".into()));
    w.settle();
    assert!(w.sent.len() > live && w.idle.len() > idle, "the live picture first, then the tiles go on");
    let finished = w.session.take_upscaled().unwrap().unwrap();
    assert_eq!((finished.picture.width(), finished.picture.height()), (256, 256));
    assert_eq!(finished.request, source);
    let tile = &w.idle.last().unwrap().2;
    assert_eq!((tile.size, tile.init.as_ref().unwrap().strength), (Size::new(128, 128), 0.35));
    assert!(w.session.take_upscaled().is_none() && w.session.upscaling().is_none());
}

#[test]
fn painting_larger_can_be_cancelled_at_once_and_tells_what_failed() {
    let mut w = World::new(SLOW);
    w.settle();
    w.act(Action::Stop);
    w.act(Action::Upscale);
    w.wait(1.0);
    let (stops, (_, run, _)) = (w.stops, w.idle.last().unwrap().clone());
    w.act(Action::CancelUpscale);
    assert!(w.session.upscaling().is_none() && w.stops == stops + 1);
    w.act(Action::Upscale);
    w.wait(0.1);
    let (_, next, _) = w.idle.last().unwrap().clone();
    assert!(next > run);
    w.session.receive(Event::Failed { run: Some(next), failure: failure() }, Moment(w.now));
    assert_eq!(w.session.take_upscaled().unwrap().unwrap_err(), failure());
    assert!(w.session.upscaling().is_none() && w.session.failure().is_none());
}
