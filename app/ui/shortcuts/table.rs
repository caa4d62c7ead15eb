//! What keys do: one row for each, in the order of the help.

use crate::intent::{Intent, View};
use crate::stage::gallery;
use crate::timeline;
use fourstep_protocol::ItemKind;
use fourstep_session::{Action, Tab};

/// Something a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Paint,
    Live,
    Steps(u32),
    NewSeed,
    PreviousSeed,
    NextSeed,
    KeepSeed,
    Library,
    Undo,
    Redo,
    Save,
    Copy,
    OpenPicture,
    OpenModel,
    OlderPicture,
    NewerPicture,
    LivePicture,
    Star,
    GoOn,
    NextTab,
    StageOnly,
    Zoom,
    Pixels,
    LargerLetters,
    SmallerLetters,
    Preferences,
    Help,
}

/// Where the keyboard must be for a shortcut to count; one with Ctrl or Alt types nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Wherever it is.
    Always,
    /// In no text field.
    NotTyping,
    /// In the prompt or nowhere, and no input method is at work; with Ctrl wherever it is.
    Prompt,
    /// Nowhere: a control would take it otherwise.
    Nowhere,
}

/// A shortcut.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) command: Command,
    /// How the settings call it.
    pub(crate) id: &'static str,
    /// The group of the help it stands in: a key of texts.
    pub(crate) group: &'static str,
    /// What it does: a key of texts.
    pub(crate) what: &'static str,
    /// What the help says; rows that follow each other with the same text are one line there.
    pub(crate) help: &'static str,
    /// The keys it comes with.
    pub(super) keys: &'static [&'static str],
    pub(super) when: When,
}

impl Command {
    /// Does it.
    pub(super) fn run(self, view: &mut View<'_>) {
        match self {
            Self::Paint => view.want(Intent::Paint),
            Self::Live => {
                let live = view.session.is_live();
                view.act(Action::SetLive(!live));
            }
            Self::Steps(steps) => view.act(Action::SetSteps(steps)),
            Self::NewSeed => view.want(Intent::NewSeed),
            Self::PreviousSeed => view.act(Action::NudgeSeed(-1)),
            Self::NextSeed => view.act(Action::NudgeSeed(1)),
            Self::KeepSeed => {
                let locked = view.session.seed_locked();
                view.act(Action::LockSeed(!locked));
            }
            Self::Library => view.want(Intent::Browse(ItemKind::Model)),
            Self::Undo => view.act(Action::Undo),
            Self::Redo => view.act(Action::Redo),
            Self::Save if view.session.shown().is_some() => view.want(Intent::Save),
            Self::Copy if view.session.shown().is_some() => view.want(Intent::Copy),
            Self::Save | Self::Copy => {}
            Self::OpenPicture => view.want(Intent::OpenPicture),
            Self::OpenModel => view.want(Intent::OpenModel),
            Self::OlderPicture => of_kept(view, timeline::Wish::Step(-1), gallery::Wish::Step(-1)),
            Self::NewerPicture => of_kept(view, timeline::Wish::Step(1), gallery::Wish::Step(1)),
            Self::LivePicture => view.want(Intent::Timeline(timeline::Wish::Live)),
            Self::Star => of_kept(view, timeline::Wish::ToggleStar, gallery::Wish::ToggleStar),
            Self::GoOn => of_kept(view, timeline::Wish::Branch, gallery::Wish::UseOpened),
            Self::NextTab => view.want(Intent::ShowTab(view.session.settings().ui.tab.turned(1))),
            Self::StageOnly => view.want(Intent::ToggleStageOnly),
            Self::Zoom => view.want(Intent::ToggleZoom),
            Self::Pixels => view.want(Intent::TogglePixels),
            Self::LargerLetters => view.want(Intent::NudgeLetters(1)),
            Self::SmallerLetters => view.want(Intent::NudgeLetters(-1)),
            Self::Preferences => view.want(Intent::Preferences),
            Self::Help => view.want(Intent::ToggleHelp),
        }
    }
}

/// Of the saved pictures where those are on the stage, else of the timeline.
fn of_kept(view: &mut View<'_>, of_timeline: timeline::Wish, of_gallery: gallery::Wish) {
    view.want(match view.session.settings().ui.tab {
        Tab::Gallery => Intent::Gallery(of_gallery),
        _ => Intent::Timeline(of_timeline),
    });
}

const PAINTING: &str = "help-painting";
const SETTINGS: &str = "help-settings";
const PICTURE: &str = "help-picture";
const VIEW: &str = "help-view";

