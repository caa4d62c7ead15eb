use crate::icons;
use egui::Key;
use fourstep_canvas::{Brush, Ink, Layer, ShapeKind};
use fourstep_protocol::Size;

/// What the pointer does on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tool {
    #[default]
    Brush,
    Eraser,
    Fill,
    Eyedropper,
    Line,
    Rectangle,
    Ellipse,
}

/// A tool as the window offers it.
pub(super) struct Offer {
    pub(super) tool: Tool,
    pub(super) icon: &'static str,
    /// Key of its name.
    pub(super) name: &'static str,
    pub(super) key: Key,
}

impl Tool {
    /// Every tool, in the order of the column.
    pub(super) const ALL: [Offer; 7] = [
        Offer { tool: Self::Brush, icon: icons::BRUSH, name: "canvas-brush", key: Key::B },
        Offer { tool: Self::Eraser, icon: icons::ERASER, name: "canvas-eraser", key: Key::E },
        Offer { tool: Self::Fill, icon: icons::FILL, name: "canvas-fill", key: Key::G },
        Offer { tool: Self::Eyedropper, icon: icons::EYEDROPPER, name: "canvas-eyedropper", key: Key::I },
        Offer { tool: Self::Line, icon: icons::LINE, name: "canvas-line", key: Key::L },
        Offer { tool: Self::Rectangle, icon: icons::RECTANGLE, name: "canvas-rectangle", key: Key::U },
        Offer { tool: Self::Ellipse, icon: icons::CIRCLE, name: "canvas-ellipse", key: Key::O },
    ];

    /// The form it draws; `None` for tools that follow the pointer.
    pub(super) fn shape(self) -> Option<ShapeKind> {
        match self {
            Self::Line => Some(ShapeKind::Line),
            Self::Rectangle => Some(ShapeKind::Rectangle),
            Self::Ellipse => Some(ShapeKind::Ellipse),
            Self::Brush | Self::Eraser | Self::Fill | Self::Eyedropper => None,
        }
    }

    /// Whether it has a width and a hardness.
    pub(super) fn has_width(self) -> bool {
        !matches!(self, Self::Fill | Self::Eyedropper)
    }
}

/// The keys of the tools that follow the pointer, and of those that draw forms.
pub(crate) fn tool_keys() -> (Vec<&'static str>, Vec<&'static str>) {
    let (forms, free): (Vec<_>, Vec<_>) = Tool::ALL.iter().partition(|offer| offer.tool.shape().is_some());
    let names = |offers: Vec<&Offer>| offers.into_iter().map(|offer| offer.key.name()).collect();
    (names(free), names(forms))
}

/// The tool in hand and how it is set.
#[derive(Clone, Debug)]
pub(super) struct Kit {
    pub(super) tool: Tool,
    /// The sketch or the mask.
    pub(super) layer: Layer,
    pub(super) brush: Brush,
    pub(super) color: [u8; 3],
    /// X brings it to hand.
    pub(super) other: [u8; 3],
    /// Rectangles and ellipses have an inside.
    pub(super) filled: bool,
    /// How far a colour may be from the one filled, 0 … 255.
    pub(super) tolerance: u8,
}

/// Widths of brushes, in px.
pub(super) const SIZES: std::ops::RangeInclusive<f32> = 1.0..=256.0;

impl Kit {
    /// With a brush that suits the size of the page.
    pub(super) fn for_page(size: Size) -> Self {
        let size_px = (size.width.min(size.height) as f32 / 14.0).round().max(2.0);
        Self {
            tool: Tool::Brush,
            layer: Layer::Sketch,
            brush: Brush { size_px, hardness: 0.9, opacity: 1.0 },
            color: [28, 86, 196],
            other: [255; 3],
            filled: true,
            tolerance: 24,
        }
    }

    /// What the tool leaves behind.
    pub(super) fn ink(&self) -> Ink {
        if self.tool == Tool::Eraser { Ink::Erase } else { Ink::Color(self.color) }
    }

    pub(super) fn swap_colors(&mut self) {
        std::mem::swap(&mut self.color, &mut self.other);
    }

    /// Wider or narrower by a step that is larger for wide brushes.
    pub(super) fn resize(&mut self, wider: bool) {
        let size = self.brush.size_px;
        let step = (size * 0.2).max(1.0).round();
        self.brush.size_px = (if wider { size + step } else { size - step }).clamp(*SIZES.start(), *SIZES.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brush_can_be_made_as_wide_and_narrow_as_there_is() {
        let mut kit = Kit::for_page(Size::new(128, 128));
        (0..100).for_each(|_| kit.resize(true));
        assert_eq!(kit.brush.size_px, *SIZES.end());
        (0..100).for_each(|_| kit.resize(false));
        assert_eq!(kit.brush.size_px, *SIZES.start());
    }
}
