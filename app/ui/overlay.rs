use crate::intent::View;
use crate::log_view::LogView;
use crate::ports::Logs;
use crate::preferences::Preferences;
use crate::{App, help, welcome};
use egui::Context;

/// What lies over the window; one at a time.
pub(crate) enum Overlay {
    Help,
    Preferences(Preferences),
    Log(LogView),
    /// The page of the first start.
    Welcome,
}

impl Overlay {
    /// Draws it; whether it was closed.
    pub(crate) fn show(&mut self, ctx: &Context, view: &mut View<'_>, logs: &dyn Logs) -> bool {
        match self {
            Self::Help => help::show(ctx, view),
            Self::Preferences(preferences) => preferences.show(ctx, view),
            Self::Log(log) => log.show(ctx, logs),
            Self::Welcome => welcome::show(ctx, view),
        }
    }
}

impl App {
    /// Escape closes what lies over the window, but not while it waits for keys; whether there was something.
    pub(crate) fn close_overlay(&mut self) -> bool {
        match &mut self.overlay {
            None => return false,
            Some(Overlay::Preferences(preferences)) => {
                if preferences.stop_waiting() {
                    return true;
                }
            }
            Some(Overlay::Welcome) => self.session.ui_mut().welcomed = true,
            Some(_) => {}
        }
        self.overlay = None;
        true
    }
}
