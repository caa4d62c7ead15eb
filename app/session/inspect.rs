use fourstep_protocol::{Command, ModelRef, Request};

/// Questions to the engine what a model is: one at a time, because a failed answer does not say whose it is.
#[derive(Debug, Default)]
pub(crate) struct Inspections {
    asked: Option<ModelRef>,
    wanted: Option<Inspection>,
    /// The last one that failed, to try it again.
    pub(crate) failed: Option<Inspection>,
}

/// A model that is to be known, and what for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inspection {
    pub(crate) model: ModelRef,
    pub(crate) then: Then,
}

/// What happens once the model is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Then {
    /// The person chose it.
    Choose,
    /// The settings of the last session name it.
    Resume(Box<Request>),
}

impl Inspections {
    /// The model that is to be known.
    pub(crate) fn wanted(&self) -> Option<&ModelRef> {
        self.wanted.as_ref().map(|inspection| &inspection.model)
    }

    /// Asks, now or when the question before is answered.
    pub(crate) fn want(&mut self, inspection: Inspection, outbox: &mut Vec<Command>) {
        self.failed = None;
        self.wanted = Some(inspection);
        self.ask(outbox);
    }

    /// The answer is not needed any more.
    pub(crate) fn forget(&mut self) {
        self.wanted = None;
        self.failed = None;
    }

    /// Whether an answer is due.
    pub(crate) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// An answer came: the inspection that it belongs to, if it is still wanted.
    pub(crate) fn answered(&mut self, outbox: &mut Vec<Command>) -> Option<Inspection> {
        let asked = self.asked.take()?;
        let answered = self.wanted.take_if(|wanted| wanted.model == asked);
        self.ask(outbox);
        answered
    }

    fn ask(&mut self, outbox: &mut Vec<Command>) {
        if let (None, Some(wanted)) = (&self.asked, &self.wanted) {
            self.asked = Some(wanted.model.clone());
            outbox.push(Command::Inspect(wanted.model.clone()));
        }
    }
}
