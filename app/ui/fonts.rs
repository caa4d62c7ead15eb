//! The fonts of the window, and the ones it borrows from the system when a character asks for them.

use crate::i18n::tr_with;
use egui::epaint::text::{FallbackRequest, FontInsert, FontPriority, FontProvider, InsertFontFamily};
use egui::{FontData, FontDefinitions, FontFamily};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) const MEDIUM: &str = "medium";
pub(crate) const SEMIBOLD: &str = "semibold";
pub(crate) const ICONS: &str = "icons";

/// Installs Inter and the icons, and starts listening for characters they lack.
pub(crate) fn install(ctx: &egui::Context) -> SystemFonts {
    ctx.set_fonts(definitions());
    let system = SystemFonts::new(ctx.clone());
    ctx.set_font_providers(vec![Arc::new(system.clone())]);
    system
}

fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let files: [(&str, &'static [u8]); 4] = [
        ("Inter", include_bytes!("../../assets/fonts/Inter-Regular.ttf")),
        ("Inter Medium", include_bytes!("../../assets/fonts/Inter-Medium.ttf")),
        ("Inter SemiBold", include_bytes!("../../assets/fonts/Inter-SemiBold.ttf")),
        ("Phosphor", include_bytes!("../../assets/icons/Phosphor.ttf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
    }
    // egui's own fonts, for signs and emoji that Inter lacks.
    let rest = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let chain = |first: &str| [vec![first.to_owned()], rest.clone()].concat();
    let families = [
        (FontFamily::Proportional, chain("Inter")),
        (FontFamily::Name(MEDIUM.into()), chain("Inter Medium")),
        (FontFamily::Name(SEMIBOLD.into()), chain("Inter SemiBold")),
        (FontFamily::Name(ICONS.into()), vec!["Phosphor".to_owned()]),
    ];
    fonts.families.extend(families);
    fonts
}

/// Looks for a font of the system when a character appears that Inter lacks, for example in a Chinese prompt.
///
/// egui asks for each missing character once while it lays out text. Reading font files there would make the window
/// stutter, so the question only starts a thread; the font is added when it is read, and the text drawn again.
#[derive(Clone)]
pub(crate) struct SystemFonts {
    ctx: egui::Context,
    state: Arc<Mutex<Search>>,
}

#[derive(Default)]
struct Search {
    /// First characters of what is still to be looked for.
    wanted: Vec<char>,
    /// Every character asked for so far.
    asked: HashSet<char>,
    running: bool,
    /// Characters for which this system has no font.
    missing: Vec<char>,
}

impl SystemFonts {
    fn new(ctx: egui::Context) -> Self {
        Self { ctx, state: Arc::default() }
    }

    /// A character that no font of this system can draw, if there was one since the last call.
    pub(crate) fn take_missing(&self) -> Option<char> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let first = state.missing.first().copied();
        state.missing.clear();
        first
    }

    fn want(&self, c: char) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.asked.insert(c) {
            return;
        }
        state.wanted.push(c);
        if !state.running {
            state.running = true;
            let this = self.clone();
            std::thread::spawn(move || this.search());
        }
    }

    /// Works off the wanted characters, a font for each that the fonts loaded before it do not cover.
    fn search(&self) {
        let mut db = fontdb::Database::new();
        db.load_system_fonts();
        let mut loaded: Vec<fontdb::ID> = Vec::new();
        loop {
            let next = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let next = state.wanted.pop();
                state.running = next.is_some();
                next
            };
            let Some(c) = next else { break };
            if loaded.iter().any(|id| covers(&db, *id, c)) {
                continue;
            }
            match find(&db, c) {
                Some((id, font)) => {
                    loaded.push(id);
                    self.ctx.add_font(font);
                }
                None => self.state.lock().unwrap_or_else(PoisonError::into_inner).missing.push(c),
            }
            self.ctx.request_repaint();
        }
    }
}

impl FontProvider for SystemFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let drawable = |c: &char| !c.is_control() && !c.is_whitespace();
        if request.family != &FontFamily::Name(ICONS.into())
            && let Some(c) = request.cluster.chars().next().filter(drawable)
        {
            self.want(c);
        }
        None
    }
}

