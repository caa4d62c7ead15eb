use crate::batch::Batch;
use crate::browser::Browser;
use crate::drop;
use crate::files::Files;
use crate::fonts::{self, SystemFonts};
use crate::frame_meter::FrameMeter;
use crate::happening::Happening;
use crate::i18n::{self, tr};
use crate::intent::{Intent, View};
use crate::overlay::Overlay;
use crate::path_dialog::{self, PathDialog};
use crate::recorder::Recorder;
use crate::restored::Missing;
use crate::screen::Screen;
use crate::stage::{self, Stage};
use crate::status_view::StatusView;
use crate::timeline::{self, Strip};
use crate::{Ports, panel, shortcuts, status_bar, theme, top_bar};
use egui::{Context, ThemePreference, Ui, Vec2, ViewportCommand, vec2};
use fourstep_protocol::Failure;
use fourstep_session::{Action, Moment, Session, Settings, Tab, ThemeChoice, UiSettings};
use std::sync::Arc;

/// The window's program: `logic` moves events and commands, `ui` draws and collects what the person wants.
pub struct App {
    pub(crate) session: Session,
    pub(crate) ports: Ports,
    pub(crate) files: Files,
    fonts: SystemFonts,
    screen: Screen,
    pub(crate) stage: Stage,
    status: StatusView,
    pub(crate) happening: Happening,
    pub(crate) failure: Option<Failure>,
    /// What lies over the window.
    pub(crate) overlay: Option<Overlay>,
    pub(crate) stage_only: bool,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) path_dialog: Option<PathDialog>,
    pub(crate) browser: Option<Browser>,
    pub(crate) batch: Batch,
    pub(crate) strip: Strip,
    pub(crate) missing: Option<Missing>,
    saved: Settings,
    changed_at: Option<Moment>,
    fresh: bool,
    frames: FrameMeter,
    in_front: bool,
}

/// Settings are kept this long after the last change.
const SAVE_AFTER_SECS: f64 = 1.0;

impl App {
    /// A window onto `session`. Fonts and themes are installed in the context.
    pub fn new(cc: &eframe::CreationContext<'_>, session: Session, ports: Ports) -> Self {
        let ctx = &cc.egui_ctx;
        theme::install(ctx);
        let fonts = fonts::install(ctx);
        let files = Files::new(ports.pictures.clone(), ports.dialogs.clone(), ctx.clone());
        let saved = session.settings().clone();
        take_over(ctx, &saved.ui);
        // Zooming is a setting here, so that it is there at the next start.
        ctx.options_mut(|o| o.zoom_with_keyboard = false);
        let mut stage = Stage::new(cc.wgpu_render_state.as_ref());
        if let Some(page) = ports.pages.kept() {
            stage.resume_canvas(page);
        }
        let overlay = (!saved.ui.welcomed).then_some(Overlay::Welcome);
        Self {
            session,
            ports,
            files,
            fonts,
            screen: Screen::new(cc.wgpu_render_state.clone()),
            stage,
            status: StatusView::default(),
            happening: Happening::default(),
            failure: None,
            overlay,
            stage_only: false,
            recorder: None,
            path_dialog: None,
            browser: None,
            batch: Batch::default(),
            strip: Strip::default(),
            missing: None,
            saved,
            changed_at: None,
            fresh: true,
            frames: FrameMeter::default(),
            in_front: false,
        }
    }

    /// What the person wants, for tests.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn draw(&mut self, ui: &mut Ui, now: Moment) -> Vec<Intent> {
        let ctx = ui.ctx().clone();
        let status = self.status.update(&ctx, &self.session, now);
        let modal = self.overlay.is_some() || self.path_dialog.is_some() || self.browser.is_some();
        let looking = self.ports.library.is_looking();
        let adapters = self.ports.devices.adapters();
        let mut intents = Vec::new();
        let failure = self.failure.as_ref();
        let older = self.strip.older().map(|older| Arc::clone(&older.finished));
        let mut view = View {
            session: &self.session,
            now,
            failure,
            missing: self.missing.as_ref(),
            older: older.as_deref(),
            looking,
            adapters: &adapters,
            recorded: self.recorder.as_ref().map(Recorder::count),
            intents: &mut intents,
        };
        if !modal {
            self.stage.read_canvas_keys(&ctx, &view);
        }
        shortcuts::read(&ctx, &mut view, modal);
        if !self.stage_only {
            top_bar::show(ui, &mut view, &status);
            status_bar::show(ui, &mut view, &self.happening, &self.going_on());
            panel::show(ui, &mut view);
            timeline::show(ui, &mut view, &mut self.strip, &*self.ports.timeline);
        } else if view.session.left_out_place().is_some() {
            // The pointer has left the prompt with the panel.
            view.act(Action::LeaveOut(None));
        }
        let gallery = &*self.ports.gallery;
        stage::show(ui, &mut view, &mut self.stage, &mut self.screen, gallery, self.stage_only);
        if self.overlay.as_mut().is_some_and(|overlay| overlay.show(&ctx, &mut view, &*self.ports.logs)) {
            self.overlay = None;
        }
        if self.browser.as_mut().is_some_and(|browser| browser.show(&ctx, &mut view)) {
            self.browser = None;
        }
        self.show_path_dialog(&ctx, &mut intents);
        let on_canvas = self.session.settings().ui.tab == Tab::Canvas;
        drop::overlay(&ctx, on_canvas);
        let paths = ctx.input(|i| i.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        intents.extend(drop::dropped(paths, on_canvas));
        intents
    }

    fn record(&mut self, now: Moment) {
        let Some(recorder) = &mut self.recorder else { return };
        recorder.note(&self.session, now);
        if recorder.is_full() {
            self.happening.say(tr("record-full"), true, now);
        }
    }

