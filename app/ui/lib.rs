//! The window: shows a [`Session`](fourstep_session::Session) and turns what the person does into its actions.
//!
//! Views read the session and emit intents; they hold no rules of their own. What the window needs
//! of the outside comes in through [`Ports`].

mod app;
mod app_icon;
mod batch;
mod browser;
mod carry_out;
mod devices;
mod drop;
mod error_bar;
mod files;
mod fonts;
mod frame_meter;
mod happening;
mod help;
mod i18n;
mod icons;
mod intent;
mod keeping;
mod layer;
mod log_view;
mod model_menu;
mod on_canvas;
mod overlay;
mod panel;
mod path_dialog;
mod ports;
mod preferences;
mod recorder;
mod resample;
mod restored;
mod screen;
mod sheet;
mod shortcuts;
mod stage;
mod start;
mod status_bar;
mod status_view;
mod surprise;
mod textures;
mod theme;
mod timeline;
mod top_bar;
mod welcome;
mod widgets;
mod words;

pub use app::App;
pub use devices::{AdapterInfo, AdapterKind, Devices};
pub use keeping::{Gallery, GalleryListing, GalleryQuery, Kept, KeptFrame, Load, SavedPicture, Timeline};
pub use ports::{
    Choice, Dialogs, GridSheet, KeptPage, Known, Library, LogEntry, Logs, OpenedPicture, PageStore, PictureFiles,
    Ports, PreviewImage, PreviewJob, PreviewPicture, Previews, Seen, SettingsStore, Sheet, SheetPanel, Shot,
    SystemDialogs, WildcardFiles,
};
pub use start::{Graphics, StartError, Waker, native_options, run};
