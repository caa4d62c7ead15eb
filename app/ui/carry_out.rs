//! What becomes of what the person wants.

use crate::app::App;
use crate::browser::Browser;
use crate::files;
use crate::i18n::{tr, tr_with};
use crate::intent::{Fold, Intent};
use crate::log_view::LogView;
use crate::overlay::Overlay;
use crate::path_dialog::PathDialog;
use crate::ports::{Known, OpenedPicture};
use crate::preferences::{LETTERS_STEP, Preferences};
use crate::recorder::Recorder;
use crate::restored::Missing;
use crate::sheet;
use crate::stage::{self, Zoom, gallery};
use crate::status_bar::GoingOn;
use crate::surprise;
use crate::words;
use egui::{Context, Vec2, ViewportCommand};
use fourstep_protocol::{Availability, ItemKind, ModelRef};
use fourstep_session::{Action, Letters, Moment, Tab, TwinState};
use std::path::PathBuf;
use std::sync::Arc;

impl App {
    pub(crate) fn carry_out(&mut self, ctx: &Context, intent: Intent, now: Moment) {
        match intent {
            Intent::Act(Action::Restore(request)) => self.restore(*request, now),
            Intent::Act(action) => self.session.act(action, now),
            Intent::NewSeed => {
                let seed = (self.ports.random_seed)();
                self.session.act(Action::NewSeed(seed), now);
            }
            Intent::Surprise => {
                let prompt = surprise::prompt((self.ports.random_seed)());
                self.session.act(Action::SetPrompt(prompt), now);
            }
            Intent::Paint => {
                let fresh_seed = (self.ports.random_seed)();
                self.session.act(Action::Paint { fresh_seed }, now);
            }
            Intent::Save => {
                if let Some(finished) = self.on_stage() {
                    self.files.save(finished.clone(), self.session.settings().ui.jpeg_quality.get());
                }
            }
            Intent::SaveTwin => self.save_twin(),
            Intent::ToggleRecording => self.toggle_recording(now),
            Intent::SaveGrid => self.save_grid(),
            Intent::Copy => self.copy(ctx, now),
            Intent::OpenPicture => self.files.choose_picture(self.known()),
            Intent::OpenPicturePath(path) => self.open_picture(path),
            Intent::ImportPicture => self.files.choose_import(),
            Intent::ImportPicturePath(path) => self.files.import(path),
            Intent::OpenModel => self.files.choose_model(),
            Intent::OpenModelFile => self.files.choose_model_file(),
            Intent::LookAt(paths) => self.look_at(paths),
            Intent::Browse(kind) => self.browser = Some(Browser::new(kind, self.session.model().family)),
            Intent::Use(kind, id) => self.use_item(kind, id, now),
            Intent::Download(id) => self.ports.library.download(&id),
            Intent::CancelDownload(id) => self.ports.library.cancel(&id),
            Intent::RefreshLibrary => self.ports.library.refresh(),
            Intent::DismissFailure => self.failure = None,
            Intent::DismissMissing => self.missing = None,
            Intent::Timeline(wish) => self.carry_out_timeline(wish, now),
            Intent::Gallery(wish) => self.carry_out_gallery(ctx, wish, now),
            Intent::Escape => self.escape(ctx, now),
            _ => self.carry_out_view(ctx, &intent),
        }
    }

