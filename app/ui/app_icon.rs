//! The window's icon: a disc that gets clearer in four steps.

use egui::IconData;

const SIDE: u32 = 64;

/// Drawn in code, so that there is no picture file to keep.
pub(crate) fn icon() -> IconData {
    let mut rgba = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            rgba.extend(pixel(x, y));
        }
    }
    IconData { rgba, width: SIDE, height: SIDE }
}

fn pixel(x: u32, y: u32) -> [u8; 4] {
    let (half, centre) = (SIDE as f32 / 2.0, (SIDE as f32 - 1.0) / 2.0);
    let (dx, dy) = (x as f32 - centre, y as f32 - centre);
    let corner = (dx.abs() - (half - 14.0)).max(0.0).hypot((dy.abs() - (half - 14.0)).max(0.0));
    let alpha = (14.0 - corner).clamp(0.0, 1.0);
    // Quarters clockwise from the upper left: noise first, the clear colour last.
    let step = match (dx < 0.0, dy < 0.0) {
        (true, true) => 0.25,
        (false, true) => 0.5,
        (false, false) => 1.0,
        (true, false) => 0.75,
    };
    let disc = (20.5 - dx.hypot(dy)).clamp(0.0, 1.0) * step;
    let gap = if dx.abs() < 1.5 || dy.abs() < 1.5 { 0.0 } else { disc };
    let mix = |ground: f32, ink: f32| (ground + (ink - ground) * gap) as u8;
    [mix(30.0, 70.0), mix(30.0, 208.0), mix(30.0, 176.0), (alpha * 255.0) as u8]
}
