//! A window without an engine: the client notes what it is sent and says what the test scripts.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod keeping;
pub(crate) mod library;

use eframe::egui_wgpu::RenderState;
use egui_kittest::{Harness, kittest::Queryable};
use fourstep_prompt::Wildcards;
use fourstep_protocol::{
    Client, ClientClosed, Command, DeviceInfo, Event, Failure, Family, Finished, Guidance, Latents, LibraryItem,
    LoraRef, Lost, ModelInfo, ModelRef, Picture, PromptReading, Recipe, Request, RunId, Sampler, Size, Timings,
    TokenCount,
};
use fourstep_session::{Language, Moment, PreviewPlace, Session, Settings, ThemeChoice};
use fourstep_ui::{
    AdapterInfo, App, Choice, Devices, Dialogs, GridSheet, KeptPage, Known, Library, LogEntry, Logs, OpenedPicture,
    PageStore, PictureFiles, Ports, PreviewImage, PreviewJob, PreviewPicture, Previews, Seen, SettingsStore, Sheet,
    Shot, WildcardFiles,
};
use keeping::Keeping;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

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
}

impl Double {
    /// A request to paint pictures of.
    fn sample(&self) -> Request {
        Settings::sample(&models()).request
    }
}

impl Client for Double {
    fn send(&self, command: Command) -> Result<(), ClientClosed> {
        self.lock().sent.push(command);
        Ok(())
    }

    fn try_event(&self) -> Option<Event> {
        self.lock().events.pop_front()
    }
}

impl Previews for Double {
    fn prepare(&self, model: &ModelRef) {
        self.lock().prepared.push(model.clone());
    }

    fn finish(&self, run: RunId) {
        self.lock().ended.push(run);
    }

    fn offer(&self, job: PreviewJob) {
        let mut script = self.lock();
        script.offered.push((job.run, job.step));
        script.places.push(job.place);
    }

    fn develop(&self, jobs: Vec<PreviewJob>) {
        self.lock().developed.extend(jobs.into_iter().map(|job| (job.run, job.step)));
    }

    fn newest(&self) -> Option<PreviewPicture> {
        self.lock().previews.pop_front()
    }
}

impl PictureFiles for Double {
    fn save_recording(&self, path: &Path, shots: &[Shot], progress: &mut dyn FnMut(usize)) -> Result<(), Failure> {
        progress(shots.len());
        self.lock().recorded.push((path.to_owned(), shots.len()));
        Ok(())
    }

    fn save(&self, path: &Path, _finished: &Finished, _jpeg_quality: u8) -> Result<(), Failure> {
        if path.starts_with("/full") {
            let why = format!("{} is full", path.display());
            return Err(Failure::machine("The picture could not be saved", why, "Save it to another folder."));
        }
        self.lock().saved.push(path.to_owned());
        Ok(())
    }

    fn save_sheet(&self, path: &Path, sheet: &Sheet) -> Result<(), Failure> {
        self.lock().sheets.push(sheet.clone());
        self.lock().saved.push(path.to_owned());
        Ok(())
    }

    fn save_grid(&self, path: &Path, grid: &GridSheet) -> Result<(), Failure> {
        self.lock().grids.push(grid.clone());
        self.lock().saved.push(path.to_owned());
        Ok(())
    }

    fn open(&self, path: &Path, _known: &Known) -> Result<OpenedPicture, Failure> {
        let request = self.lock().opened.clone();
        let lost = self.lock().lost.clone();
        match request {
            Some(request) => Ok(OpenedPicture { picture: picture(&request), request, lost }),
            None => Err(Failure::input(
                "The picture could not be opened",
                format!("{} carries no settings", path.display()),
                "Choose a PNG that Fourstep saved.",
            )),
        }
    }

    fn read(&self, path: &Path) -> Result<Arc<Picture>, Failure> {
        self.lock().imported.push(path.to_owned());
        let pixel = |i: u32| if i % 100 < 50 { [200, 60, 30] } else { [20, 90, 160] };
        Ok(Arc::new(Picture::from_rows(100, &(0..100 * 80).map(pixel).collect::<Vec<_>>())))
    }

    fn default_dir(&self) -> Result<PathBuf, Failure> {
        Ok("/home/me/Pictures/Fourstep".into())
    }

