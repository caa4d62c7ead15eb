//! Painting a part of a picture against diffusers (`tests/golden/pipeline/make_inpaint.py`), with every sampler.

#[path = "support/exact.rs"]
mod exact;
#[path = "support/relative_l2.rs"]
mod relative_l2;
mod support;

use exact::exact_engines;
use fourstep_catalog::Catalog;
use fourstep_protocol::{Coverage, Event, Finished, Init, Mask, ModelRef, Picture, Request, Sampler, Size};
use relative_l2::relative_l2;
use std::path::Path;
use support::{golden_folder, paint};

/// Latents within this relative L2 error of diffusers', f32 on both sides.
const BOUND: f64 = 1e-3;
const PROMPT: &str = "a blue apple on a yellow background";
const NEGATIVE: &str = "a green background";
const SIZE: Size = Size::new(64, 72);

#[test]
fn a_part_of_a_picture_is_painted_as_by_diffusers() {
    let golden = std::fs::read(golden_folder("inpaint.safetensors")).expect("inpaint.safetensors");
    let golden = safetensors::SafeTensors::deserialize(&golden).expect("safetensors");
    let cases = cases();
    assert_eq!(cases.len(), golden.len());
    let mut beyond = Vec::new();
    for (backend, engine) in exact_engines(&Catalog::builtin()) {
        for (run, (name, request)) in (1..).zip(&cases) {
            let finished = match paint(&engine, run, request.clone()).pop() {
                Some(Event::Finished(finished)) => finished,
                other => panic!("{name}: {other:?}"),
            };
            assert_outside_is_untouched(name, &finished);
            let latents = golden.tensor(name).expect("golden latents");
            assert_eq!(latents.shape(), finished.latents.shape());
            let error = relative_l2(latents.data(), &finished.latents.data);
            println!("{name} on {backend}: relative L2 {error:.2e}");
            if error.is_nan() || error > BOUND {
                beyond.push((name, backend, error));
            }
        }
    }
    assert!(beyond.is_empty(), "beyond {BOUND}: {beyond:?}");
}

fn cases() -> Vec<(String, Request)> {
    let sd = request(&golden_folder("sd").to_string_lossy());
    let guided = Request { guidance_scale: 1.5, negative_prompt: NEGATIVE.into(), ..sd.clone() };
    let with = |request: &Request, strength, mask: fn(Size) -> Coverage| {
        let init = Init { mask: Some(plain(mask(SIZE))), ..Init::new(gradient(SIZE), strength) };
        Request { init: Some(init), ..request.clone() }
    };
    let sticker = Request { guidance_scale: 4.0, ..request("sticker-lcm") };
    let (size, picture) = (sticker.size, gradient(sticker.size));
    let sticker_init = Init { mask: Some(plain(half(size))), ..Init::new(picture, 0.5) };
    let mut cases = vec![
        ("lcm_half".into(), with(&sd, 0.5, half)),
        ("lcm_half_soft".into(), with(&guided, 0.5, soft)),
        ("lcm_whole".into(), with(&sd, 1.0, half)),
        ("sticker_lcm_half".into(), Request { init: Some(sticker_init), size, ..sticker }),
    ];
    for sampler in Sampler::ALL.into_iter().filter(|&sampler| sampler != Sampler::Lcm) {
        let slow = Request { sampler, steps: 8, guidance_scale: 3.0, ..sd.clone() };
        let whole = Request { steps: 6, seed: 8, ..slow.clone() };
        cases.push((sampler.id().to_owned(), with(&slow, 0.6, half)));
        cases.push((format!("{}_whole", sampler.id()), with(&whole, 1.0, half)));
    }
    let sdxl = Request { sampler: Sampler::Euler, steps: 8, guidance_scale: 3.0, ..guided };
    let sdxl = Request { model: ModelRef::new(golden_folder("sdxl").to_string_lossy()), ..sdxl };
    cases.push(("sdxl_euler".into(), with(&sdxl, 0.6, half)));
    cases
}

fn request(model: &str) -> Request {
    let info = Catalog::builtin().inspect(&ModelRef::new(model)).expect("a model");
    let size = if Path::new(model).exists() { SIZE } else { Size::new(128, 128) };
    Request { seed: 7, size, ..Request::new(&info, PROMPT) }
}

/// Where nothing is painted, the picture is the old one to the bit.
fn assert_outside_is_untouched(name: &str, finished: &Finished) {
    let init = finished.request.init.as_ref().expect("a start");
    let coverage = init.mask.as_ref().expect("a mask").coverage.bytes();
    let pixels = |picture: &Picture| picture.rgb().as_chunks::<3>().0.to_vec();
    let (old, new) = (pixels(&init.picture), pixels(&finished.picture));
    let outside = |i: &usize| coverage[*i] == 0;
    assert!((0..old.len()).filter(outside).all(|i| old[i] == new[i]), "{name}: changed outside of the mask");
    assert!((0..old.len()).any(|i| old[i] != new[i]), "{name}: nothing was painted");
}

fn plain(coverage: Coverage) -> Mask {
    Mask { coverage, grow_px: 0, feather_px: 0 }
}

/// The picture that `make_inpaint.py` starts from.
fn gradient(size: Size) -> Picture {
    let pixel = |x: u32, y: u32| [(x * 2) as u8, (y * 2) as u8, (x + y) as u8];
    let rgb = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| pixel(x, y))).collect();
    Picture::new(size.width, size.height, rgb).expect("a picture")
}

/// The middle half of the width, but for the lowest 8 px.
fn half(size: Size) -> Coverage {
    let (from, to, last) = (size.width / 32, 3 * size.width / 32, size.height / 8 - 1);
    cells(size, |x, y| if (from..to).contains(&x) && y < last { 255 } else { 0 })
}

fn soft(size: Size) -> Coverage {
    cells(size, |x, y| (x * 53 + y * 31) as u8)
}

/// Even over what one latent stands for.
fn cells(size: Size, byte: impl Fn(u32, u32) -> u8) -> Coverage {
    let pixels = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x / 8, y / 8)));
    Coverage::new(size.width, size.height, pixels.map(|(x, y)| byte(x, y)).collect()).expect("a mask")
}
