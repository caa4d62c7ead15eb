use super::{Customer, Grid, neighbours::Neighbours, twin::Twin, upscaling::Upscaling, without::Without};
use crate::Session;
use fourstep_protocol::{Command, Event, Request, RunId};
use std::sync::Arc;

/// The idle run in progress and those who may ask for one.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    run: Option<IdleRun>,
    pub(crate) twin: Twin,
    pub(crate) without: Without,
    pub(crate) neighbours: Neighbours,
    pub(crate) grid: Grid,
    pub(crate) upscaling: Upscaling,
}

#[derive(Debug)]
struct IdleRun {
    id: RunId,
    who: Who,
    request: Arc<Request>,
}

/// Names a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Without,
    Upscaling,
    Twin,
    Neighbours,
    Grid,
}

impl Lane {
    /// Who comes first where several want something; those before the grid want it only while they are looked at, or were
    /// asked for by hand.
    const ORDER: [Who; 5] = [Who::Without, Who::Upscaling, Who::Twin, Who::Neighbours, Who::Grid];

    fn customer(&self, who: Who) -> &dyn Customer {
        match who {
            Who::Without => &self.without,
            Who::Upscaling => &self.upscaling,
            Who::Twin => &self.twin,
            Who::Neighbours => &self.neighbours,
            Who::Grid => &self.grid,
        }
    }

    fn customer_mut(&mut self, who: Who) -> &mut dyn Customer {
        match who {
            Who::Without => &mut self.without,
            Who::Upscaling => &mut self.upscaling,
            Who::Twin => &mut self.twin,
            Who::Neighbours => &mut self.neighbours,
            Who::Grid => &mut self.grid,
        }
    }

    /// Who wants something next, and what.
    fn next(&self, session: &Session) -> Option<(Who, Request)> {
        Self::ORDER.into_iter().find_map(|who| Some((who, self.customer(who).next(session)?)))
    }

    /// Whether the run in progress is of no use any more.
    fn is_vain(&self, session: &Session) -> bool {
        self.run.as_ref().is_some_and(|run| !self.customer(run.who).keeps(&run.request, session))
    }

    /// The run in progress comes to nothing; whether there was one.
    pub(crate) fn end(&mut self) -> bool {
        let Some(IdleRun { id, who, request }) = self.run.take() else { return false };
        self.customer_mut(who).receive(&request, Event::Stopped { run: id });
        true
    }

    /// Hands an event of the run in progress to whoever asked for it.
    fn receive(&mut self, event: Event) {
        let Some(run) = &self.run else { return };
        let (who, request) = (run.who, Arc::clone(&run.request));
        if matches!(event, Event::Finished(_) | Event::Failed { .. } | Event::Stopped { .. }) {
            self.run = None;
        }
        self.customer_mut(who).receive(&request, event);
    }
}

impl Session {
    /// The run that is in progress while nothing else is wanted; its previews are not the stage's.
    pub fn idle_run(&self) -> Option<RunId> {
        self.idle.run.as_ref().map(|run| run.id)
    }

    /// Whether nothing but idle work is wanted of the engine.
    fn is_quiet(&self) -> bool {
        let asks = self.inspections.is_asking() || self.inspections.wanted().is_some();
        // What the person asked for by name goes on where the live picture was stopped or has failed.
        let may_begin = self.idle.upscaling.is_active() || (!self.declined && self.trouble.is_none());
        self.heard && self.run.is_none() && !self.pace.is_pending() && !asks && may_begin
    }

    /// Ends an idle run that is in the way or of no use, and sends the next; called when nothing else is due.
    pub(crate) fn tend_idle(&mut self) {
        let quiet = self.is_quiet();
        if (!quiet || self.idle.is_vain(self)) && self.idle.end() {
            self.outbox.push(Command::Stop);
        }
        if !quiet || self.idle.run.is_some() {
            return;
        }
        let Some((who, request)) = self.idle.next(self) else { return };
        self.newest = RunId(self.newest.0 + 1);
        let request = Arc::new(request);
        self.idle.run = Some(IdleRun { id: self.newest, who, request: Arc::clone(&request) });
        self.outbox.retain(|command| !matches!(command, Command::Stop));
        self.outbox.push(Command::Generate { run: self.newest, request });
    }

    /// Takes an event of the idle run; gives back any other.
    pub(crate) fn receive_idle(&mut self, event: Event) -> Option<Event> {
        if event.run().is_none() || event.run() != self.idle_run() {
            return Some(event);
        }
        self.idle.receive(event);
        None
    }

    /// Lets customers drop what belongs to something that is no more.
    pub(crate) fn follow_idle(&mut self) {
        let mut idle = std::mem::take(&mut self.idle);
        for who in Lane::ORDER {
            idle.customer_mut(who).follow(self);
        }
        self.idle = idle;
    }
}