    fn suggested_name(&self, finished: &Finished) -> String {
        format!("picture-{}.png", finished.request.seed)
    }
}

impl Logs for Double {
    fn count(&self) -> u64 {
        self.lock().log.len() as u64
    }

    fn entries(&self) -> Vec<LogEntry> {
        self.lock().log.clone()
    }
}

impl SettingsStore for Double {
    fn save(&self, settings: &Settings) -> Result<(), Failure> {
        self.lock().settings.push(settings.clone());
        Ok(())
    }
}

impl PageStore for Double {
    fn keep(&self, page: KeptPage) {
        self.lock().pages.push(page);
    }

    fn kept(&self) -> Option<KeptPage> {
        self.lock().pages.last().cloned()
    }
}

impl Library for Double {
    fn items(&self) -> Arc<Vec<LibraryItem>> {
        Arc::clone(&self.lock().items)
    }

    fn refresh(&self) {
        self.lock().looking = true;
    }

    fn is_looking(&self) -> bool {
        self.lock().looking
    }

    fn download(&self, id: &str) {
        self.lock().downloads.push(id.to_owned());
    }

    fn cancel(&self, id: &str) {
        self.lock().cancelled.push(id.to_owned());
    }

    fn look_at(&self, path: PathBuf) {
        self.lock().looked_at.push(path);
    }

    fn seen(&self) -> Option<Seen> {
        self.lock().seen.pop_front()
    }
}

impl Devices for Double {
    fn adapters(&self) -> Arc<Vec<AdapterInfo>> {
        Arc::clone(&self.lock().adapters)
    }

    fn refresh(&self) {
        self.lock().refreshed += 1;
    }
}

impl WildcardFiles for Double {
    fn newest(&self) -> Arc<Wildcards> {
        Arc::clone(&self.lock().wildcards)
    }

    fn refresh(&self) {}
}

impl Dialogs for Double {
    fn save_picture(&self, _folder: &Path, _name: &str) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn save_recording(&self, _folder: &Path, _name: &str) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn open_picture(&self, _folder: &Path) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn any_picture(&self, _folder: &Path) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn model_folder(&self) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn model_file(&self) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }
}

/// The window in a test.
pub(crate) struct Window {
    pub(crate) harness: Harness<'static, App>,
    pub(crate) double: Double,
    /// What it is drawn with.
    pub(crate) card: RenderState,
}

pub(crate) fn models() -> Vec<ModelInfo> {
    let live = |loras: Vec<LoraRef>, guidance_scale| Recipe { loras, sampler: Sampler::Lcm, steps: 4, guidance_scale };
    vec![
        ModelInfo {
            model: ModelRef::new("sticker"),
            name: "Sticker".into(),
            detail: "teacher with LCM-LoRA".into(),
            family: Family::Custom,
            guidance: Guidance::ClassifierFree,
            native_size: Size::new(128, 128),
            live: live(vec![LoraRef { source: "sticker-lcm-lora".into(), weight: 1.0 }], 1.0),
            compare: Some(Recipe { loras: vec![], sampler: Sampler::Ddim, steps: 25, guidance_scale: 3.0 }),
            few_step: None,
        },
        ModelInfo {
            model: ModelRef::new("sticker-lcm"),
            name: "Sticker".into(),
            detail: "full LCM".into(),
            family: Family::Custom,
            guidance: Guidance::Embedded { min: 1.0, max: 8.0 },
            native_size: Size::new(128, 128),
            live: live(vec![], 3.0),
            compare: None,
            few_step: None,
        },
        ModelInfo {
            model: ModelRef::new("turbo"),
            name: "Turbo".into(),
            detail: "distilled".into(),
            family: Family::Custom,
            guidance: Guidance::None,
            native_size: Size::new(512, 512),
            live: live(vec![], 1.0),
            compare: None,
            few_step: None,
        },
    ]
}

/// How the window of a test looks.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) density: f32,
    pub(crate) light: bool,
    pub(crate) prompt: &'static str,
    pub(crate) unfolded: bool,
    pub(crate) language: Language,
    /// The first start.
    pub(crate) fresh: bool,
}

