//! A window without an engine: the client notes what it is sent and says what the test scripts.

#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

pub(crate) mod keeping;
pub(crate) mod library;
mod ports;
mod samples;
mod window;

use fourstep_prompt::Wildcards;
use fourstep_protocol::{Command, Event, LibraryItem, Lost, ModelRef, Request, RunId};
use fourstep_session::{PreviewPlace, Settings};
use fourstep_ui::{AdapterInfo, Choice, GridSheet, KeptPage, LogEntry, PreviewPicture, Seen, Sheet};
use keeping::Keeping;
pub(crate) use samples::{latents, models, painted, picture};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
pub(crate) use window::{Look, Window};

/// What the doubles note and are told.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) sent: Vec<Command>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) previews: VecDeque<PreviewPicture>,
    pub(crate) prepared: Vec<ModelRef>,
    pub(crate) offered: Vec<(RunId, u32)>,
    /// What is to decode what was offered.
    pub(crate) places: Vec<PreviewPlace>,
    pub(crate) developed: Vec<(RunId, u32)>,
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) grids: Vec<GridSheet>,
    pub(crate) ended: Vec<RunId>,
    pub(crate) saved: Vec<PathBuf>,
    pub(crate) settings: Vec<Settings>,
    pub(crate) pages: Vec<KeptPage>,
    pub(crate) dialog: Option<Choice>,
    pub(crate) opened: Option<Request>,
    pub(crate) lost: Vec<Lost>,
    pub(crate) keeping: Keeping,
    pub(crate) items: Arc<Vec<LibraryItem>>,
    pub(crate) looking: bool,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) recorded: Vec<(PathBuf, usize)>,
    pub(crate) looked_at: Vec<PathBuf>,
    pub(crate) imported: Vec<PathBuf>,
    pub(crate) seen: VecDeque<Seen>,
    pub(crate) downloads: Vec<String>,
    pub(crate) wildcards: Arc<Wildcards>,
    pub(crate) adapters: Arc<Vec<AdapterInfo>>,
    pub(crate) refreshed: usize,
    pub(crate) cancelled: Vec<String>,
    pub(crate) now: f64,
    pub(crate) seeds: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Double(Arc<Mutex<Script>>);

impl Double {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("no test panics with the lock")
    }

    /// A request to paint pictures of.
    fn sample(&self) -> Request {
        Settings::sample(&models()).request
    }
}
