//! Models and pictures to test with.

use fourstep_protocol::{
    Family, Guidance, Latents, LoraRef, ModelInfo, ModelRef, Picture, Recipe, Request, Sampler, Size,
};
use std::sync::Arc;

pub(crate) fn models() -> Vec<ModelInfo> {
    let live = |loras: Vec<LoraRef>, guidance_scale| Recipe { loras, sampler: Sampler::Lcm, steps: 4, guidance_scale };
    vec![
        ModelInfo {
            model: ModelRef::new("sticker"),
            name: "Sticker".into(),
            detail: "teacher with LCM-LoRA".into(),
            family: Family::Custom,
            guidance: Guidance::ClassifierFree,
            native_size: Size::new(128, 128),
            live: live(vec![LoraRef { source: "sticker-lcm-lora".into(), weight: 1.0 }], 1.0),
            compare: Some(Recipe { loras: vec![], sampler: Sampler::Ddim, steps: 25, guidance_scale: 3.0 }),
            few_step: None,
        },
        ModelInfo {
            model: ModelRef::new("sticker-lcm"),
            name: "Sticker".into(),
            detail: "full LCM".into(),
            family: Family::Custom,
            guidance: Guidance::Embedded { min: 1.0, max: 8.0 },
            native_size: Size::new(128, 128),
            live: live(vec![], 3.0),
            compare: None,
            few_step: None,
        },
        ModelInfo {
            model: ModelRef::new("turbo"),
            name: "Turbo".into(),
            detail: "distilled".into(),
            family: Family::Custom,
            guidance: Guidance::None,
            native_size: Size::new(512, 512),
            live: live(vec![], 1.0),
            compare: None,
            few_step: None,
        },
    ]
}

pub(crate) fn latents(request: &Request) -> Latents {
    let (height, width) = (request.size.height as usize / 8, request.size.width as usize / 8);
    Latents { channels: 4, height, width, data: vec![0.0; 4 * height * width] }
}

pub(crate) fn picture(request: &Request) -> Arc<Picture> {
    painted(request, 1.0)
}

/// An apple on a coloured ground; with `clear` below 1 still in the haze of the first steps.
pub(crate) fn painted(request: &Request, clear: f32) -> Arc<Picture> {
    let (w, h) = (request.size.width, request.size.height);
    let mut rgb = Vec::with_capacity((w * h * 3) as usize);
    for y in 0..h {
        for x in 0..w {
            let (u, v) = (x as f32 / w as f32 - 0.5, y as f32 / h as f32 - 0.54);
            // Edges get sharper with every step.
            let inside = |distance: f32| (0.5 - distance / (0.012 + 0.3 * (1.0 - clear))).clamp(0.0, 1.0);
            let apple = inside((u.abs() - 0.09).hypot(v * 1.02) - 0.2);
            let stem = inside(((u - 0.02 - v.abs() * 0.1).abs() - 0.012).max((v + 0.27).abs() - 0.07));
            let shine = 0.9 + 0.35 * (-((u + 0.12).powi(2) + (v + 0.1).powi(2)) * 60.0).exp();
            let over = |below: [f32; 3], ink: [f32; 3], a: f32| [0, 1, 2].map(|c| below[c] + (ink[c] - below[c]) * a);
            let ground = [52.0, 112.0 + 40.0 * v, 196.0 + 40.0 * v];
            let colour =
                over(over(ground, [92.0, 62.0, 40.0], stem), [206.0 * shine, 40.0 * shine, 46.0 * shine], apple);
            let haze = 26.0 * (1.0 - clear) * ((u * 23.0).sin() + (v * 31.0 + request.seed as f32).cos());
            rgb.extend(colour.map(|c| (c + haze).clamp(0.0, 255.0) as u8));
        }
    }
    Arc::new(Picture::new(w, h, rgb).expect("three bytes a pixel"))
}
