//! A clock and an engine that only pretend, to play scripts against a session.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use fourstep_protocol::{
    Command, DeviceInfo, Event, Failure, Family, Finished, Guidance, Latents, LoraRef, ModelInfo, ModelRef, Picture,
    PromptReading, Recipe, Request, RunId, Sampler, Size, Timings, TokenCount,
};
use fourstep_session::{Action, Moment, Session, Settings};
use std::sync::Arc;

/// An LCM-LoRA, a full LCM and a turbo model.
pub fn models() -> Vec<ModelInfo> {
    let recipe = |loras, guidance_scale| Recipe { loras, sampler: Sampler::Lcm, steps: 4, guidance_scale };
    let model = |id: &str, side, guidance, live| ModelInfo {
        model: ModelRef::new(id),
        name: id.to_uppercase(),
        detail: String::new(),
        family: Family::Custom,
        guidance,
        native_size: Size::new(side, side),
        live,
        compare: None,
        few_step: None,
    };
    let lora = LoraRef { source: "lcm-lora".into(), weight: 1.0 };
    vec![
        model("sticker", 128, Guidance::ClassifierFree, recipe(vec![lora], 1.0)),
        model("full", 128, Guidance::Embedded { min: 3.0, max: 13.0 }, recipe(vec![], 8.0)),
        model("turbo", 512, Guidance::None, recipe(vec![], 1.0)),
    ]
}

/// A model that is only known by asking.
pub fn folder(path: &str) -> ModelInfo {
    ModelInfo { model: ModelRef::new(path), name: path.into(), ..models()[1].clone() }
}

pub fn failure() -> Failure {
    Failure::machine("The picture could not be painted", "out of memory", "Choose a smaller size.")
}

/// How long things take, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub load: f64,
    pub text: f64,
    pub step: f64,
    pub decode: f64,
    /// From a command to the end of the work it supersedes.
    pub cancel: f64,
}

pub const FAST: Pace = Pace { load: 0.0, text: 0.005, step: 0.02, decode: 0.005, cancel: 0.005 };
pub const SLOW: Pace = Pace { load: 0.0, text: 0.1, step: 2.0, decode: 0.5, cancel: 0.05 };

/// A session, an engine with latest-wins semantics, and a clock.
pub struct World {
    pub session: Session,
    pub now: f64,
    pub pace: Pace,
    /// What fails: inspections of these paths, runs with these words in the prompt.
    pub cursed: String,
    loaded: Option<ModelRef>,
    running: Option<RunId>,
    free_at: f64,
    coming: Vec<(f64, Event)>,
    /// Every run sent: when, which, what.
    pub sent: Vec<(f64, RunId, Arc<Request>)>,
    /// Every idle run sent.
    pub idle: Vec<(f64, RunId, Arc<Request>)>,
    pub stops: usize,
    /// When a step became the newest to be seen.
    pub previews: Vec<(f64, RunId, u32)>,
    pub pictures: Vec<(f64, RunId)>,
    pub changes: usize,
}

impl World {
    pub fn new(pace: Pace) -> Self {
        Self::with(pace, Settings::sample(&models()))
    }

    pub fn with(pace: Pace, settings: Settings) -> Self {
        Self::of(models(), pace, settings)
    }

    pub fn of(models: Vec<ModelInfo>, pace: Pace, settings: Settings) -> Self {
        let mut world = Self {
            session: Session::new(models, settings),
            now: 0.0,
            pace,
            cursed: "cursed".into(),
            loaded: None,
            running: None,
            free_at: 0.0,
            coming: vec![(0.0, Event::Ready(device()))],
            sent: vec![],
            idle: vec![],
            stops: 0,
            previews: vec![],
            pictures: vec![],
            changes: 0,
        };
        world.flush();
        world
    }

    /// A world that has painted the sample, and so knows how fast it is.
    pub fn settled(pace: Pace) -> Self {
        let mut world = Self::new(pace);
        world.settle();
        world.sent.clear();
        world.previews.clear();
        world.pictures.clear();
        world
    }

    pub fn act(&mut self, action: Action) {
        self.changes += 1;
        self.session.act(action, Moment(self.now));
        self.flush();
    }

    pub fn receive(&mut self, event: Event) {
        let step = |s: &Session| s.latest_step().map(|s| (s.run, s.step));
        let picture = |s: &Session| s.shown().map(|f| f.run);
        let before = (step(&self.session), picture(&self.session));
        self.session.receive(event, Moment(self.now));
        if let Some((run, n)) = step(&self.session).filter(|s| Some(*s) != before.0) {
            self.previews.push((self.now, run, n));
            self.session.note_preview(run, Moment(self.now));
        }
        if let Some(run) = picture(&self.session).filter(|p| Some(*p) != before.1) {
            self.pictures.push((self.now, run));
        }
        self.flush();
    }

    /// Lets time pass, with everything that happens meanwhile.
    pub fn wait(&mut self, secs: f64) {
        let end = self.now + secs;
        while self.tick(end) {}
        self.now = end;
        self.flush();
    }

    /// Lets time pass until nothing more happens by itself.
    pub fn settle(&mut self) {
        let end = self.now + 1000.0;
        while self.tick(end) {}
        assert!(self.now < end, "it never settles");
    }

    /// Goes to the next thing that happens before `end`.
    fn tick(&mut self, end: f64) -> bool {
        let wake = self.session.next_wake(Moment(self.now)).map(|secs| self.now + secs);
        let event = self.coming.iter().map(|(at, _)| *at).min_by(f64::total_cmp);
        let next = wake.into_iter().chain(event).min_by(f64::total_cmp);
        let Some(at) = next.filter(|at| *at <= end) else { return false };
        self.now = self.now.max(at);
        if event == Some(at) {
            let i = self.coming.iter().position(|(t, _)| *t == at).unwrap();
            let (_, event) = self.coming.remove(i);
            self.pass(&event);
            self.receive(event);
        }
        self.flush();
        true
    }