impl Look {
    /// 1280×800, dark, English.
    pub(crate) const DEFAULT: Self = Self {
        width: 1280.0,
        height: 800.0,
        density: 1.0,
        light: false,
        prompt: "a red apple on a blue background",
        unfolded: false,
        language: Language::English,
        fresh: false,
    };
}

impl Default for Look {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Window {
    /// 1280×800, the engine ready, the sample prompt sent.
    pub(crate) fn new() -> Self {
        Self::with(Look::default())
    }

    /// After a start at which this was kept of the canvas.
    pub(crate) fn with_page(page: KeptPage) -> Self {
        let double = Double::default();
        double.lock().pages.push(page);
        Self::over(double, Look::default())
    }

    pub(crate) fn with(look: Look) -> Self {
        Self::over(Double::default(), look)
    }

    fn over(double: Double, look: Look) -> Self {
        let mut settings = Settings::sample(&models());
        settings.request.prompt = look.prompt.into();
        settings.request.seed = 4711;
        settings.ui.theme = if look.light { ThemeChoice::Light } else { ThemeChoice::Dark };
        settings.ui.welcomed = !look.fresh;
        settings.ui.language = look.language;
        settings.ui.negative_open = look.unfolded;
        settings.ui.advanced_open = look.unfolded;
        settings.ui.loras_open = look.unfolded;
        let session = Session::new(models(), settings);
        let ports = ports(&double);
        let mut card = None;
        let harness = Harness::builder()
            .with_size([look.width, look.height])
            .with_pixels_per_point(look.density)
            .with_step_dt(1.0 / 60.0)
            .with_max_steps(64)
            .with_render_cursor(false)
            .allow_missing_glyphs()
            .wgpu()
            .build_eframe(|cc| {
                card = cc.wgpu_render_state.clone();
                App::new(cc, session, ports)
            });
        let mut window = Self { harness, double, card: card.expect("tests draw with wgpu") };
        window.event(Event::Ready(DeviceInfo {
            backend: "candle".into(),
            device: "CPU".into(),
            precision: "f32".into(),
            threads: 2,
            memory_bytes: None,
        }));
        window.pass(0.01);
        window
    }

    /// Opens a view: by the tab of this `name`, or from the list of narrow windows, where it reads `text`.
    pub(crate) fn open_tab(&mut self, name: &str, text: &str) {
        match self.harness.query_by_label(name) {
            Some(tab) => tab.click(),
            None => {
                self.harness.get_by_label("View Picture").click();
                self.pass(0.1);
                self.harness.get_by_label(text).click();
            }
        }
        self.pass(0.1);
    }

    /// Lets `secs` pass and draws some frames.
    pub(crate) fn pass(&mut self, secs: f64) {
        self.double.lock().now += secs;
        self.harness.run_steps(3);
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.double.lock().events.push_back(event);
        self.harness.run_steps(2);
    }

    /// The newest request sent to the engine.
    pub(crate) fn newest(&self) -> (RunId, Arc<Request>) {
        let script = self.double.lock();
        let newest = script.sent.iter().rev().find_map(|c| match c {
            Command::Generate { run, request } => Some((*run, Arc::clone(request))),
            _ => None,
        });
        newest.expect("something was to be painted")
    }

    pub(crate) fn generated(&self) -> usize {
        self.double.lock().sent.iter().filter(|c| matches!(c, Command::Generate { .. })).count()
    }

    pub(crate) fn start(&mut self) {
        let (run, request) = self.newest();
        let used = request.prompt.split_whitespace().count();
        let prompt = PromptReading { tokens: TokenCount { used, window: 75 }, ..PromptReading::default() };
        self.event(Event::Started { run, steps: request.steps, prompt: Arc::new(prompt) });
    }

    /// A step with its preview.
    pub(crate) fn step(&mut self, step: u32) {
        let (run, request) = self.newest();
        let steps = request.steps;
        let denoised = Arc::new(latents(&request));
        self.event(Event::Step { run, step, steps, denoised, elapsed_secs: 0.03 * f64::from(step) });
        let clear = step as f32 / steps as f32;
        self.double.lock().previews.push_back(PreviewPicture {
            run,
            step,
            image: PreviewImage::Picture(painted(&request, clear)),
        });
        self.pass(0.03);
    }

