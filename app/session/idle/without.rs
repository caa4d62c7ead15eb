use super::Customer;
use crate::{Session, Tab, prompts::speak};
use fourstep_prompt::without;
use fourstep_protocol::{Event, Finished, Request};
use std::ops::Range;

/// The picture on the stage without a word of its prompt: what that word does.
#[derive(Debug, Default)]
pub(crate) struct Without {
    /// The picture that the others belong to, by its request.
    of: Option<Request>,
    /// What is left out now.
    wanted: Option<Wanted>,
    /// Pictures of words that were left out before; none where that failed.
    seen: Vec<(Request, Option<Box<Finished>>)>,
}

#[derive(Debug)]
struct Wanted {
    /// Where the word stands in the prompt as it is typed.
    place: Range<usize>,
    word: String,
    request: Request,
}

/// Pictures kept for one prompt.
const KEPT: usize = 24;

/// What is known of the picture without a word.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut<'a> {
    /// The word.
    pub word: &'a str,
    /// The picture, once it is there.
    pub picture: Option<&'a Finished>,
}

impl Without {
    fn seen(&self, request: &Request) -> Option<&Option<Box<Finished>>> {
        self.seen.iter().find(|(seen, _)| seen == request).map(|(_, picture)| picture)
    }
}

impl Customer for Without {
    fn follow(&mut self, session: &Session) {
        let of = session.shown.as_ref().filter(|_| session.stale_since.is_none()).map(|shown| &shown.canonical);
        if self.of.as_ref() != of {
            self.of = of.cloned();
            self.seen.clear();
            let again = |before: Wanted| session.wanted(before.place).filter(|now| now.word == before.word);
            self.wanted = self.wanted.take().and_then(again);
        }
    }

    fn next(&self, session: &Session) -> Option<Request> {
        let wanted = self.wanted.as_ref().filter(|_| session.settings.ui.tab == Tab::Picture && self.of.is_some())?;
        self.seen(&wanted.request).is_none().then(|| wanted.request.clone())
    }

    fn receive(&mut self, asked: &Request, event: Event) {
        let picture = match event {
            Event::Finished(finished) => Some(finished),
            Event::Failed { .. } => None,
            _ => return,
        };
        if self.seen.len() >= KEPT {
            self.seen.remove(0);
        }
        self.seen.push((asked.clone(), picture));
    }
}

impl Session {
    /// Leaves out what stands in this place of the prompt, in bytes, as long as the pointer is there.
    pub(crate) fn leave_out(&mut self, place: Option<Range<usize>>) {
        self.idle.without.wanted = place.and_then(|place| self.wanted(place));
    }

    fn wanted(&self, place: Range<usize>) -> Option<Wanted> {
        let typed = &self.settings.request;
        let word = typed.prompt.get(place.clone())?.to_owned();
        let shorter = Request { prompt: without(&typed.prompt, place.clone()), ..typed.clone() };
        let spoken = speak(&shorter, &self.wildcards, &self.library, self.model.family).request;
        Some(Wanted { place, word, request: spoken.canonical(&self.model) })
    }

    /// Where the word stands that is left out.
    pub fn left_out_place(&self) -> Option<&Range<usize>> {
        self.idle.without.wanted.as_ref().map(|wanted| &wanted.place)
    }

    /// The picture without the word under the pointer, where one is left out.
    pub fn left_out(&self) -> Option<LeftOut<'_>> {
        let without = &self.idle.without;
        let wanted = without.wanted.as_ref().filter(|_| self.settings.ui.tab == Tab::Picture)?;
        let picture = without.seen(&wanted.request).and_then(Option::as_deref);
        Some(LeftOut { word: &wanted.word, picture })
    }
}
