use crate::devices::AdapterInfo;
use crate::restored::Missing;
use crate::stage::gallery;
use crate::timeline;
use fourstep_protocol::ItemKind;
use fourstep_session::{Action, Tab, UiSettings};
use std::path::PathBuf;

/// What the person wants, as a view understood it; carried out after the frame is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Intent {
    /// Something the session decides.
    Act(Action),
    /// A fresh seed; the window has the source of chance.
    NewSeed,
    /// A prompt that nobody asked for.
    Surprise,
    /// Paint now.
    Paint,
    /// Ask where, then save the picture.
    Save,
    /// Ask where, then save the picture and its twin on one sheet.
    SaveTwin,
    /// Begin to record finished pictures, or end that and save them.
    ToggleRecording,
    /// Ask where, then save the grid with its labels and times.
    SaveGrid,
    /// Put the picture on the clipboard.
    Copy,
    /// Ask which picture, then take over its settings.
    OpenPicture,
    /// Take over the settings of this picture.
    OpenPicturePath(PathBuf),
    /// Ask which picture, then paint over it on the canvas.
    ImportPicture,
    /// Paint over this picture on the canvas.
    ImportPicturePath(PathBuf),
    /// Ask which folder, then paint with the model in it.
    OpenModel,
    /// Ask which file, then use what is in it.
    OpenModelFile,
    /// Find out what these are, and use them.
    LookAt(Vec<PathBuf>),
    /// Show the library's items of this kind.
    Browse(ItemKind),
    /// Use an item of the library.
    Use(ItemKind, String),
    /// Download an item of the library.
    Download(String),
    /// End a download.
    CancelDownload(String),
    /// Look through the folders again.
    RefreshLibrary,
    /// Change what the window keeps for itself.
    SetUi(Box<UiSettings>),
    /// Letters larger or smaller by so many steps.
    NudgeLetters(i32),
    /// Show language, theme, letters and shortcuts.
    Preferences,
    /// Show what there is to compute on.
    ShowDevices,
    /// Show what the program has noted.
    ShowLog,
    /// Show the page of the first start.
    ShowWelcome,
    /// Show or hide the list of shortcuts.
    ToggleHelp,
    /// Nothing but the picture, over the whole screen.
    ToggleStageOnly,
    /// Show this on the stage.
    ShowTab(Tab),
    /// Draw an enlarged picture smooth, or as pixels.
    TogglePixels,
    /// Zoom between the whole picture and one pixel to a pixel.
    ToggleZoom,
    /// Show pictures without the word under the pointer, or only while Alt is held.
    ToggleLeaveOut,
    /// Fold or unfold a part of the panel.
    Fold(Fold),
    /// Put away a failure of the window's own.
    DismissFailure,
    /// Put away the list of what did not come back.
    DismissMissing,
    /// Something of the timeline.
    Timeline(timeline::Wish),
    /// Something of the saved pictures.
    Gallery(gallery::Wish),
    /// Escape: close what lies on top, else stop.
    Escape,
}

/// A part of the panel that folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    Negative,
    Loras,
    Advanced,
    Blend,
    Timeline,
}

/// What a view reads and where it leaves what the person wants.
pub(crate) struct View<'a> {
    pub session: &'a fourstep_session::Session,
    pub now: fourstep_session::Moment,
    /// A failure of the window's own: a picture that could not be saved.
    pub failure: Option<&'a fourstep_protocol::Failure>,
    /// What of a picture's settings did not come back.
    pub missing: Option<&'a Missing>,
    /// The frame of the timeline that is on the stage instead of the live picture.
    pub older: Option<&'a fourstep_protocol::Finished>,
    /// Folders are being looked through for models.
    pub looking: bool,
    /// The graphics cards there are.
    pub adapters: &'a [AdapterInfo],
    /// Pictures recorded so far, while that is done.
    pub recorded: Option<usize>,
    pub intents: &'a mut Vec<Intent>,
}

impl View<'_> {
    /// Leaves an action for the session.
    pub(crate) fn act(&mut self, action: Action) {
        self.intents.push(Intent::Act(action));
    }

    /// Changes what the window keeps for itself.
    pub(crate) fn change_ui(&mut self, change: impl FnOnce(&mut UiSettings)) {
        let mut ui = self.session.settings().ui.clone();
        change(&mut ui);
        self.want(Intent::SetUi(Box::new(ui)));
    }

    /// Leaves an intent.
    pub(crate) fn want(&mut self, intent: Intent) {
        self.intents.push(intent);
    }
}