    fn show_path_dialog(&mut self, ctx: &Context, intents: &mut Vec<Intent>) {
        match self.path_dialog.as_mut().map(|dialog| dialog.show(ctx)) {
            None | Some(path_dialog::Outcome::Open) => {}
            Some(path_dialog::Outcome::Closed) => self.path_dialog = None,
            Some(path_dialog::Outcome::Chosen(intent)) => {
                self.path_dialog = None;
                intents.push(intent);
            }
        }
    }

    /// Events in, commands out; the window is woken again when the session has something by itself.
    fn pump(&mut self, ctx: &Context, now: Moment) {
        while let Some(event) = self.ports.client.try_event() {
            self.receive(event, now);
        }
        for command in self.session.commands(now) {
            if let Err(closed) = self.ports.client.send(command) {
                self.failure =
                    Some(Failure::machine(tr("error-engine-ended"), closed, tr("error-engine-ended-remedy")));
            }
        }
        if let Some(secs) = self.session.next_wake(now) {
            ctx.request_repaint_after_secs(secs as f32);
        }
    }

    /// Those of idle runs are not the live picture's.
    fn take_previews(&mut self, ctx: &Context) {
        if self.ports.previews.take_turn() {
            ctx.request_repaint();
        }
        while let Some(preview) = self.ports.previews.newest() {
            let is_idle = self.session.idle_run() == Some(preview.run);
            self.stage.take_preview(ctx, &preview, is_idle);
            if !is_idle {
                self.screen.take_in(preview);
            }
        }
    }

    /// Lists may have been edited in another program while this window was behind it.
    fn take_wildcards(&mut self, ctx: &Context, now: Moment) {
        let in_front = ctx.input(|i| i.focused);
        if in_front && !std::mem::replace(&mut self.in_front, in_front) {
            self.ports.wildcards.refresh();
        }
        self.in_front = in_front;
        self.session.set_wildcards(self.ports.wildcards.newest(), now);
    }

    /// The pictures that are kept: frames of the timeline, and the folder of those that were saved.
    fn update_kept(&mut self, ctx: &Context, now: Moment) {
        if let Some(failure) = self.strip.update(ctx, &self.session, &*self.ports.timeline) {
            self.failure = Some(failure);
        }
        self.screen.show_older(self.strip.older());
        let is_open = self.session.settings().ui.tab == Tab::Gallery;
        self.stage.gallery.update(ctx, &*self.ports.gallery, is_open, now);
        if let Some(failure) = self.ports.gallery.failure() {
            self.failure = Some(failure);
        }
    }

    fn keep_settings(&mut self, ctx: &Context, now: Moment) {
        if *self.session.settings() == self.saved {
            return;
        }
        let changed_at = *self.changed_at.get_or_insert(now);
        if now.since(changed_at) < SAVE_AFTER_SECS {
            ctx.request_repaint_after_secs((SAVE_AFTER_SECS - now.since(changed_at)) as f32);
            return;
        }
        self.save_settings();
    }

    fn save_settings(&mut self) {
        self.changed_at = None;
        self.saved = self.session.settings().clone();
        if let Err(failure) = self.ports.settings.save(&self.saved) {
            log::warn!("{failure}");
            self.failure = Some(failure);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, frame: &mut eframe::Frame) {
        if let Some(secs) = frame.info().cpu_usage {
            self.frames.note(secs);
        }
        take_over(ctx, &self.session.settings().ui);
        let now = (self.ports.clock)();
        self.take_outcomes(now);
        self.take_library(now);
        self.take_wildcards(ctx, now);
        self.pump(ctx, now);
        self.take_upscaled(ctx);
        self.take_previews(ctx);
        self.screen.update(ctx, &mut self.session, &*self.ports.previews, now);
        self.stage.update(ctx, &self.session, &*self.ports.previews);
        self.update_kept(ctx, now);
        self.happening.update(&self.session, now);
        self.record(now);
        if let Some(c) = self.fonts.take_missing() {
            self.happening.say(fonts::lack_of(c), true, now);
        }
        self.keep_settings(ctx, now);
        self.keep_page(ctx, now);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let now = (self.ports.clock)();
        if std::mem::take(&mut self.fresh) {
            ui.memory_mut(|m| m.request_focus(panel::prompt_id()));
        }
        let intents = self.draw(ui, now);
        if intents.is_empty() {
            return;
        }
        let ctx = ui.ctx().clone();
        for intent in intents {
            self.carry_out(&ctx, intent, now);
        }
        self.pump(&ctx, now);
        ctx.request_repaint();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self) {
        if let Some(summary) = self.frames.summary() {
            log::debug!("{summary}");
        }
        self.finish_deleting();
        self.finish_page((self.ports.clock)());
        if *self.session.settings() != self.saved {
            self.save_settings();
        }
    }
}

/// Brings the window in line with its settings.
fn take_over(ctx: &Context, settings: &UiSettings) {
    i18n::set(settings.language);
    shortcuts::set(&settings.shortcuts);
    let theme = match settings.theme {
        ThemeChoice::Dark => ThemePreference::Dark,
        ThemeChoice::Light => ThemePreference::Light,
        ThemeChoice::System => ThemePreference::System,
    };
    if ctx.options(|o| o.theme_preference) != theme {
        ctx.set_theme(theme);
    }
    let zoom = f32::from(settings.letters.percent()) / 100.0;
    if ctx.zoom_factor() != zoom {
        ctx.set_zoom_factor(zoom);
        // In points, so that everything has its place with larger letters as well.
        ctx.send_viewport_cmd(ViewportCommand::MinInnerSize(MIN_SIZE));
    }
}

/// The smallest window in which everything has its place, in points.
pub(crate) const MIN_SIZE: Vec2 = vec2(900.0, 600.0);
