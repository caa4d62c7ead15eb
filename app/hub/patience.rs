use crate::problem::Problem;
use std::time::Duration;

/// How long a connection is waited for, and how often it is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection to be made.
    pub connect: Duration,
    /// For the next byte.
    pub stall: Duration,
    /// So often a connection that brought nothing new is tried again.
    pub retries: u32,
    /// Before the first of these; doubled before each of the next.
    pub first_pause: Duration,
    /// No pause is longer, and a hub that asks for a longer one is not waited for.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            retries: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(120),
        }
    }
}

/// Decides what to do after each problem with one file.
#[derive(Debug)]
pub(crate) struct Retries {
    patience: Patience,
    /// Whether the hub has answered before: one that never did is likely not to be there.
    reached: bool,
    fruitless: u32,
    most_bytes: u64,
    wrong: bool,
}

impl Retries {
    pub(crate) fn new(patience: Patience, reached: bool) -> Self {
        Self { patience, reached, fruitless: 0, most_bytes: 0, wrong: false }
    }

    /// How long to pause before the next attempt; `None` to give up. `have_bytes`: what has arrived of the file.
    pub(crate) fn after(&mut self, problem: &Problem, have_bytes: u64) -> Option<Duration> {
        if problem.is_wrong_content() {
            return (!std::mem::replace(&mut self.wrong, true)).then_some(Duration::ZERO);
        }
        if !problem.is_transient() {
            return None;
        }
        if have_bytes > self.most_bytes {
            (self.most_bytes, self.fruitless) = (have_bytes, 0);
        }
        self.fruitless += 1;
        let unreachable = !self.reached && matches!(problem, Problem::Unreachable { .. });
        if self.fruitless > if unreachable { self.patience.retries.min(1) } else { self.patience.retries } {
            return None;
        }
        match problem.retry_after() {
            Some(asked) => (asked <= self.patience.longest_pause).then_some(asked),
            None => {
                let doubled = self.patience.first_pause.saturating_mul(1 << (self.fruitless - 1).min(16));
                Some(doubled.min(self.patience.longest_pause))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Answer;

    const SECOND: Duration = Duration::from_secs(1);

    fn answer(status: u16, retry_after: Option<Duration>) -> Problem {
        Problem::Answer(Answer { status, retry_after, ..Answer::default() })
    }

    #[test]
    fn pauses_double_until_bytes_arrive() {
        let mut retries = Retries::new(Patience::default(), true);
        let cut = Problem::CutOff { have_bytes: 1, size_bytes: Some(2) };
        assert_eq!([1, 1, 1].map(|have| retries.after(&cut, have)), [1, 2, 4].map(|n| Some(n * SECOND)));
        assert_eq!(retries.after(&cut, 2), Some(SECOND), "bytes arrived");
        // A server that starts from zero each time brings nothing new.
        let pauses: Vec<_> = (0..10).map_while(|_| retries.after(&cut, 1)).collect();
        assert_eq!(pauses, [2, 4, 8, 16].map(|n| n * SECOND));
    }

    #[test]
    fn the_hubs_wish_to_wait_is_followed_within_reason() {
        let mut retries = Retries::new(Patience::default(), true);
        assert_eq!(retries.after(&answer(429, Some(7 * SECOND)), 0), Some(7 * SECOND));
        assert_eq!(retries.after(&answer(429, Some(3600 * SECOND)), 0), None);
        assert_eq!(retries.after(&answer(403, None), 0), None, "a refusal stays one");
    }

    #[test]
    fn a_hub_that_never_answered_is_tried_twice() {
        let gone = Problem::Unreachable { why: String::new() };
        let count = |reached| {
            let mut retries = Retries::new(Patience::default(), reached);
            (0..10).map_while(|_| retries.after(&gone, 0)).count()
        };
        assert_eq!((count(false), count(true)), (1, 5));
    }

    #[test]
    fn wrong_bytes_are_tried_once_more() {
        let mut retries = Retries::new(Patience::default(), true);
        let wrong = Problem::WrongBytes { expected: String::new(), found: String::new() };
        assert_eq!([0, 0].map(|have| retries.after(&wrong, have)), [Some(Duration::ZERO), None]);
    }
}
