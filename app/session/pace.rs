use crate::{Moment, action::Edit};

/// Decides when a change is sent to the engine.
///
/// Sending supersedes the run in progress, whose work is lost, so there are two ways to disappoint: wait too long, or
/// abandon every run before it shows anything. The rules, the first that applies:
///
/// 1. **Enter** goes at once.
/// 2. While the engine **loads the same model** for the run in progress, nothing is sent: no picture can come sooner, and
///    superseding might throw the loading away. The newest request goes when loading ends.
/// 3. A **single choice** (steps, size, dice, …) goes at once. A key held down is not a single choice: within
///    [`PAUSE_SECS`] of the choice before, a choice is paced like typing.
/// 4. On a **slow** model (a run is foretold, or seen, to take more than [`FAST_RUN_SECS`]) a change waits for a pause of
///    [`PAUSE_SECS`], at most [`MAX_WAIT_SECS`] after the first unsent change. On a **fast** one it is due at once.
/// 5. A change that is due while the run in progress has **shown nothing yet** waits for that run's first preview if this is
///    foretold within the *patience*; where it is farther away, the run is superseded at once. A preview that is late by
///    more than the patience is not waited for any longer.
///
/// The patience is [`PATIENCE_SECS`], too short to feel as lag, and grows with the time for which changes have kept coming
/// and nothing new was to be seen (a quarter of it, at most [`MAX_PATIENCE_SECS`]). So a model whose first preview takes
/// 0.4 s shows something every two seconds of a long drag instead of nothing, and the price at the end of the drag is bounded
/// by the patience.
///
/// 1–4 follow the `LiveScheduler` of Krita AI Diffusion, which instead of 5 never supersedes a run; here runs end within one
/// operation, so waiting for a whole picture would only be lag.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    pending: Option<Pending>,
    /// Since when changes have kept coming.
    flood_since: Option<Moment>,
    last_change: Option<Moment>,
    last_choice: Option<Moment>,
    /// When something new was last to be seen: a preview or a picture.
    last_sight: Option<Moment>,
}

/// Runs up to this long are repainted at every change.
pub(crate) const FAST_RUN_SECS: f64 = 1.5;
/// The pause that ends a burst of changes on a slow model.
pub(crate) const PAUSE_SECS: f64 = 0.25;
/// The longest a change is held back on a slow model.
pub(crate) const MAX_WAIT_SECS: f64 = 3.0;
/// The longest wait for a first preview that goes unnoticed.
const PATIENCE_SECS: f64 = 0.15;
/// The longest wait for a first preview after nothing was to be seen for a while.
const MAX_PATIENCE_SECS: f64 = 0.5;
/// Share of the time without anything new that patience grows to.
const PATIENCE_SHARE: f64 = 0.25;
/// The pause after which a draft is replaced by what was asked for.
const REFINE_SECS: f64 = 0.5;
/// A gap this long between changes ends a flood.
const LULL_SECS: f64 = 1.0;

/// Changes that were not sent yet.
#[derive(Clone, Copy, Debug)]
struct Pending {
    first: Moment,
    last: Moment,
    urgency: Urgency,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Urgency {
    /// The picture is a draft of what is wanted.
    Refine,
    Stream,
    Choice,
    Forced,
}

/// What is known about the run in progress and the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outlook {
    /// The run that sending would supersede.
    pub(crate) in_progress: Option<InProgress>,
    /// Forecast for the next run.
    pub(crate) run_secs: Option<f64>,
}

/// The run that sending would supersede.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InProgress {
    /// When it began to paint or, before that, when it was sent.
    pub(crate) begun: Moment,
    /// Its first step's latents have arrived.
    pub(crate) seen: bool,
    /// The model that the next run needs is being loaded for it.
    pub(crate) loading: bool,
    /// Forecast from `begun` to the first step's latents.
    pub(crate) first_secs: Option<f64>,
}

/// When the pending change is to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Due {
    /// Then, unless something happens before.
    At(Moment),
    /// When the engine has said something.
    OnEvent,
}

