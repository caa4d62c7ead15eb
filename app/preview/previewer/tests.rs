use super::*;
use crate::DecodeError;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use fourstep_compute::CancelToken;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// A decoder that does what the test says, one call at a time, and tells what it did.
struct Scripted {
    answers: Receiver<Result<(), &'static str>>,
    calls: Sender<Call>,
}

#[derive(Debug, PartialEq)]
enum Call {
    Began([usize; 4]),
    Cancelled,
}

impl Decode for Scripted {
    fn decode(&mut self, latents: &Latents, cancel: &CancelToken) -> Result<Picture, DecodeError> {
        self.calls.send(Call::Began(latents.shape())).expect("the test listens");
        loop {
            if cancel.is_cancelled() {
                self.calls.send(Call::Cancelled).expect("the test listens");
                return Err(DecodeError::Cancelled);
            }
            match self.answers.recv_timeout(Duration::from_millis(1)) {
                Ok(Ok(())) => return Ok(Picture::new(1, 1, vec![latents.data[0] as u8; 3]).expect("one pixel")),
                Ok(Err("panic")) => panic!("scripted"),
                Ok(Err(why)) => return Err(DecodeError::Failed(why.into())),
                Err(_) => {}
            }
        }
    }
}

struct Stage {
    previewer: Previewer,
    answers: Sender<Result<(), &'static str>>,
    calls: Receiver<Call>,
    woken: Receiver<()>,
}

fn stage() -> Stage {
    let (answers, answer) = unbounded();
    let (call, calls) = unbounded();
    let (wake, woken) = bounded(64);
    let load = move |model: &ModelRef| {
        let tiny: Result<Option<Box<dyn Decode>>, String> = match model.as_str() {
            "absent" => Err("no such file".into()),
            "broken" => panic!("scripted"),
            "none" => Ok(None),
            _ => Ok(Some(Box::new(Scripted { answers: answer.clone(), calls: call.clone() }))),
        };
        Decoders { on_window: None, tiny, linear: LinearDecoder::Sdxl }
    };
    let previewer = Previewer::spawn(load, move || wake.send(()).expect("the test listens")).expect("a thread");
    Stage { previewer, answers, calls, woken }
}

fn job(model: &str, run: u64, step: u32, step_secs: f64) -> Job {
    let denoised = Latents { channels: 4, height: 4, width: 4, data: vec![step as f32; 64] };
    Job {
        run: RunId(run),
        step,
        model: ModelRef::new(model),
        denoised: Arc::new(denoised),
        step_secs,
        on_window: false,
    }
}

fn picture(preview: &Preview) -> &Picture {
    match &preview.image {
        Image::Picture(picture) => picture,
        Image::Texture(texture) => panic!("{texture:?}"),
    }
}

impl Stage {
    fn call(&self) -> Call {
        self.calls.recv_timeout(PATIENCE).expect("a call")
    }

    fn preview(&self) -> Preview {
        loop {
            self.woken.recv_timeout(PATIENCE).expect("a preview or an error");
            if let Some(preview) = self.previewer.try_picture() {
                return preview;
            }
        }
    }
}

#[test]
fn the_newest_offer_wins() {
    let s = stage();
    s.previewer.offer(job("m", 1, 1, 0.01));
    assert_eq!(s.call(), Call::Began([1, 4, 4, 4]));
    for step in 2..=4 {
        s.previewer.offer(job("m", 1, step, 0.01));
    }
    s.answers.send(Ok(())).expect("decodes");
    assert_eq!(s.preview().step, 1, "a newer step of the same run does not end what is under way");
    s.answers.send(Ok(())).expect("decodes");
    let last = s.preview();
    assert_eq!((last.step, last.plan, picture(&last).rgb()[0]), (4, Plan::Full, 4));
    assert!(s.previewer.try_picture().is_none());
}

#[test]
fn a_newer_run_cancels_and_a_finished_one_too() {
    let s = stage();
    s.previewer.offer(job("m", 1, 1, 0.01));
    assert!(matches!(s.call(), Call::Began(_)));
    s.previewer.offer(job("m", 2, 1, 0.01));
    assert_eq!(s.call(), Call::Cancelled);
    assert!(matches!(s.call(), Call::Began(_)));
    s.previewer.finish(RunId(2));
    assert_eq!(s.call(), Call::Cancelled);
    s.previewer.offer(job("m", 2, 2, 0.01));
    s.previewer.offer(job("m", 3, 1, 0.01));
    assert!(matches!(s.call(), Call::Began(_)));
    s.answers.send(Ok(())).expect("decodes");
    assert_eq!(s.preview().run, RunId(3));
    assert_eq!(s.previewer.last_error(), None, "being cancelled is no fault");
}

