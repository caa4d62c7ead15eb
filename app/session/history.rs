use crate::{Moment, action::Edit};
use fourstep_protocol::Request;
use std::collections::VecDeque;

/// Undo and redo of settings: whole requests, because they are small and cannot disagree with each other.
#[derive(Debug, Default)]
pub(crate) struct History {
    past: VecDeque<Request>,
    future: Vec<Request>,
    last: Option<(Edit, Moment)>,
}

impl History {
    /// Steps that are kept.
    pub(crate) const LIMIT: usize = 200;
    /// Edits of one kind that follow each other within this are one step.
    const COALESCE_SECS: f64 = 1.0;

    /// Remembers the request `before` an edit that made it `after`.
    pub(crate) fn record(&mut self, before: Request, after: &Request, edit: Edit, now: Moment) {
        let continues = self
            .last
            .is_some_and(|(kind, at)| kind == edit && !edit.is_undone_alone() && now.since(at) <= Self::COALESCE_SECS);
        self.future.clear();
        self.last = Some((edit, now));
        if !continues {
            self.past.push_back(before);
            if self.past.len() > Self::LIMIT {
                self.past.pop_front();
            }
        } else if self.past.back() == Some(after) {
            // Typed and deleted again: there is nothing to take back.
            self.past.pop_back();
            self.last = None;
        }
    }

    /// The request before the last step, which `current` replaces on the way forward.
    pub(crate) fn undo(&mut self, current: Request) -> Option<Request> {
        let request = self.past.pop_back()?;
        self.future.push(current);
        self.last = None;
        Some(request)
    }

    /// The request that the last undo took back.
    pub(crate) fn redo(&mut self, current: Request) -> Option<Request> {
        let request = self.future.pop()?;
        self.past.push_back(current);
        self.last = None;
        Some(request)
    }

    pub(crate) fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    pub(crate) fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    fn request(prompt: &str) -> Request {
        Request { prompt: prompt.into(), ..Settings::sample(&[]).request }
    }

    fn typed(history: &mut History, from: &str, to: &str, edit: Edit, at: f64) {
        history.record(request(from), &request(to), edit, Moment(at));
    }

    #[test]
    fn typing_a_word_is_one_step() {
        let mut h = History::default();
        typed(&mut h, "", "c", Edit::Prompt, 0.0);
        typed(&mut h, "c", "ca", Edit::Prompt, 0.9);
        typed(&mut h, "ca", "cat", Edit::Prompt, 1.8);
        typed(&mut h, "cat", "cats", Edit::Prompt, 3.0);
        assert_eq!(h.undo(request("cats")), Some(request("cat")));
        assert_eq!(h.undo(request("cat")), Some(request("")));
        assert!(!h.can_undo());
        assert_eq!(h.redo(request("")), Some(request("cat")));
        assert_eq!(h.redo(request("cat")), Some(request("cats")));
        assert!(!h.can_redo());
    }

    #[test]
    fn other_kinds_and_dice_are_steps_of_their_own() {
        let mut h = History::default();
        typed(&mut h, "a", "b", Edit::Prompt, 0.0);
        typed(&mut h, "b", "c", Edit::Guidance, 0.1);
        typed(&mut h, "c", "d", Edit::NewSeed, 0.2);
        typed(&mut h, "d", "e", Edit::NewSeed, 0.3);
        assert_eq!(h.past.len(), 4);
    }

    #[test]
    fn an_edit_forgets_the_way_forward_and_an_undo_ends_a_word() {
        let mut h = History::default();
        typed(&mut h, "", "a", Edit::Prompt, 0.0);
        assert_eq!(h.undo(request("a")), Some(request("")));
        typed(&mut h, "", "b", Edit::Prompt, 0.1);
        assert!(!h.can_redo());
        assert_eq!(h.undo(request("b")), Some(request("")));
    }

    #[test]
    fn typing_and_deleting_leaves_nothing_to_undo() {
        let mut h = History::default();
        typed(&mut h, "", "a", Edit::Prompt, 0.0);
        typed(&mut h, "a", "", Edit::Prompt, 0.1);
        assert!(!h.can_undo());
    }

    #[test]
    fn it_is_bounded() {
        let mut h = History::default();
        for i in 0..1000 {
            typed(&mut h, &i.to_string(), &(i + 1).to_string(), Edit::NewSeed, f64::from(i));
        }
        assert_eq!(h.past.len(), History::LIMIT);
        assert_eq!(h.undo(request("1000")), Some(request("999")));
    }
}