    /// All steps and the picture; then quiet.
    pub(crate) fn finish(&mut self) {
        let (_, request) = self.newest();
        self.start();
        for step in 1..=request.steps {
            self.step(step);
        }
        self.finish_with(picture);
    }

    /// The picture, whatever steps there were; then quiet.
    pub(crate) fn finish_with(&mut self, paint: impl Fn(&Request) -> Arc<Picture>) {
        let (run, request) = self.newest();
        let finished = Finished {
            run,
            picture: paint(&request),
            latents: Arc::new(latents(&request)),
            timings: Timings {
                load_secs: 0.0,
                text_secs: 0.003,
                step_secs: vec![0.026; request.steps as usize],
                decode_secs: 0.008,
                total_secs: 0.115,
            },
            request,
        };
        self.event(Event::Finished(Box::new(finished)));
        self.pass(0.5);
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        let (run, _) = self.newest();
        self.event(Event::Failed { run: Some(run), failure });
        self.pass(0.5);
    }

    /// The library from now on.
    pub(crate) fn library(&mut self, items: Vec<LibraryItem>) {
        self.double.lock().items = Arc::new(items);
        self.pass(0.05);
    }

    pub(crate) fn request(&self) -> &Request {
        self.harness.state().session().request()
    }
}

fn ports(double: &Double) -> Ports {
    let (seeds, clock) = (double.clone(), double.clone());
    Ports {
        client: Box::new(double.clone()),
        previews: Box::new(double.clone()),
        pictures: Arc::new(double.clone()),
        settings: Box::new(double.clone()),
        pages: Box::new(double.clone()),
        library: Box::new(double.clone()),
        devices: Box::new(double.clone()),
        timeline: Box::new(double.clone()),
        gallery: Box::new(double.clone()),
        logs: Box::new(double.clone()),
        dialogs: Arc::new(double.clone()),
        wildcards: Box::new(double.clone()),
        random_seed: Box::new(move || {
            let mut script = seeds.lock();
            script.seeds += 1;
            1000 + script.seeds
        }),
        clock: Box::new(move || Moment(clock.lock().now)),
    }
}

pub(crate) fn latents(request: &Request) -> Latents {
    let (height, width) = (request.size.height as usize / 8, request.size.width as usize / 8);
    Latents { channels: 4, height, width, data: vec![0.0; 4 * height * width] }
}

pub(crate) fn picture(request: &Request) -> Arc<Picture> {
    painted(request, 1.0)
}

/// An apple on a coloured ground; with `clear` below 1 still in the haze of the first steps.
pub(crate) fn painted(request: &Request, clear: f32) -> Arc<Picture> {
    let (w, h) = (request.size.width, request.size.height);
    let mut rgb = Vec::with_capacity((w * h * 3) as usize);
    for y in 0..h {
        for x in 0..w {
            let (u, v) = (x as f32 / w as f32 - 0.5, y as f32 / h as f32 - 0.54);
            // Edges get sharper with every step.
            let inside = |distance: f32| (0.5 - distance / (0.012 + 0.3 * (1.0 - clear))).clamp(0.0, 1.0);
            let apple = inside((u.abs() - 0.09).hypot(v * 1.02) - 0.2);
            let stem = inside(((u - 0.02 - v.abs() * 0.1).abs() - 0.012).max((v + 0.27).abs() - 0.07));
            let shine = 0.9 + 0.35 * (-((u + 0.12).powi(2) + (v + 0.1).powi(2)) * 60.0).exp();
            let over = |below: [f32; 3], ink: [f32; 3], a: f32| [0, 1, 2].map(|c| below[c] + (ink[c] - below[c]) * a);
            let ground = [52.0, 112.0 + 40.0 * v, 196.0 + 40.0 * v];
            let colour =
                over(over(ground, [92.0, 62.0, 40.0], stem), [206.0 * shine, 40.0 * shine, 46.0 * shine], apple);
            let haze = 26.0 * (1.0 - clear) * ((u * 23.0).sin() + (v * 31.0 + request.seed as f32).cos());
            rgb.extend(colour.map(|c| (c + haze).clamp(0.0, 255.0) as u8));
        }
    }
    Arc::new(Picture::new(w, h, rgb).expect("three bytes a pixel"))
}