#[test]
fn after_a_fault_or_a_panic_previews_go_on_linearly() {
    for (answer, word) in [("not a number", "not a number"), ("panic", "panicked: scripted")] {
        let s = stage();
        s.answers.send(Err(answer)).expect("fails");
        s.previewer.offer(job("m", 1, 1, 0.01));
        let preview = s.preview();
        assert_eq!((preview.plan, picture(&preview).width()), (Plan::Full, 4));
        assert!(s.previewer.last_error().expect("reported").contains(word));
        s.previewer.offer(job("m", 1, 2, 0.01));
        assert_eq!(s.preview().step, 2);
        assert_eq!(s.previewer.last_error(), None, "once");
    }
}

#[test]
fn a_decoder_that_cannot_be_opened_is_reported_once_and_replaced() {
    for (model, word) in [("absent", "no such file"), ("broken", "panicked")] {
        let s = stage();
        s.previewer.offer(job(model, 1, 1, 0.01));
        assert_eq!(picture(&s.preview()).width(), 4);
        assert!(s.previewer.last_error().expect("reported").contains(word));
        s.previewer.offer(job(model, 1, 2, 0.01));
        s.preview();
        assert_eq!(s.previewer.last_error(), None);
        s.answers.send(Ok(())).expect("decodes");
        s.previewer.offer(job("m", 2, 1, 0.01));
        assert_eq!(picture(&s.preview()).width(), 1, "another model has its own decoder");
    }
}

#[test]
fn without_a_tiny_decoder_the_familys_linear_one_decodes() {
    let s = stage();
    s.previewer.offer(Job { denoised: Arc::new(zeros()), ..job("none", 1, 1, 0.01) });
    assert_eq!(picture(&s.preview()).rgb()[..3], [141, 125, 127], "SDXL's colour of 0");
    assert_eq!(s.previewer.last_error(), None);
    s.answers.send(Err("not a number")).expect("fails");
    s.previewer.offer(Job { denoised: Arc::new(zeros()), ..job("m", 2, 1, 0.01) });
    assert_eq!(picture(&s.preview()).rgb()[..3], [141, 125, 127], "after a fault too");
}

fn zeros() -> Latents {
    Latents { channels: 4, height: 2, width: 2, data: vec![0.0; 16] }
}

#[test]
fn slow_models_start_at_half_size() {
    let s = stage();
    s.previewer.prepare(ModelRef::new("m"));
    s.previewer.offer(job("m", 1, 1, 2.0));
    assert_eq!(s.call(), Call::Began([1, 4, 2, 2]));
    s.answers.send(Ok(())).expect("decodes");
    assert_eq!(s.preview().plan, Plan::Half);
}

#[test]
fn dropping_it_ends_what_is_under_way() {
    let s = stage();
    s.previewer.offer(job("m", 1, 1, 0.01));
    assert!(matches!(s.call(), Call::Began(_)));
    drop(s.previewer);
    assert_eq!(s.calls.recv_timeout(PATIENCE), Ok(Call::Cancelled));
    assert!(s.calls.recv_timeout(PATIENCE).is_err(), "the thread and its decoder are gone");
}

#[test]
fn what_is_developed_comes_whole_and_in_order_but_after_what_is_new() {
    let stage = stage();
    stage.previewer.develop((1..=3).map(|step| job("m", 1, step, 9.0)).collect());
    assert_eq!(stage.call(), Call::Began([1, 4, 4, 4]), "at full size however slow its step was");
    stage.previewer.offer(job("m", 2, 7, 0.01));
    assert_eq!(stage.call(), Call::Cancelled, "a newer run comes first");
    assert_eq!(stage.call(), Call::Began([1, 4, 4, 4]));
    let mut seen = Vec::new();
    for _ in 0..3 {
        stage.answers.send(Ok(())).expect("it listens");
        stage.woken.recv_timeout(PATIENCE).expect("a preview");
        let preview = stage.previewer.try_picture().expect("a preview");
        seen.push((preview.run.0, preview.step));
    }
    assert_eq!(seen, [(2, 7), (1, 2), (1, 3)]);
}