    fn pass(&mut self, event: &Event) {
        if let Event::Started { run, .. } = event {
            self.loaded =
                self.sent.iter().chain(&self.idle).find(|(_, id, _)| id == run).map(|(_, _, r)| r.model.clone());
        }
        if let Event::Finished(f) = event {
            self.running.take_if(|run| *run == f.run);
        }
    }

    fn flush(&mut self) {
        for command in self.session.commands(Moment(self.now)) {
            match command {
                Command::Generate { run, request } => self.generate(run, request),
                Command::Stop => {
                    self.stops += 1;
                    self.supersede();
                }
                Command::Inspect(model) => {
                    let event = if model.as_str().contains(&self.cursed) {
                        Event::Failed { run: None, failure: failure() }
                    } else {
                        Event::Inspected(Box::new(folder(model.as_str())))
                    };
                    self.coming.push((self.now + 0.01, event));
                }
                Command::Compute(choice) => {
                    self.loaded = None;
                    self.coming
                        .push((self.now, Event::Ready(DeviceInfo { device: format!("{choice:?}"), ..device() })));
                }
            }
        }
        let again = self.session.commands(Moment(self.now));
        assert!(again.is_empty(), "the same is sent twice: {again:?}");
    }

    /// What was under way goes on until the engine notices; its events up to then still come.
    fn supersede(&mut self) {
        let Some(run) = self.running.take() else { return };
        self.free_at = self.now + self.pace.cancel;
        let until = self.free_at;
        self.coming.retain(|(at, e)| *at <= until || e.run() != Some(run));
        self.coming.push((until, Event::Stopped { run }));
    }

    fn generate(&mut self, run: RunId, request: Arc<Request>) {
        for (_, last, _) in self.sent.last().into_iter().chain(self.idle.last()) {
            assert!(run > *last, "run ids increase");
        }
        let info = self.session.models().iter().find(|m| m.model == request.model).unwrap();
        assert_eq!(request.validate(info), Ok(()));
        self.supersede();
        self.running = Some(run);
        if self.session.idle_run() == Some(run) {
            self.idle.push((self.now, run, request.clone()));
        } else {
            let mut newest = self.session.to_paint();
            newest.loras.retain(|lora| lora.weight != 0.0);
            if self.session.settings().latency_target_ms.is_some() {
                // A draft differs in nothing else.
                assert!(request.steps <= newest.steps && request.size.width <= newest.size.width);
                (newest.steps, newest.size) = (request.steps, request.size);
            }
            assert_eq!(*request, newest, "only the newest request is sent");
            self.sent.push((self.now, run, request.clone()));
        }
        let begin = self.now.max(self.free_at);
        let mut at = begin;
        let mut load_secs = 0.0;
        if self.pace.load > 0.0 && self.loaded.as_ref() != Some(&request.model) {
            load_secs = self.pace.load;
            for i in 0..4 {
                let fraction = i as f32 / 4.0;
                self.coming.push((at, Event::Loading { run, what: request.model.to_string(), fraction }));
                at += self.pace.load / 4.0;
            }
        }
        let tokens = TokenCount { used: request.prompt.split_whitespace().count(), window: 75 };
        let prompt = Arc::new(PromptReading { tokens, ..PromptReading::default() });
        self.coming.push((at, Event::Started { run, steps: request.steps, prompt }));
        at += self.pace.text;
        if request.prompt.contains(&self.cursed) {
            self.coming.push((at, Event::Failed { run: Some(run), failure: failure() }));
            return;
        }
        for step in 1..=request.steps {
            at += self.pace.step;
            let elapsed_secs = at - begin;
            let event = Event::Step { run, step, steps: request.steps, denoised: latents(), elapsed_secs };
            self.coming.push((at, event));
        }
        at += self.pace.decode;
        let timings = Timings { load_secs, total_secs: at - begin - load_secs, ..Timings::default() };
        self.coming.push((at, Event::Finished(Box::new(finished(run, request, timings)))));
    }

    /// The picture that is shown is the one of the request as it is now.
    pub fn assert_final(&self) {
        assert!(!self.session.is_stale());
        let shown = self.session.shown().expect("a picture");
        let canonical = |r: &Request| r.canonical(self.session.model());
        assert_eq!(canonical(&shown.request), canonical(&self.session.spoken().request));
        assert!(self.session.latest_step().is_none());
    }

    /// Nobody paints the same request twice in a row.
    pub fn assert_nothing_twice(&self) {
        for pair in self.sent.windows(2) {
            assert_ne!(pair[0].2, pair[1].2, "sent twice at {} and {}", pair[0].0, pair[1].0);
        }
    }
}

pub fn device() -> DeviceInfo {
    DeviceInfo { backend: "fake".into(), device: "CPU".into(), precision: "f32".into(), threads: 1, memory_bytes: None }
}

pub fn latents() -> Arc<Latents> {
    Arc::new(Latents { channels: 4, height: 1, width: 1, data: vec![0.0; 4] })
}

pub fn finished(run: RunId, request: Arc<Request>, timings: Timings) -> Finished {
    // Of the size asked for, as long as that is small.
    let (width, height) = (request.size.width.min(128), request.size.height.min(128));
    let picture = Arc::new(Picture::from_rows(width, &vec![[0; 3]; (width * height) as usize]));
    Finished { run, request, picture, latents: latents(), timings }
}
