//! `fourstep` without a subcommand: the window.

use crate::{
    devices::DevicesPort,
    journal::Journal,
    keeping::{GalleryPort, NoTimeline, TimelinePort},
    library::CatalogLibrary,
    lora_hashes::LoraHashes,
    pages::Pages,
    ports::{GalleryFiles, PreviewPort},
    previews::{self, WindowCard},
    settings,
    wildcards::WildcardPort,
};
use fourstep_catalog::Catalog;
use fourstep_engine::{BackendChoice, DeviceOptions, Engine, EngineOptions};
use fourstep_gallery::DEFAULT_TIMELINE_BYTES;
use fourstep_preview::Turns;
use fourstep_protocol::{Client, ClientClosed, Command, Event, Failure};
use fourstep_session::{Moment, Session, Settings};
use fourstep_ui::{Graphics, Ports, SystemDialogs, Timeline, Waker};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
    time::Instant,
};

/// Opens the window and returns when it is closed.
///
/// # Errors
/// [`Failure`] where there is no display, no graphics driver or no computing device.
pub(crate) fn open(device: DeviceOptions) -> Result<(), Failure> {
    let catalog = Catalog::load();
    for problem in catalog.problems() {
        log::warn!("{problem}");
    }
    if is_given(&device) {
        // Opened before the window, so that a device that does not exist is said on the terminal that asked for it.
        device.open()?;
    }
    let build = move |waker: Waker, graphics| build(&catalog, &device, &waker, graphics);
    fourstep_ui::run(build).map_err(|e| {
        let remedy = "fourstep --help says what works without a window.";
        Failure::machine("The window could not be opened", e, remedy)
    })
}

fn build(catalog: &Catalog, device: &DeviceOptions, waker: &Waker, graphics: Option<Graphics>) -> (Session, Ports) {
    let start = Instant::now();
    let models = catalog.models();
    let settings = settings::load().unwrap_or_else(|| Settings::sample(&models));
    let chosen = if is_given(device) { device.clone() } else { device.choose(&settings.device) };
    let wake = waker.clone();
    let options = EngineOptions { device: chosen, wake: Box::new(move || wake()), ..EngineOptions::default() };
    let client: Box<dyn Client> = match Engine::spawn_and_open(catalog.clone(), options) {
        Ok(engine) => Box::new(engine),
        Err(failure) => Box::new(NoEngine(Mutex::new(Some(failure)))),
    };
    let wake = waker.clone();
    let wake_to_draw = waker.clone();
    let turns = Turns::new(move || wake_to_draw());
    let card = graphics.and_then(|graphics| WindowCard::new(graphics, device, turns.clone()));
    let on_card = card.as_ref().is_some_and(WindowCard::is_real);
    let previewer = previews::spawn(catalog.clone(), previews::device(device), card, move || wake());
    let previewer = previewer.inspect_err(|e| log::error!("there are no previews: {e}")).ok();
    let megabytes = settings.ui.timeline_megabytes.map(u64::from);
    let max_bytes = megabytes.map_or(DEFAULT_TIMELINE_BYTES, |megabytes| megabytes << 20);
    let timeline: Box<dyn Timeline> = match TimelinePort::new(max_bytes, waker) {
        Ok(timeline) => Box::new(timeline),
        Err(e) => Box::new(NoTimeline::new(&e)),
    };
    let session = Session::new(models, settings);
    let ports = Ports {
        client,
        previews: Box::new(PreviewPort { previewer, on_card, turns }),
        pictures: Arc::new(GalleryFiles { hashes: LoraHashes::new(catalog.clone()) }),
        settings: Box::new(settings::Store),
        pages: Box::new(Pages::open()),
        library: Box::new(CatalogLibrary::new(catalog.clone(), waker.clone())),
        devices: Box::new(DevicesPort::new(waker.clone())),
        wildcards: Box::new(WildcardPort::new(waker.clone())),
        timeline,
        gallery: Box::new(GalleryPort::new(waker)),
        logs: Box::new(Journal),
        dialogs: Arc::new(SystemDialogs),
        random_seed: Box::new(random_seed),
        clock: Box::new(move || Moment(start.elapsed().as_secs_f64())),
    };
    (session, ports)
}

/// Whether the command line says what computes, whatever the settings say.
fn is_given(device: &DeviceOptions) -> bool {
    device.backend != BackendChoice::Auto || device.adapter.is_some()
}

/// 32 random bits: the seeds that every program of this kind can type in. The standard library seeds its hashers from
/// the system, which is random enough to choose a picture by.
fn random_seed() -> u64 {
    RandomState::new().hash_one(0u8) & u64::from(u32::MAX)
}

/// Stands in where the engine could not be started: the window says why and stays open.
struct NoEngine(Mutex<Option<Failure>>);

impl Client for NoEngine {
    fn send(&self, _: Command) -> Result<(), ClientClosed> {
        Err(ClientClosed)
    }

    fn try_event(&self) -> Option<Event> {
        let failure = self.0.lock().ok()?.take()?;
        Some(Event::Failed { run: None, failure })
    }
}