const fn row(
    command: Command,
    id: &'static str,
    group: &'static str,
    (what, help): (&'static str, &'static str),
    keys: &'static [&'static str],
    when: When,
) -> Row {
    Row { command, id, group, what, help, keys, when }
}

const fn steps(count: u32, id: &'static str, what: &'static str, keys: &'static [&'static str]) -> Row {
    row(Command::Steps(count), id, SETTINGS, (what, "help-steps"), keys, When::NotTyping)
}

/// Every shortcut that can be changed.
#[rustfmt::skip]
pub(crate) const TABLE: [Row; 34] = [
    row(Command::Paint, "paint", PAINTING, ("help-paint", "help-paint"), &["Enter", "Ctrl+Enter"], When::Prompt),
    row(Command::Live, "live", PAINTING, ("help-pause", "help-pause"), &["Space"], When::Nowhere),
    steps(1, "steps1", "help-steps-1", &["1"]),
    steps(2, "steps2", "help-steps-2", &["2"]),
    steps(3, "steps3", "help-steps-3", &["3"]),
    steps(4, "steps4", "help-steps-4", &["4"]),
    steps(5, "steps5", "help-steps-5", &["5"]),
    steps(6, "steps6", "help-steps-6", &["6"]),
    steps(7, "steps7", "help-steps-7", &["7"]),
    steps(8, "steps8", "help-steps-8", &["8"]),
    row(Command::NewSeed, "new-seed", SETTINGS, ("help-seed", "help-seed"), &["R"], When::NotTyping),
    row(Command::PreviousSeed, "previous-seed", SETTINGS, ("seed-previous", "help-seeds"), &["Minus"], When::NotTyping),
    row(Command::NextSeed, "next-seed", SETTINGS, ("seed-next", "help-seeds"), &["Plus", "Equals"], When::NotTyping),
    row(Command::KeepSeed, "keep-seed", SETTINGS, ("help-keep-seed", "help-keep-seed"), &["L"], When::NotTyping),
    row(Command::Library, "library", SETTINGS, ("help-models", "help-models"), &["M"], When::NotTyping),
    row(Command::Undo, "undo", SETTINGS, ("stage-undo", "help-undo"), &["Ctrl+Z"], When::Always),
    row(Command::Redo, "redo", SETTINGS, ("stage-redo", "help-undo"), &["Ctrl+Y", "Ctrl+Shift+Z"], When::Always),
    row(Command::Save, "save", PICTURE, ("help-save", "help-save"), &["Ctrl+S"], When::Always),
    row(Command::Copy, "copy", PICTURE, ("help-copy", "help-copy"), &["Ctrl+C"], When::NotTyping),
    row(Command::OpenPicture, "open-picture", PICTURE, ("help-open", "help-open"), &["Ctrl+O"], When::Always),
    row(Command::OpenModel, "open-model", PICTURE, ("help-open-folder", "help-open-folder"), &["Ctrl+Shift+O"], When::Always),
    row(Command::OlderPicture, "older-picture", PICTURE, ("help-older", "help-timeline"), &["Left"], When::Nowhere),
    row(Command::NewerPicture, "newer-picture", PICTURE, ("help-newer", "help-timeline"), &["Right"], When::Nowhere),
    row(Command::LivePicture, "live-picture", PICTURE, ("timeline-live", "timeline-live"), &["End"], When::Nowhere),
    row(Command::Star, "star", PICTURE, ("help-star", "help-star"), &["S"], When::Nowhere),
    row(Command::GoOn, "go-on", PICTURE, ("help-go-on", "help-go-on"), &["T"], When::Nowhere),
    row(Command::NextTab, "next-tab", VIEW, ("help-tabs", "help-tabs"), &["Tab"], When::Nowhere),
    row(Command::StageOnly, "stage-only", VIEW, ("help-stage-only", "help-stage-only"), &["F"], When::NotTyping),
    row(Command::Zoom, "zoom", VIEW, ("help-zoom", "help-zoom"), &["Z"], When::NotTyping),
    row(Command::Pixels, "pixels", VIEW, ("help-pixels", "help-pixels"), &["P"], When::NotTyping),
    row(Command::LargerLetters, "larger-letters", VIEW, ("help-larger", "help-letters"), &["Ctrl+Plus", "Ctrl+Equals"], When::Always),
    row(Command::SmallerLetters, "smaller-letters", VIEW, ("help-smaller", "help-letters"), &["Ctrl+Minus"], When::Always),
    row(Command::Preferences, "preferences", VIEW, ("help-preferences", "help-preferences"), &["Ctrl+Comma"], When::Always),
    row(Command::Help, "help", VIEW, ("help-help", "help-help"), &["Questionmark"], When::NotTyping),
];