    /// What changes only how things look.
    fn carry_out_view(&mut self, ctx: &Context, intent: &Intent) {
        match intent {
            Intent::SetUi(ui) => *self.session.ui_mut() = (**ui).clone(),
            Intent::NudgeLetters(by) => {
                let ui = self.session.ui_mut();
                ui.letters = Letters::new(ui.letters.percent().saturating_add_signed(*by as i16 * LETTERS_STEP));
            }
            Intent::Preferences => self.show_preferences(Preferences::default()),
            Intent::ShowDevices => self.show_preferences(Preferences::computing()),
            Intent::ShowWelcome => self.overlay = Some(Overlay::Welcome),
            Intent::ShowLog => self.overlay = Some(Overlay::Log(LogView::default())),
            Intent::ToggleHelp => {
                let is_open = matches!(self.overlay, Some(Overlay::Help));
                self.overlay = (!is_open).then_some(Overlay::Help);
            }
            Intent::ToggleLeaveOut => {
                let ui = self.session.ui_mut();
                ui.leave_out_words = !ui.leave_out_words;
            }
            Intent::ToggleStageOnly => self.set_stage_only(ctx, !self.stage_only),
            Intent::ShowTab(tab) => {
                self.session.ui_mut().tab = *tab;
                if *tab != Tab::Picture {
                    self.strip.show_live();
                }
            }
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
                    Fold::Blend => &mut ui.blend_open,
                    Fold::Advanced => &mut ui.advanced_open,
                    Fold::Timeline => &mut ui.timeline_folded,
                };
                *open = !*open;
            }
            _ => {}
        }
    }

    /// Cards may have come or gone since they were last open.
    fn show_preferences(&mut self, preferences: Preferences) {
        self.ports.devices.refresh();
        self.overlay = Some(Overlay::Preferences(preferences));
    }

    fn escape(&mut self, ctx: &Context, now: Moment) {
        if self.path_dialog.take().is_some() || self.close_overlay() || self.browser.take().is_some() {
            return;
        }
        if self.stage_only {
            self.set_stage_only(ctx, false);
        } else if self.missing.is_some() {
            self.missing = None;
        } else if self.session.settings().ui.tab == Tab::Gallery && self.stage.gallery.is_large() {
            self.carry_out_gallery(ctx, gallery::Wish::Close, now);
        } else if self.session.upscaling().is_some() {
            self.session.act(Action::CancelUpscale, now);
        } else if stage::is_busy(&self.session.status(now)) {
            self.session.act(Action::Stop, now);
        }
    }

    fn set_stage_only(&mut self, ctx: &Context, only: bool) {
        self.stage_only = only;
        ctx.send_viewport_cmd(ViewportCommand::Fullscreen(only));
    }

    /// Any picture that was painted gives the file its name.
    fn save_grid(&self) {
        if let (Some(finished), Some(grid)) = (self.session.shown(), sheet::grid(&self.session)) {
            self.files.save_grid(finished.clone(), grid);
        }
    }

    fn save_twin(&self) {
        let (Some(fast), TwinState::Finished(slow)) = (self.session.shown(), self.session.twin()) else { return };
        if let Some(sheet) = sheet::side_by_side(&[fast, slow]) {
            self.files.save_sheet(fast.clone(), "-twin", sheet);
        }
    }

    fn toggle_recording(&mut self, now: Moment) {
        let Some(recorder) = self.recorder.take() else {
            self.recorder = Some(Recorder::begin(&self.session));
            return;
        };
        match self.session.shown().filter(|_| recorder.count() > 0) {
            Some(last) => self.files.save_recording(last.clone(), recorder.end()),
            None => self.happening.say(tr("record-nothing"), false, now),
        }
    }

    fn copy(&mut self, ctx: &Context, now: Moment) {
        let Some(finished) = self.on_stage() else { return };
        let picture = &finished.picture;
        let size = [picture.width() as usize, picture.height() as usize];
        ctx.copy_image(egui::ColorImage::from_rgb(size, picture.rgb()));
        self.happening.say(tr("bar-copied"), false, now);
    }

    pub(crate) fn take_outcomes(&mut self, now: Moment) {
        while let Some(outcome) = self.files.try_outcome() {
            match outcome {
                files::Outcome::Saved(path) => {
                    self.failure = None;
                    let path = path.display().to_string();
                    self.happening.say(tr_with("bar-saved", &[("path", path.into())]), false, now);
                }
                files::Outcome::Opened(path, opened) => {
                    self.failure = None;
                    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                    let OpenedPicture { request, lost, .. } = *opened;
                    self.missing = (!lost.is_empty()).then(|| Missing { name: name.clone(), lost });
                    self.strip.show_live();
                    self.restore(request, now);
                    self.happening.say(tr_with("bar-restored", &[("name", name.into())]), false, now);
                }
                files::Outcome::Imported(path, picture) => self.import(&path, &picture, now),
                files::Outcome::Model(path) => self.look_at(vec![path]),
                files::Outcome::Ask(wanted) => self.path_dialog = Some(PathDialog::new(wanted, String::new())),
                files::Outcome::Failed(failure) => self.failure = Some(failure),
            }
        }
    }

    pub(crate) fn open_picture(&self, path: PathBuf) {
        self.files.open_picture(path, self.known());
    }

    /// What there is to paint with, for settings that name it.
    fn known(&self) -> Known {
        Known {
            request: self.session.request().clone(),
            models: self.session.models().iter().map(|info| info.model.clone()).collect(),
            items: Arc::clone(self.session.library()),
        }
    }

    fn look_at(&mut self, paths: Vec<PathBuf>) {
        self.batch.expect(paths.len());
        for path in paths {
            self.ports.library.look_at(path);
        }
    }

    fn use_item(&mut self, kind: ItemKind, id: String, now: Moment) {
        self.browser = None;
        let action = match kind {
            ItemKind::Model => Action::ChooseModel(ModelRef::new(id)),
            ItemKind::Lora => Action::AddLora(id),
            ItemKind::Vae => Action::SetVae(Some(id)),
            ItemKind::TinyDecoder => return,
        };
        self.act_on_stack(action, now);
    }

    /// A LoRA that was added is to be seen.
    fn act_on_stack(&mut self, action: Action, now: Moment) {
        if matches!(action, Action::AddLora(_)) {
            self.session.ui_mut().loras_open = true;
        }
        self.session.act(action, now);
    }

    /// The library's news: what it holds, and what it found out about files.
    pub(crate) fn take_library(&mut self, now: Moment) {
        // Before the list: what an answer names is in the list by then.
        let seen: Vec<_> = std::iter::from_fn(|| self.ports.library.seen()).collect();
        self.session.set_library(self.ports.library.items(), now);
        for plan in seen.into_iter().filter_map(|seen| self.batch.take(seen)).collect::<Vec<_>>() {
            self.failure = plan.failure();
            if !plan.actions.is_empty() || !plan.said.is_empty() {
                self.browser = None;
            }
            let mut said = plan.said;
            for action in plan.actions {
                let lora = if let Action::AddLora(source) = &action { Some(source.clone()) } else { None };
                self.act_on_stack(action, now);
                let trouble = lora.and_then(|source| self.session.lora_trouble(&source));
                said.extend(trouble.map(|t| tr_with("batch-lora-off", &[("why", words::lora_trouble(&t).into())])));
            }
            if !said.is_empty() {
                self.happening.say(said.join(". "), false, now);
            }
        }
    }

    /// What takes long, for the status bar.
    pub(crate) fn going_on(&self) -> GoingOn {
        GoingOn { saving: self.files.saving(), download: self.downloading() }
    }

    /// Something that is being downloaded, for the status bar.
    fn downloading(&self) -> Option<(String, f32, String)> {
        self.session.library().iter().find_map(|item| match &item.availability {
            Availability::Downloading(progress) => {
                Some((item.name.clone(), progress.fraction(), words::download(progress)))
            }
            _ => None,
        })
    }
}
