//! Following another run for some steps: a fork keeps what it had by then, a held composition its low frequencies.

use crate::{Moment, Session, action::Edit, fit::fit};
use fourstep_protocol::{Anchor, ModelInfo, Request};

/// How a request follows another run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// Its first steps are the first steps: [`Request::fork`].
    Fork,
    /// Its composition is held: [`Request::composition`].
    Composition,
}

impl Bond {
    /// What is followed in this way.
    pub fn of(self, request: &Request) -> Option<&Anchor> {
        match self {
            Self::Fork => request.fork.as_ref(),
            Self::Composition => request.composition.as_ref(),
        }
    }

    fn of_mut(self, request: &mut Request) -> &mut Option<Anchor> {
        match self {
            Self::Fork => &mut request.fork,
            Self::Composition => &mut request.composition,
        }
    }
}

impl Session {
    /// Steps that a run can be followed for; `None` where there is no picture to follow, or too few steps.
    pub fn bond_range(&self) -> Option<std::ops::RangeInclusive<u32>> {
        let most = self.settings.request.steps.saturating_sub(1);
        let shown = self.shown.as_ref()?;
        (most > 0 && shown.canonical.model == self.model.model).then_some(1..=most)
    }

    /// Follows the run of the picture that is shown, or lets go. What is followed already stays, for other steps.
    pub(crate) fn follow(&mut self, bond: Bond, steps: Option<u32>, now: Moment) {
        let followed = bond.of(&self.settings.request).map(|anchor| anchor.request.clone());
        let shown = self.shown.as_ref().filter(|_| self.bond_range().is_some());
        let spoken = |request: &Request| Box::new(Request { typed: None, init: None, ..request.clone() });
        let followed = followed.or_else(|| Some(spoken(&shown?.finished.request)));
        let anchor = steps.and_then(|steps| Some(Anchor { request: followed?, steps }));
        self.edit(Edit::Bond(bond), now, |r| *bond.of_mut(r) = anchor);
    }
}

/// Brings what is followed into the range of the request.
pub(crate) fn fit_bonds(request: &mut Request, model: &ModelInfo) {
    for bond in [Bond::Fork, Bond::Composition] {
        let Some(anchor) = bond.of_mut(request).take().filter(|_| request.steps > 1) else { continue };
        *bond.of_mut(request) = Some(fitted(request, anchor, model));
    }
}

fn fitted(request: &Request, mut anchor: Anchor, model: &ModelInfo) -> Anchor {
    anchor.steps = anchor.steps.clamp(1, request.steps - 1);
    // Beyond its own fork a followed run would have gone another way; before it, it went the way of what it follows.
    while let Some(inner) = anchor.request.fork.take_if(|inner| inner.steps >= anchor.steps) {
        anchor.request = inner.request;
    }
    let mut followed = request.followed(&anchor);
    fit(&mut followed, model);
    anchor.request = Box::new(followed);
    anchor
}
