//! What will happen with files that hover over the window, and what they are once they are dropped.

use crate::i18n::{tr, tr_with};
use crate::icons;
use crate::intent::Intent;
use crate::theme::{self, Palette};
use egui::{Align2, Context, Id, LayerId, Order, Theme, pos2, vec2};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Files named in the overlay; the others are counted.
const NAMED: usize = 5;

/// What a path is by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Picture,
    Weights,
    Folder,
    /// Pickle files, which can run code.
    Pickle,
    Other,
}

impl Kind {
    fn of(path: &Path) -> Self {
        if path.is_dir() {
            return Self::Folder;
        }
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_lowercase();
        match ending.as_str() {
            "png" | "jpg" | "jpeg" | "webp" => Self::Picture,
            "safetensors" | "sft" => Self::Weights,
            "ckpt" | "pt" | "pth" | "bin" | "pkl" => Self::Pickle,
            _ => Self::Other,
        }
    }

    /// What dropping it does.
    fn promise(self, on_canvas: bool) -> &'static str {
        match self {
            Self::Picture if on_canvas => tr("canvas-drop"),
            Self::Picture => tr("drop-picture"),
            Self::Weights => tr("drop-weights"),
            Self::Folder => tr("drop-folder"),
            Self::Pickle => tr("drop-pickle"),
            Self::Other => tr("drop-other"),
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Picture => icons::IMAGE,
            Self::Weights => icons::FILE,
            Self::Folder => icons::FOLDER_OPEN,
            Self::Pickle | Self::Other => icons::PROHIBIT,
        }
    }
}

/// Intents for what was dropped: settings come from one picture, or on the canvas it is painted over; everything else is
/// looked at.
pub(crate) fn dropped(paths: Vec<PathBuf>, on_canvas: bool) -> Vec<Intent> {
    let (mut pictures, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| Kind::of(path) == Kind::Picture);
    let picture = (!pictures.is_empty()).then(|| pictures.swap_remove(0));
    let picture = picture.map(if on_canvas { Intent::ImportPicturePath } else { Intent::OpenPicturePath });
    let others = (!others.is_empty()).then_some(Intent::LookAt(others));
    picture.into_iter().chain(others).collect()
}

/// Draws the overlay while files hover over the window.
pub(crate) fn overlay(ctx: &Context, on_canvas: bool) {
    let files = ctx.input(|i| i.raw.hovered_files.clone());
    if files.is_empty() {
        return;
    }
    let p = Palette::of(ctx.theme());
    let screen = ctx.content_rect();
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop")));
    painter.rect_filled(screen, 0.0, p.stage.gamma_multiply(if ctx.theme() == Theme::Dark { 0.94 } else { 0.96 }));
    let zone = screen.shrink(16.0);
    painter.rect_stroke(zone, 10.0, (2.0, p.accent), egui::StrokeKind::Inside);
    let paths: Vec<PathBuf> = files.into_iter().filter_map(|file| file.path).collect();
    let rows = paths.len().min(NAMED) as f32 + if paths.len() > NAMED { 1.0 } else { 0.0 };
    let mut y = screen.center().y - (56.0 + rows * 44.0) / 2.0;
    let centre = screen.center().x;
    painter.text(pos2(centre, y), Align2::CENTER_CENTER, tr("drop-title"), theme::semibold(20.0), p.text);
    y += 48.0;
    if paths.is_empty() {
        let text = tr("drop-hint");
        painter.text(pos2(centre, y), Align2::CENTER_CENTER, text, theme::regular(14.0), p.secondary);
    }
    for path in paths.iter().take(NAMED) {
        let kind = Kind::of(path);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let refused = matches!(kind, Kind::Pickle | Kind::Other);
        let name = painter.layout_no_wrap(shortened(&name), theme::medium(14.0), p.text);
        let icon = pos2(centre - name.size().x / 2.0 - 16.0, y);
        painter.text(
            icon,
            Align2::CENTER_CENTER,
            kind.icon(),
            theme::icon(18.0),
            if refused { p.error } else { p.accent },
        );
        painter.galley(pos2(centre, y) - name.size() / 2.0, name, p.text);
        let ink = if refused { p.error } else { p.secondary };
        painter.text(pos2(centre, y + 19.0), Align2::CENTER_CENTER, kind.promise(on_canvas), theme::regular(13.0), ink);
        y += 48.0;
    }
    if paths.len() > NAMED {
        let text = tr_with("drop-more", &[("n", (paths.len() - NAMED).into())]);
        painter.text(pos2(centre, y) - vec2(0.0, 4.0), Align2::CENTER_CENTER, text, theme::regular(13.0), p.secondary);
    }
}

/// Names of downloaded files are long; beginning and ending tell them apart.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 64;
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= LONGEST {
        return name.to_owned();
    }
    let begin: String = letters[..36].iter().collect();
    let end: String = letters[letters.len() - 26..].iter().collect();
    format!("{begin}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_brings_settings_and_the_rest_is_looked_at() {
        let paths = ["a.png", "lcm.SafeTensors", "b.png", "old.ckpt"].map(PathBuf::from);
        let rest = ["lcm.SafeTensors", "old.ckpt"].map(PathBuf::from).to_vec();
        let expected = [Intent::OpenPicturePath("a.png".into()), Intent::LookAt(rest)];
        assert_eq!(dropped(paths.to_vec(), false), expected);
        assert_eq!(dropped(paths.to_vec(), true)[0], Intent::ImportPicturePath("a.png".into()));
        assert_eq!(dropped(vec![], false), []);
    }

    #[test]
    fn long_names_keep_their_ending() {
        let name = format!("{}.safetensors", "x".repeat(200));
        assert!(shortened(&name).ends_with(".safetensors") && shortened(&name).chars().count() < 64);
        assert_eq!(shortened("ink.safetensors"), "ink.safetensors");
    }
}
