//! Colours, sizes and text styles, in one place.

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme, Vec2, Visuals};

/// The grid every distance is a multiple or a half of, in points.
pub(crate) const GRID: f32 = 8.0;
/// Height of every control, in points.
pub(crate) const CONTROL: f32 = 32.0;
/// Corner radius of everything that has corners, in points.
pub(crate) const RADIUS: CornerRadius = CornerRadius::same(6);

/// The colours of one theme. Greys have no tint: a tint beside a picture changes how its colours are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Palette {
    /// Behind the picture.
    pub stage: Color32,
    /// Bars and the settings panel.
    pub panel: Color32,
    /// Text fields, and the trough of sliders.
    pub field: Color32,
    /// Buttons at rest.
    pub control: Color32,
    /// Buttons under the pointer.
    pub hover: Color32,
    /// Buttons while pressed.
    pub pressed: Color32,
    /// Thin lines between areas.
    pub hairline: Color32,
    /// Outlines of fields and sliders, visible at 3:1.
    pub outline: Color32,
    /// Text that is read first.
    pub text: Color32,
    /// Labels and explanations.
    pub secondary: Color32,
    /// What cannot be used now.
    pub disabled: Color32,
    /// What is live or chosen.
    pub accent: Color32,
    /// Text on [`accent`](Self::accent).
    pub on_accent: Color32,
    /// A chosen cell among others, quieter than the accent itself.
    pub chosen: Color32,
    /// What failed.
    pub error: Color32,
    /// Behind a failure's text.
    pub error_fill: Color32,
}

const fn grey(v: u8) -> Color32 {
    Color32::from_gray(v)
}

const DARK: Palette = Palette {
    stage: grey(20),
    panel: grey(30),
    field: grey(20),
    control: grey(46),
    hover: grey(58),
    pressed: grey(70),
    hairline: grey(50),
    outline: grey(74),
    text: grey(236),
    secondary: grey(166),
    disabled: grey(112),
    accent: Color32::from_rgb(70, 208, 176),
    on_accent: grey(12),
    chosen: Color32::from_rgb(28, 66, 57),
    error: Color32::from_rgb(255, 133, 120),
    error_fill: Color32::from_rgb(56, 30, 28),
};

const LIGHT: Palette = Palette {
    stage: grey(214),
    panel: grey(246),
    field: grey(255),
    control: grey(232),
    hover: grey(222),
    pressed: grey(208),
    hairline: grey(204),
    outline: grey(176),
    text: grey(24),
    secondary: grey(84),
    disabled: grey(146),
    accent: Color32::from_rgb(0, 118, 96),
    on_accent: grey(255),
    chosen: Color32::from_rgb(200, 230, 223),
    error: Color32::from_rgb(172, 32, 24),
    error_fill: Color32::from_rgb(252, 228, 225),
};

impl Palette {
    /// The colours of a theme.
    pub(crate) const fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Dark => &DARK,
            Theme::Light => &LIGHT,
        }
    }
}

/// The colours this `ui` is drawn with.
pub(crate) fn palette(ui: &egui::Ui) -> &'static Palette {
    Palette::of(if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light })
}

/// The regular weight at `size` points.
pub(crate) fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// The medium weight at `size` points: labels and buttons.
pub(crate) fn medium(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(crate::fonts::MEDIUM.into()))
}

/// The semibold weight at `size` points: titles.
pub(crate) fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(crate::fonts::SEMIBOLD.into()))
}

/// The icon font at `size` points.
pub(crate) fn icon(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(crate::fonts::ICONS.into()))
}

/// The frame of a dialog inside the window.
pub(crate) fn modal_frame(ctx: &egui::Context) -> egui::Frame {
    egui::Frame::window(&ctx.global_style()).inner_margin(Margin::same(24))
}

/// Gives both themes to the window.
pub(crate) fn install(ctx: &egui::Context) {
    for theme in [Theme::Dark, Theme::Light] {
        ctx.style_mut_of(theme, |style| apply(style, theme));
    }
}

