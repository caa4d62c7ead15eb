use crate::{
    Moment, Notice, Settings, Step,
    history::History,
    idle::Lane,
    inspect::Inspections,
    meter::{Load, Meter},
    pace::{Due, InProgress, Outlook, Pace},
    prompts::{PromptTrouble, Read, Spoken},
    run::Run,
    settings::no_model,
};
use fourstep_prompt::Wildcards;
use fourstep_protocol::{
    Command, DeviceInfo, Failure, Finished, Init, LibraryItem, LoraReport, ModelInfo, ModelRef, Request, RunId,
};
use std::sync::Arc;

/// What the person wants now, and what the engine was asked for.
///
/// Call [`commands`](Self::commands) after every [`act`](Self::act) and [`receive`](Self::receive), and when
/// [`next_wake`](Self::next_wake) has passed, and hand what it returns to the engine.
///
/// Invariants: the request always validates against its model; run ids strictly increase; at most one run is outstanding,
/// the newest, and only its events count; the same request is not sent twice unless asked for. An idle run is outstanding
/// only while nothing else is wanted.
#[derive(Debug)]
pub struct Session {
    pub(crate) models: Vec<ModelInfo>,
    pub(crate) model: ModelInfo,
    pub(crate) settings: Settings,
    /// What a run starts from while the canvas is open.
    pub(crate) canvas: Option<Init>,
    pub(crate) history: History,
    pub(crate) pace: Pace,
    pub(crate) meter: Meter,
    pub(crate) outbox: Vec<Command>,
    pub(crate) newest: RunId,
    pub(crate) run: Option<Run>,
    pub(crate) idle: Lane,
    /// The request failed or was stopped: it is not sent again by itself.
    pub(crate) declined: bool,
    pub(crate) shown: Option<Shown>,
    pub(crate) stale_since: Option<Moment>,
    pub(crate) latest_step: Option<Step>,
    pub(crate) inspections: Inspections,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) notices: Vec<Notice>,
    /// What the last runs said of LoRAs, with the model they were merged into.
    pub(crate) reports: Option<(ModelRef, Vec<LoraReport>)>,
    pub(crate) library: Arc<Vec<LibraryItem>>,
    /// The model whose LCM-LoRA is applied as soon as it is here.
    pub(crate) few_step_awaited: Option<ModelRef>,
    pub(crate) wildcards: Arc<Wildcards>,
    /// What of the prompts could not be followed.
    pub(crate) prompt_troubles: Vec<PromptTrouble>,
    /// How the prompt of the last run was read.
    pub(crate) read: Option<Read>,
    pub(crate) device: Option<DeviceInfo>,
    /// Why it is not the one that was chosen.
    pub(crate) device_failure: Option<Failure>,
    /// The engine has said something.
    pub(crate) heard: bool,
}

/// A picture and what it is the picture of.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) finished: Box<Finished>,
    pub(crate) canonical: Request,
    /// What it is a draft of.
    pub(crate) draft_of: Option<Request>,
    /// What it looked like after each step.
    pub(crate) steps: Vec<Step>,
}

/// A failure and what it is about: one of a run is over as soon as the request changes.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) failure: Failure,
    pub(crate) of_run: bool,
}

/// Wake-ups are never early by more than a clock's rounding.
pub(crate) const CLOCK_SLACK_SECS: f64 = 1e-4;

impl Session {
    /// Starts from settings, restored or [`Settings::sample`]; `models` is the list of the menu.
    ///
    /// Where the settings name a model that is not in the list, the first of the list stands in until the engine has
    /// said what it is.
    pub fn new(models: Vec<ModelInfo>, settings: Settings) -> Self {
        let model = models.first().cloned().unwrap_or_else(no_model);
        let mut session = Self {
            models,
            model,
            settings,
            canvas: None,
            history: History::default(),
            pace: Pace::default(),
            meter: Meter::default(),
            outbox: Vec::new(),
            newest: RunId(0),
            run: None,
            idle: Lane::default(),
            declined: false,
            shown: None,
            stale_since: None,
            latest_step: None,
            inspections: Inspections::default(),
            trouble: None,
            notices: Vec::new(),
            reports: None,
            library: Arc::default(),
            few_step_awaited: None,
            wildcards: Arc::default(),
            prompt_troubles: Vec::new(),
            read: None,
            device: None,
            device_failure: None,
            heard: false,
        };
        session.adopt_restored();
        // An empty stage says nothing: the first picture is painted in every mode.
        session.pace.force(Moment(0.0));
        session.reconcile(Moment(0.0));
        session
    }

