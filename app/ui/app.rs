use crate::files::{self, Files};
use crate::fonts::{self, SystemFonts};
use crate::happening::Happening;
use crate::intent::{Fold, Intent, View};
use crate::path_dialog::{self, PathDialog};
use crate::screen::Screen;
use crate::stage::{self, Stage, Zoom};
use crate::status_view::StatusView;
use crate::{Ports, help, panel, shortcuts, status_bar, theme, top_bar};
use egui::{Context, Theme, ThemePreference, Ui, Vec2, ViewportCommand};
use fourstep_protocol::{Failure, ModelRef};
use fourstep_session::{Action, Moment, Session, Settings};

/// The window's program: `logic` moves events and commands, `ui` draws and collects what the person wants.
pub struct App {
    session: Session,
    ports: Ports,
    files: Files,
    fonts: SystemFonts,
    screen: Screen,
    stage: Stage,
    status: StatusView,
    happening: Happening,
    failure: Option<Failure>,
    help: bool,
    stage_only: bool,
    path_dialog: Option<PathDialog>,
    saved: Settings,
    changed_at: Option<Moment>,
    fresh: bool,
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
        set_theme(ctx, saved.ui.light_theme);
        Self {
            session,
            ports,
            files,
            fonts,
            screen: Screen::new(),
            stage: Stage::default(),
            status: StatusView::default(),
            happening: Happening::default(),
            failure: None,
            help: false,
            stage_only: false,
            path_dialog: None,
            saved,
            changed_at: None,
            fresh: true,
        }
    }

    /// What the person wants, for tests.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn draw(&mut self, ui: &mut Ui, now: Moment) -> Vec<Intent> {
        let ctx = ui.ctx().clone();
        let status = self.status.update(&ctx, &self.session, now);
        let modal = self.help || self.path_dialog.is_some();
        let mut intents = Vec::new();
        let mut view = View { session: &self.session, now, failure: self.failure.as_ref(), intents: &mut intents };
        shortcuts::read(&ctx, &mut view, modal);
        if !self.stage_only {
            top_bar::show(ui, &mut view, &status);
            status_bar::show(ui, &mut view, &self.happening);
            panel::show(ui, &mut view);
        }
        stage::show(ui, &mut view, &mut self.stage, &mut self.screen, self.stage_only);
        if self.help && help::show(&ctx) {
            self.help = false;
        }
        self.show_path_dialog(&ctx, &mut intents);
        for file in ctx.input(|i| i.raw.dropped_files.clone()) {
            let path = file.path().to_owned();
            let is_model = path.is_dir();
            intents.push(if is_model { Intent::OpenModelPath(path) } else { Intent::OpenPicturePath(path) });
        }
        intents
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

    fn carry_out(&mut self, ctx: &Context, intent: Intent, now: Moment) {
        match intent {
            Intent::Act(action) => self.session.act(action, now),
            Intent::NewSeed => {
                let seed = (self.ports.random_seed)();
                self.session.act(Action::NewSeed(seed), now);
            }
            Intent::Paint => {
                let fresh_seed = (self.ports.random_seed)();
                self.session.act(Action::Paint { fresh_seed }, now);
            }
            Intent::Save => {
                if let Some(finished) = self.session.shown() {
                    self.files.save(finished.clone());
                }
            }
            Intent::Copy => self.copy(ctx, now),
            Intent::OpenPicture => self.files.choose_picture(),
            Intent::OpenPicturePath(path) => self.files.open_picture(path),
            Intent::OpenModel => self.files.choose_model(),
            Intent::OpenModelPath(path) => {
                let model = ModelRef::new(path.to_string_lossy());
                self.session.act(Action::ChooseModel(model), now);
            }
            Intent::DismissFailure => self.failure = None,
            Intent::Escape => self.escape(ctx, now),
            _ => self.carry_out_view(ctx, &intent),
        }
    }

    /// What changes only how things look.
    fn carry_out_view(&mut self, ctx: &Context, intent: &Intent) {
        match intent {
            Intent::ToggleTheme => {
                let ui = self.session.ui_mut();
                ui.light_theme = !ui.light_theme;
            }
            Intent::ToggleHelp => self.help = !self.help,
            Intent::ToggleStageOnly => self.set_stage_only(ctx, !self.stage_only),
            Intent::TogglePixels => self.stage.pixels = Some(!self.stage.pixels.unwrap_or(false)),
            Intent::ToggleZoom => {
                let scale = 1.0 / ctx.pixels_per_point();
                self.stage.zoom = match self.stage.zoom {
                    Zoom::Fit => Zoom::Free { scale, offset: Vec2::ZERO },
                    Zoom::Free { .. } => Zoom::Fit,
                };
            }
            Intent::Fold(fold) => {
                let ui = self.session.ui_mut();
                let open = match fold {
                    Fold::Negative => &mut ui.negative_open,
                    Fold::Loras => &mut ui.loras_open,
                    Fold::Advanced => &mut ui.advanced_open,
                };
                *open = !*open;
            }
            _ => {}
        }
    }

    fn escape(&mut self, ctx: &Context, now: Moment) {
        if self.path_dialog.take().is_some() || std::mem::take(&mut self.help) {
            return;
        }
        if self.stage_only {
            self.set_stage_only(ctx, false);
        } else if stage::is_busy(&self.session.status(now)) {
            self.session.act(Action::Stop, now);
        }
    }

    fn set_stage_only(&mut self, ctx: &Context, only: bool) {
        self.stage_only = only;
        ctx.send_viewport_cmd(ViewportCommand::Fullscreen(only));
    }

    fn copy(&mut self, ctx: &Context, now: Moment) {
        let Some(finished) = self.session.shown() else { return };
        let picture = &finished.picture;
        let size = [picture.width() as usize, picture.height() as usize];
        ctx.copy_image(egui::ColorImage::from_rgb(size, picture.rgb()));
        self.happening.say("Picture copied to the clipboard", false, now);
    }

    fn take_outcomes(&mut self, now: Moment) {
        while let Some(outcome) = self.files.try_outcome() {
            match outcome {
                files::Outcome::Saved(path) => {
                    self.failure = None;
                    self.happening.say(format!("Saved to {}", path.display()), false, now);
                }
                files::Outcome::Opened(path, opened) => {
                    self.failure = None;
                    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                    self.session.act(Action::Restore(Box::new(opened.request)), now);
                    self.happening.say(format!("Settings of {name} are back"), false, now);
                }
                files::Outcome::Model(path) => {
                    let model = ModelRef::new(path.to_string_lossy());
                    self.session.act(Action::ChooseModel(model), now);
                }
                files::Outcome::Ask(wanted) => self.path_dialog = Some(PathDialog::new(wanted, String::new())),
                files::Outcome::Failed(failure) => self.failure = Some(failure),
            }
        }
    }

    /// Events in, commands out; the window is woken again when the session has something by itself.
    fn pump(&mut self, ctx: &Context, now: Moment) {
        while let Some(event) = self.ports.client.try_event() {
            self.session.receive(event, now);
        }
        for command in self.session.commands(now) {
            if let Err(closed) = self.ports.client.send(command) {
                self.failure = Some(Failure::machine(
                    "Painting has ended",
                    closed,
                    "Start Fourstep again; the settings are kept.",
                ));
            }
        }
        if let Some(secs) = self.session.next_wake(now) {
            ctx.request_repaint_after_secs(secs as f32);
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
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        set_theme(ctx, self.session.settings().ui.light_theme);
        let now = (self.ports.clock)();
        self.take_outcomes(now);
        self.pump(ctx, now);
        self.screen.update(ctx, &mut self.session, &*self.ports.previews, now);
        self.happening.update(&self.session, now);
        if let Some(c) = self.fonts.take_missing() {
            self.happening.say(fonts::lack_of(c), true, now);
        }
        self.keep_settings(ctx, now);
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
        if *self.session.settings() != self.saved {
            self.save_settings();
        }
    }
}

/// The window follows its own setting, not the desktop's.
fn set_theme(ctx: &Context, light: bool) {
    let theme = ThemePreference::from(if light { Theme::Light } else { Theme::Dark });
    if ctx.options(|o| o.theme_preference) != theme {
        ctx.set_theme(theme);
    }
}