fn apply(style: &mut Style, theme: Theme) {
    let p = Palette::of(theme);
    style.text_styles = [
        (TextStyle::Small, regular(12.0)),
        (TextStyle::Body, regular(14.0)),
        (TextStyle::Button, medium(13.0)),
        (TextStyle::Heading, semibold(18.0)),
        (TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace)),
    ]
    .into();
    style.drag_value_text_style = TextStyle::Body;
    style.animation_time = 0.1;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.6;
    spacing(style);
    style.visuals = visuals(theme, p);
}

fn spacing(style: &mut Style) {
    let s = &mut style.spacing;
    s.item_spacing = Vec2::new(GRID, 6.0);
    s.button_padding = Vec2::new(12.0, 6.0);
    s.interact_size = Vec2::new(CONTROL, CONTROL);
    s.window_margin = Margin::same(24);
    s.menu_margin = Margin::same(6);
    s.menu_spacing = 4.0;
    s.tooltip_width = 320.0;
    s.scroll.floating = true;
    s.scroll.bar_width = 8.0;
    s.scroll.floating_width = 3.0;
    s.scroll.foreground_color = false;
    s.scroll.floating_allocated_width = 0.0;
    s.scroll.dormant_handle_opacity = 0.35;
}

fn visuals(theme: Theme, p: &Palette) -> Visuals {
    let mut v = theme.default_visuals();
    v.panel_fill = p.panel;
    v.window_fill = p.panel;
    v.extreme_bg_color = p.field;
    v.text_edit_bg_color = Some(p.field);
    v.faint_bg_color = p.control;
    v.window_stroke = Stroke::new(1.0, p.hairline);
    v.window_corner_radius = CornerRadius::same(10);
    v.menu_corner_radius = CornerRadius::same(8);
    let shadow = Shadow { offset: [0, 8], blur: 24, spread: 0, color: Color32::from_black_alpha(80) };
    v.window_shadow = shadow;
    v.popup_shadow = shadow;
    v.weak_text_color = Some(p.secondary);
    v.hyperlink_color = p.accent;
    v.warn_fg_color = p.error;
    v.error_fg_color = p.error;
    v.selection.bg_fill = p.accent.gamma_multiply(0.35);
    v.selection.stroke = Stroke::new(1.0, p.accent);
    v.text_cursor.stroke = Stroke::new(2.0, p.accent);
    v.text_cursor.blink = false;
    v.disabled_alpha = 0.5;
    v.interact_cursor = None;
    let states = [
        (&mut v.widgets.noninteractive, p.panel, p.hairline, p.text),
        (&mut v.widgets.inactive, p.control, p.outline, p.text),
        (&mut v.widgets.hovered, p.hover, p.outline, p.text),
        (&mut v.widgets.active, p.pressed, p.accent, p.text),
        (&mut v.widgets.open, p.hover, p.outline, p.text),
    ];
    for (w, fill, line, text) in states {
        w.bg_fill = fill;
        w.weak_bg_fill = fill;
        w.bg_stroke = Stroke::new(1.0, line);
        w.fg_stroke = Stroke::new(1.0, text);
        w.corner_radius = RADIUS;
        w.expansion = 0.0;
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast ratio after WCAG 2.2.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let linear = |c: u8| {
            let c = f32::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |c: Color32| 0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b());
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_in_both_themes() {
        for p in [&DARK, &LIGHT] {
            for ground in [p.panel, p.stage, p.field, p.control, p.hover, p.chosen, p.error_fill] {
                assert!(contrast(p.text, ground) >= 7.0, "text on {ground:?}: {}", contrast(p.text, ground));
            }
            for ground in [p.panel, p.stage, p.field, p.control] {
                assert!(contrast(p.secondary, ground) >= 4.5, "labels on {ground:?}");
            }
            for ground in [p.panel, p.stage, p.error_fill] {
                assert!(contrast(p.error, ground) >= 4.5, "errors on {ground:?}");
            }
            for ground in [p.panel, p.stage] {
                assert!(contrast(p.accent, ground) >= 3.0, "accent on {ground:?}");
            }
            assert!(contrast(p.on_accent, p.accent) >= 4.5);
        }
    }

    #[test]
    fn greys_beside_the_picture_have_no_tint() {
        for p in [&DARK, &LIGHT] {
            for c in [p.stage, p.panel, p.field, p.control, p.hairline] {
                assert!(c.r() == c.g() && c.g() == c.b());
            }
        }
    }
}