impl Pace {
    /// The request has changed and is to be painted.
    pub(crate) fn note_change(&mut self, edit: Edit, now: Moment) {
        if self.last_change.is_none_or(|last| now.since(last) > LULL_SECS) {
            self.flood_since = Some(now);
        }
        self.last_change = Some(now);
        let mut urgency = Urgency::Stream;
        if edit.is_choice() {
            if self.last_choice.is_none_or(|last| now.since(last) > PAUSE_SECS) {
                urgency = Urgency::Choice;
            }
            self.last_choice = Some(now);
        }
        self.push(urgency, now);
    }

    /// The request is to be painted though it did not change just now.
    pub(crate) fn resume(&mut self, now: Moment) {
        if self.pending.is_none() {
            self.push(Urgency::Choice, now);
        }
    }

    /// A draft of the request is there: the request itself follows after a pause.
    pub(crate) fn refine(&mut self, now: Moment) {
        if self.pending.is_none() {
            self.push(Urgency::Refine, now);
        }
    }

    /// Whether what is pending only replaces a draft.
    pub(crate) fn is_refining(&self) -> bool {
        self.pending.is_some_and(|pending| pending.urgency == Urgency::Refine)
    }

    /// The request is to be painted at once, whatever else is going on.
    pub(crate) fn force(&mut self, now: Moment) {
        self.push(Urgency::Forced, now);
    }

    fn push(&mut self, urgency: Urgency, now: Moment) {
        // What only replaces a draft is no change that has waited.
        self.pending.take_if(|pending| pending.urgency == Urgency::Refine && urgency > Urgency::Refine);
        let pending = self.pending.get_or_insert(Pending { first: now, last: now, urgency });
        pending.last = now;
        if urgency > pending.urgency {
            pending.urgency = urgency;
        }
    }

    /// There is nothing to send, or it was just sent.
    pub(crate) fn clear(&mut self) {
        self.pending = None;
    }

    /// Whether there is a change that was not sent yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether what is pending was asked for by Enter.
    pub(crate) fn is_forced(&self) -> bool {
        self.pending.is_some_and(|pending| pending.urgency == Urgency::Forced)
    }

    /// Something new is to be seen.
    pub(crate) fn note_sight(&mut self, now: Moment) {
        self.last_sight = Some(now);
    }

    /// When the pending change is to be sent; `None` where there is none.
    pub(crate) fn due(&self, outlook: Outlook, now: Moment) -> Option<Due> {
        let pending = self.pending?;
        if self.is_forced() {
            return Some(Due::At(pending.first));
        }
        if outlook.in_progress.is_some_and(|run| run.loading) {
            return Some(Due::OnEvent);
        }
        if pending.urgency == Urgency::Choice {
            return Some(Due::At(pending.first));
        }
        if pending.urgency == Urgency::Refine {
            let changed = self.last_change.unwrap_or(pending.first);
            return Some(Due::At(changed.after(REFINE_SECS).max(pending.first)));
        }
        let due = self.pause(outlook, now).map_or(pending.first, |(_, end)| end);
        let Some(run) = outlook.in_progress.filter(|run| !run.seen) else { return Some(Due::At(due)) };
        let patience = self.patience(pending.first);
        let preview = run.begun.after(run.first_secs.unwrap_or(PATIENCE_SECS));
        let waits = preview.since(due) <= patience;
        Some(Due::At(if waits { due.max(preview.after(patience)) } else { due }))
    }

    /// From when to when a change waits for the person to pause; `None` where it does not.
    pub(crate) fn pause(&self, outlook: Outlook, now: Moment) -> Option<(Moment, Moment)> {
        let pending = self.pending.filter(|p| p.urgency == Urgency::Stream)?;
        let age = outlook.in_progress.filter(|run| !run.loading).map_or(0.0, |run| now.since(run.begun));
        let slow = age.max(outlook.run_secs.unwrap_or(0.0)) > FAST_RUN_SECS;
        let end = pending.last.after(PAUSE_SECS).min(pending.first.after(MAX_WAIT_SECS));
        slow.then_some((pending.last, end))
    }

    fn patience(&self, from: Moment) -> f64 {
        let flood = self.flood_since.unwrap_or(from);
        let starved = from.since(self.last_sight.map_or(flood, |sight| sight.max(flood)));
        (starved * PATIENCE_SHARE).clamp(PATIENCE_SECS, MAX_PATIENCE_SECS)
    }
}
