//! What the program notes: printed as before, and the newest of it kept for the window.

use fourstep_ui::{LogEntry, Logs};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::collections::VecDeque;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Notes that are kept.
const KEPT: usize = 1000;

static KEEPER: LazyLock<Keeper> = LazyLock::new(|| Keeper { started: Instant::now(), notes: Mutex::default() });

/// What is kept, for the window.
pub(crate) struct Journal;

impl Logs for Journal {
    fn count(&self) -> u64 {
        KEEPER.notes().count
    }

    fn entries(&self) -> Vec<LogEntry> {
        KEEPER.notes().newest.iter().cloned().collect()
    }
}

/// Everything that is noted from now on goes through `printer` and is kept.
pub(crate) fn install(printer: env_logger::Logger) {
    LazyLock::force(&KEEPER);
    let most = printer.filter().max(LevelFilter::Info);
    // Somebody else's logger stays where there is one, as in a test.
    if log::set_boxed_logger(Box::new(Both { printer })).is_ok() {
        log::set_max_level(most);
    }
}

struct Keeper {
    started: Instant,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    count: u64,
    newest: VecDeque<LogEntry>,
}

impl Keeper {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, record: &Record<'_>) {
        let entry = LogEntry {
            at_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            level: record.level(),
            target: record.target().to_owned(),
            text: record.args().to_string(),
        };
        let mut notes = self.notes();
        notes.count += 1;
        notes.newest.push_back(entry);
        if notes.newest.len() > KEPT {
            notes.newest.pop_front();
        }
    }
}

/// Prints what the person asked for, and keeps what may explain a failure.
struct Both {
    printer: env_logger::Logger,
}

fn is_kept(metadata: &Metadata<'_>) -> bool {
    let least = if metadata.target().starts_with("fourstep") { Level::Info } else { Level::Warn };
    metadata.level() <= least
}

impl Log for Both {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_kept(metadata) || self.printer.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if is_kept(record.metadata()) {
            KEEPER.keep(record);
        }
        if self.printer.matches(record) {
            self.printer.log(record);
        }
    }

    fn flush(&self) {
        self.printer.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_thousand_are_kept() {
        let printer = env_logger::Builder::new().filter_level(LevelFilter::Off).build();
        let both = Both { printer };
        for n in 0..KEPT + 5 {
            let metadata = |level| Metadata::builder().target("fourstep_ui").level(level).build();
            both.log(&Record::builder().metadata(metadata(Level::Warn)).args(format_args!("note {n}")).build());
            both.log(&Record::builder().metadata(metadata(Level::Debug)).args(format_args!("too much")).build());
        }
        let entries = Journal.entries();
        assert_eq!(entries.len(), KEPT);
        assert!(entries.iter().all(|entry| entry.text.starts_with("note ")));
        assert_eq!(entries.last().map(|entry| entry.text.as_str()), Some("note 1004"));
        assert!(Journal.count() >= KEPT as u64 + 5);
    }
}