    /// Takes what is to be sent now.
    pub fn commands(&mut self, now: Moment) -> Vec<Command> {
        if let Some(Due::At(due)) = self.due(now)
            && due.since(now) <= CLOCK_SLACK_SECS
        {
            self.generate(now);
        }
        self.tend_idle();
        std::mem::take(&mut self.outbox)
    }

    pub(crate) fn generate(&mut self, now: Moment) {
        self.newest = RunId(self.newest.0 + 1);
        let mut request = self.to_paint();
        // What is off is no part of the picture, nor of what is saved with it.
        request.loras.retain(|lora| lora.weight != 0.0);
        let draft = self.draft_of(&request);
        let draft_of = draft.is_some().then(|| request.canonical(&self.model));
        let request = draft.unwrap_or(request);
        let canonical = request.canonical(&self.model);
        let load = Load::of(&canonical, &self.model);
        self.meter.begin(self.newest, load.clone(), now);
        self.run = Some(Run { draft_of, ..Run::new(self.newest, canonical, load, now) });
        self.pace.clear();
        // A run supersedes the one before by itself.
        self.idle.end();
        self.outbox.retain(|command| !matches!(command, Command::Stop));
        self.outbox.push(Command::Generate { run: self.newest, request: Arc::new(request) });
    }

    /// Seconds until [`commands`](Self::commands) has something by the passing of time alone; `None` where it will not.
    pub fn next_wake(&self, now: Moment) -> Option<f64> {
        match self.due(now)? {
            Due::At(due) => Some(due.since(now)),
            Due::OnEvent => None,
        }
    }

    fn due(&self, now: Moment) -> Option<Due> {
        self.pace.due(self.outlook(), now)
    }

    pub(crate) fn outlook(&self) -> Outlook {
        let in_progress = self.run.as_ref().map(|run| InProgress {
            begun: run.begun,
            seen: run.step > 0,
            loading: run.loading.is_some() && run.canonical.model == self.model.model,
            first_secs: self.meter.first_secs(&run.load),
        });
        let draft = self.draft_of(&self.settings.request);
        let next = draft.as_ref().unwrap_or(&self.settings.request);
        Outlook { in_progress, run_secs: self.meter.run_secs(next, &self.model) }
    }

    /// The request without what has no effect on the picture: what equality means here.
    pub(crate) fn canonical(&self) -> Request {
        self.to_paint().canonical(&self.model)
    }

    /// Brings what is pending, outstanding and stale in line with the request; after every action and event.
    pub(crate) fn reconcile(&mut self, now: Moment) {
        let Spoken { request, troubles } = self.spoken();
        self.prompt_troubles = troubles;
        let wanted = self.on_canvas(request).canonical(&self.model);
        let is_shown = self.shown.as_ref().is_some_and(|shown| shown.canonical == wanted);
        let is_drafted = self.shown.as_ref().is_some_and(|shown| shown.draft_of.as_ref() == Some(&wanted));
        let is_painted = self.run.as_ref().is_some_and(|run| {
            // Who presses Enter wants the picture itself.
            if self.pace.is_forced() { run.canonical == wanted } else { run.paints(&wanted) }
        });
        let may_abandon = self.settings.live || self.pace.is_forced();
        if is_shown && !is_painted && self.run.is_some() && may_abandon {
            // Typed and deleted again: the picture is already there.
            self.abandon();
        }
        if is_painted || (is_shown && self.run.is_none()) {
            self.pace.clear();
        } else if self.settings.live && !self.declined {
            if is_drafted && self.run.is_none() {
                self.pace.refine(now);
            } else {
                self.pace.resume(now);
            }
        }
        if self.shown.is_none() || is_shown || is_drafted {
            self.stale_since = None;
        } else {
            self.stale_since.get_or_insert(now);
        }
        self.follow_idle();
    }

    /// Ends the run in progress; its events do not count any more.
    pub(crate) fn abandon(&mut self) {
        if self.run.take().is_some() {
            self.outbox.push(Command::Stop);
        }
        self.latest_step = None;
    }
}
