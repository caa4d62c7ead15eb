//! The window in a test.

use super::{Double, latents, models, painted, picture, ports::ports};
use eframe::egui_wgpu::RenderState;
use egui_kittest::{Harness, kittest::Queryable};
use fourstep_protocol::{
    Command, DeviceInfo, Event, Failure, Finished, LibraryItem, Picture, PromptReading, Request, RunId, Timings,
    TokenCount,
};
use fourstep_session::{Language, Session, Settings, ThemeChoice};
use fourstep_ui::{App, KeptPage, PreviewImage, PreviewPicture};
use std::sync::Arc;

/// The window in a test.
pub(crate) struct Window {
    pub(crate) harness: Harness<'static, App>,
    pub(crate) double: Double,
    /// What it is drawn with.
    pub(crate) card: RenderState,
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