/// Tells that `c` cannot be drawn and what would help.
pub(crate) fn lack_of(c: char) -> String {
    let example = match c as u32 {
        0x2600..=0x27bf | 0x1f000.. => "Noto Emoji",
        0x2e80..=0xd7ff | 0xf900..=0xfaff | 0xfe30..=0xffef => "Noto Sans CJK",
        _ => "Noto Sans",
    };
    let code = format!("U+{:04X}", c as u32);
    tr_with("bar-no-glyph", &[("code", code.into()), ("font", example.into())])
}

/// Good faces for Chinese, Japanese and Korean on Linux, macOS and Windows, best first.
const PREFERRED: [&str; 18] = [
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Source Han Sans TC",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "PingFang TC",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft JhengHei",
    "Microsoft YaHei",
    "Yu Gothic",
    "Meiryo",
    "Malgun Gothic",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "NanumGothic",
];

/// The best upright face of the system that has a glyph for `c`.
fn find(db: &fontdb::Database, c: char) -> Option<(fontdb::ID, FontInsert)> {
    let mut faces: Vec<&fontdb::FaceInfo> =
        db.faces().filter(|f| f.style == fontdb::Style::Normal && !f.monospaced).collect();
    faces.sort_by_key(|f| {
        let known = PREFERRED.iter().position(|p| f.families.iter().any(|(name, _)| name == p));
        let sans = f.families.iter().any(|(name, _)| name.contains("Sans"));
        (known.unwrap_or(PREFERRED.len()), !sans, f.weight.0.abs_diff(400), f.post_script_name.clone())
    });
    let face = faces.into_iter().find(|f| covers(db, f.id, c))?;
    let (bytes, index) = db.with_face_data(face.id, |bytes, index| (bytes.to_vec(), index))?;
    let mut data = FontData::from_owned(bytes);
    data.index = index;
    let families = [FontFamily::Proportional, FontFamily::Name(MEDIUM.into()), FontFamily::Name(SEMIBOLD.into())];
    let families = families.map(|family| InsertFontFamily { family, priority: FontPriority::Lowest }).into();
    Some((face.id, FontInsert { name: format!("{} {}", face.post_script_name, c), data, families }))
}

fn covers(db: &fontdb::Database, id: fontdb::ID, c: char) -> bool {
    let has_glyph = |bytes: &[u8], index| {
        let face = ttf_parser::Face::parse(bytes, index).ok();
        // A glyph without an outline is a picture in colours, as in most emoji fonts: egui cannot draw it.
        face.is_some_and(|face| face.glyph_index(c).is_some_and(|glyph| face.glyph_bounding_box(glyph).is_some()))
    };
    db.with_face_data(id, has_glyph).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_icon_and_the_letters_of_the_window_have_a_glyph() {
        let icons = include_str!("icons.rs");
        let phosphor = ttf_parser::Face::parse(include_bytes!("../../assets/icons/Phosphor.ttf"), 0).expect("a font");
        let codes: Vec<u32> = icons
            .split("\\u{")
            .skip(1)
            .filter_map(|rest| u32::from_str_radix(rest.split('}').next().unwrap_or_default(), 16).ok())
            .collect();
        assert!(codes.len() > 20);
        for code in codes {
            assert!(phosphor.glyph_index(char::from_u32(code).expect("a character")).is_some(), "{code:x}");
        }
        let inter = ttf_parser::Face::parse(include_bytes!("../../assets/fonts/Inter-Regular.ttf"), 0).expect("a font");
        for c in "Aaéßøñłžăαωжяє×−·…–—‘’“”→←↑↓≤≥⌘⇧°%½".chars() {
            assert!(inter.glyph_index(c).is_some(), "{c}");
        }
    }

    #[test]
    fn figures_are_all_as_wide_as_each_other() {
        for file in [
            &include_bytes!("../../assets/fonts/Inter-Regular.ttf")[..],
            include_bytes!("../../assets/fonts/Inter-Medium.ttf"),
            include_bytes!("../../assets/fonts/Inter-SemiBold.ttf"),
        ] {
            let face = ttf_parser::Face::parse(file, 0).expect("a font");
            let width = |c| face.glyph_hor_advance(face.glyph_index(c).expect("a figure"));
            assert!(('1'..='9').all(|c| width(c) == width('0')));
        }
    }
}
