use fourstep_protocol::{DownloadPhase, DownloadProgress};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Tells a watcher how far a download is, about ten times a second.
pub(crate) struct Reporter<'a> {
    watch: &'a dyn Fn(&DownloadProgress),
    progress: DownloadProgress,
    rate: Rate,
    told: Option<Instant>,
}

const PACE: Duration = Duration::from_millis(100);

impl<'a> Reporter<'a> {
    pub(crate) fn new(watch: &'a dyn Fn(&DownloadProgress)) -> Self {
        Self { watch, progress: DownloadProgress::default(), rate: Rate::default(), told: None }
    }

    /// What all files come to.
    pub(crate) fn total(&mut self, bytes: u64) {
        self.progress.total_bytes = bytes;
    }

    /// Goes on to a file, of which and of those before it `done_bytes` are here.
    pub(crate) fn file(&mut self, name: &str, done_bytes: u64) {
        name.clone_into(&mut self.progress.file);
        self.progress.done_bytes = done_bytes;
        self.tell();
    }

    pub(crate) fn phase(&mut self, phase: DownloadPhase) {
        if self.progress.phase != phase {
            self.progress.phase = phase;
            self.tell();
        }
    }

    /// So many bytes came over the network.
    pub(crate) fn arrived(&mut self, bytes: u64) {
        self.rate.add(Instant::now(), bytes);
        self.counted(bytes);
    }

    /// So many bytes are known to be here.
    pub(crate) fn counted(&mut self, bytes: u64) {
        self.progress.done_bytes += bytes;
        self.tick();
    }

    /// So many bytes were thrown away.
    pub(crate) fn lost(&mut self, bytes: u64) {
        self.progress.done_bytes = self.progress.done_bytes.saturating_sub(bytes);
        self.tell();
    }

    /// Time went by.
    pub(crate) fn tick(&mut self) {
        if self.told.is_none_or(|told| told.elapsed() >= PACE) {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let now = Instant::now();
        self.told = Some(now);
        self.progress.bytes_per_sec = self.rate.bytes_per_sec(now);
        (self.watch)(&self.progress);
    }
}

/// Bytes a second over the last seconds.
#[derive(Debug, Default)]
struct Rate {
    first: Option<Instant>,
    arrivals: VecDeque<(Instant, u64)>,
}

const WINDOW: Duration = Duration::from_secs(5);
/// Arrivals closer together than this are one entry, so that a window is at most 100 of them.
const GRAIN: Duration = Duration::from_millis(50);

impl Rate {
    fn add(&mut self, now: Instant, bytes: u64) {
        self.first.get_or_insert(now);
        match self.arrivals.back_mut() {
            Some((at, sum)) if now.duration_since(*at) < GRAIN => *sum += bytes,
            _ => self.arrivals.push_back((now, bytes)),
        }
        self.forget(now);
    }

    /// 0 before the first half second: a rate from a single packet would promise anything.
    fn bytes_per_sec(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let Some(first) = self.first else { return 0.0 };
        let span = now.duration_since(first).min(WINDOW);
        if span < WINDOW / 10 {
            return 0.0;
        }
        self.arrivals.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>() / span.as_secs_f64()
    }

    fn forget(&mut self, now: Instant) {
        while self.arrivals.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.arrivals.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut rate = Rate::default();
        assert_eq!(rate.bytes_per_sec(at(0)), 0.0);
        for ms in (0..10_000).step_by(100) {
            rate.add(at(ms), if ms < 5_000 { 1_000 } else { 100 });
        }
        assert!((rate.bytes_per_sec(at(10_000)) - 1_000.0).abs() < 30.0, "100 bytes in 100 ms");
        assert!(rate.arrivals.len() <= 101);
        assert_eq!(rate.bytes_per_sec(at(20_000)), 0.0, "nothing came");
    }

    #[test]
    fn a_first_packet_is_no_rate() {
        let start = Instant::now();
        let mut rate = Rate::default();
        rate.add(start, 1 << 20);
        assert_eq!(rate.bytes_per_sec(start + Duration::from_millis(10)), 0.0);
        assert_eq!(rate.bytes_per_sec(start + Duration::from_secs(1)), f64::from(1 << 20));
    }

    #[test]
    fn many_packets_are_few_reports() {
        let told = RefCell::new(Vec::new());
        let watch = |p: &DownloadProgress| told.borrow_mut().push(p.clone());
        let mut reporter = Reporter::new(&watch);
        reporter.total(1_000);
        reporter.file("a", 0);
        for _ in 0..1_000 {
            reporter.arrived(1);
        }
        reporter.phase(DownloadPhase::Verifying);
        let told = told.borrow();
        assert!(told.len() < 50, "{} reports", told.len());
        assert_eq!(told.last().map(|p| (p.done_bytes, p.phase)), Some((1_000, DownloadPhase::Verifying)));
    }
}
