use egui::{Pos2, Rect, Vec2};

/// Which part of the picture is seen, and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Zoom {
    /// The whole picture, as large as it can be.
    #[default]
    Fit,
    /// A fixed scale.
    Free {
        /// Points a pixel of the picture.
        scale: f32,
        /// From the middle of the stage to the middle of the picture, in points.
        offset: Vec2,
    },
}

/// Smallest and largest scale, in points a pixel.
const SCALES: std::ops::RangeInclusive<f32> = 0.05..=32.0;
/// So much of the picture stays on the stage when it is dragged, in points.
const KEPT: f32 = 64.0;

impl Zoom {
    /// Points a pixel for a picture of `size` px on `stage`.
    pub(crate) fn scale(self, stage: Rect, size: Vec2) -> f32 {
        match self {
            Self::Fit => (stage.width() / size.x).min(stage.height() / size.y).max(*SCALES.start()),
            Self::Free { scale, .. } => scale,
        }
    }

    /// Where the picture lies.
    pub(crate) fn rect(self, stage: Rect, size: Vec2) -> Rect {
        let offset = match self {
            Self::Fit => Vec2::ZERO,
            Self::Free { offset, .. } => offset,
        };
        Rect::from_center_size(stage.center() + offset, size * self.scale(stage, size))
    }

    /// Larger or smaller by `factor`, so that what is under `at` stays there.
    pub(crate) fn zoomed(self, stage: Rect, size: Vec2, factor: f32, at: Pos2) -> Self {
        let before = self.scale(stage, size);
        // From beside the picture, its nearest point stays.
        let at = self.rect(stage, size).clamp(at);
        let scale = (before * factor).clamp(*SCALES.start(), *SCALES.end());
        let centre = self.rect(stage, size).center();
        let moved = at + (centre - at) * (scale / before);
        Self::Free { scale, offset: moved - stage.center() }.kept(stage, size)
    }

    /// Moved by `delta`.
    pub(crate) fn panned(self, stage: Rect, size: Vec2, delta: Vec2) -> Self {
        let offset = self.rect(stage, size).center() - stage.center() + delta;
        Self::Free { scale: self.scale(stage, size), offset }.kept(stage, size)
    }

    /// The same with the picture not lost outside the stage.
    fn kept(self, stage: Rect, size: Vec2) -> Self {
        match self {
            Self::Fit => self,
            Self::Free { scale, offset } => {
                let limit = (stage.size() + size * scale) / 2.0 - Vec2::splat(KEPT);
                let limit = limit.max(Vec2::ZERO);
                Self::Free { scale, offset: offset.clamp(-limit, limit) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{pos2, vec2};

    const STAGE: Rect = Rect { min: Pos2 { x: 100.0, y: 50.0 }, max: Pos2 { x: 900.0, y: 650.0 } };

    #[test]
    fn a_picture_fits_by_its_longer_side() {
        let size = vec2(128.0, 128.0);
        assert_eq!(Zoom::Fit.rect(STAGE, size).size(), vec2(600.0, 600.0));
        assert_eq!(Zoom::Fit.rect(STAGE, size).center(), STAGE.center());
        assert_eq!(Zoom::Fit.rect(STAGE, vec2(200.0, 50.0)).width(), 800.0);
    }

    #[test]
    fn the_wheel_zooms_around_the_pointer() {
        let (size, at) = (vec2(128.0, 128.0), pos2(300.0, 200.0));
        let before = Zoom::Fit.rect(STAGE, size);
        let under = (at - before.min) / before.size();
        let after = Zoom::Fit.zoomed(STAGE, size, 1.5, at).rect(STAGE, size);
        let still = (at - after.min) / after.size();
        assert!((under - still).length() < 1e-4);
    }

    #[test]
    fn a_dragged_picture_stays_in_reach() {
        let size = vec2(128.0, 128.0);
        let far = Zoom::Fit.panned(STAGE, size, vec2(1e6, 0.0)).rect(STAGE, size);
        assert!(far.left() < STAGE.right() - 60.0);
    }
}
