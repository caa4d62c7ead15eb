use crate::i18n::tr;
use crate::intent::View;
use crate::theme::palette;
use crate::widgets::{Cell, caption_row, segmented};
use egui::Ui;
use fourstep_protocol::Size;
use fourstep_session::Action;

/// What the chips offer: how it reads, the key of its name, width and height.
const RATIOS: [(&str, &str, f32, f32); 5] = [
    ("1:1", "size-square", 1.0, 1.0),
    ("4:3", "size-landscape", 4.0, 3.0),
    ("3:4", "size-portrait", 3.0, 4.0),
    ("16:9", "size-wide", 16.0, 9.0),
    ("9:16", "size-tall", 9.0, 16.0),
];

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let (size, native) = (view.session.request().size, view.session.model().native_size);
    caption_row(ui, tr("size-name"), &format!("{} × {}", size.width, size.height), palette(ui).text);
    let sizes = RATIOS.map(|(_, _, w, h)| with_ratio(native, w / h));
    let cells = RATIOS.map(|(text, name, w, h)| Cell { aspect: Some(w / h), ..Cell::new(text, tr(name)) });
    let chosen = sizes.iter().position(|s| *s == size);
    if let Some(i) = segmented(ui, &cells, chosen) {
        view.act(Action::SetSize(sizes[i]));
    }
}

/// About as many pixels as `native` in another shape, in the multiples of 8 that latents need.
fn with_ratio(native: Size, ratio: f32) -> Size {
    let pixels = native.width as f32 * native.height as f32;
    let side =
        |length: f32| (((length / 8.0).round() * 8.0) as u32).clamp(*Size::SIDE_PX.start(), *Size::SIDE_PX.end());
    Size::new(side((pixels * ratio).sqrt()), side((pixels / ratio).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_keep_the_number_of_pixels() {
        for native in [Size::new(128, 128), Size::new(512, 512), Size::new(1024, 1024)] {
            for (_, name, w, h) in RATIOS {
                let size = with_ratio(native, w / h);
                assert!(size.width.is_multiple_of(8) && size.height.is_multiple_of(8));
                let pixels = (size.width * size.height) as f32 / (native.width * native.height) as f32;
                assert!((0.85..1.15).contains(&pixels), "{name} of {native}: {size}");
                assert!((size.width as f32 / size.height as f32 / (w / h) - 1.0).abs() < 0.12, "{name}: {size}");
            }
        }
        assert_eq!(with_ratio(Size::new(512, 512), 1.0), Size::new(512, 512));
    }
}
