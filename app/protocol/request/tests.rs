use super::*;
use crate::Guidance;

fn model(guidance: Guidance) -> ModelInfo {
    ModelInfo {
        model: ModelRef::new("sticker"),
        name: "Sticker".into(),
        detail: "LCM-LoRA".into(),
        family: crate::Family::Custom,
        guidance,
        native_size: Size::new(128, 128),
        live: Recipe { loras: vec![], sampler: Sampler::Lcm, steps: 4, guidance_scale: 1.0 },
        compare: None,
        few_step: None,
    }
}

#[test]
fn a_new_request_is_valid_and_survives_json() {
    let m = model(Guidance::ClassifierFree);
    let r = Request::new(&m, "a cat");
    assert_eq!(r.validate(&m), Ok(()));
    let json = serde_json::to_string(&r).expect("serialise");
    assert_eq!(serde_json::from_str::<Request>(&json).expect("read back"), r);
}

#[test]
fn lcm_guidance_is_clamped_to_one_and_two() {
    let m = model(Guidance::ClassifierFree);
    let mut r = Request { guidance_scale: 3.0, ..Request::new(&m, "a cat") };
    assert!(matches!(r.validate(&m), Err(Invalid::Guidance { .. })));
    r.sampler = Sampler::Ddim;
    assert_eq!(r.validate(&m), Ok(()));
    r.guidance_scale = f32::NAN;
    assert!(r.validate(&m).is_err());
}

#[test]
fn a_classic_sampler_brings_the_slow_recipe_and_keeps_other_loras() {
    let lora = |source: &str| LoraRef { source: source.into(), weight: 1.0 };
    let mut m = model(Guidance::ClassifierFree);
    m.live.loras = vec![lora("lcm-lora")];
    m.compare = Some(Recipe { loras: vec![], sampler: Sampler::Ddim, steps: 25, guidance_scale: 4.0 });
    let mut r = Request::new(&m, "a cat");
    r.loras.push(lora("style"));
    r.change_sampler(Sampler::Euler, &m);
    assert_eq!((r.sampler, r.steps, r.guidance_scale), (Sampler::Euler, 25, 4.0));
    assert_eq!(r.loras, [lora("style")]);
    r.steps = 30;
    r.change_sampler(Sampler::UniPc, &m);
    assert_eq!((r.sampler, r.steps), (Sampler::UniPc, 30), "the same recipe keeps what was set");
    r.change_sampler(Sampler::Lcm, &m);
    assert_eq!((r.steps, r.guidance_scale), (4, 1.0));
    assert_eq!(r.loras, [lora("lcm-lora"), lora("style")]);
}

#[test]
fn sizes_are_multiples_of_eight() {
    let m = model(Guidance::ClassifierFree);
    let r = Request { size: Size::new(100, 8), ..Request::new(&m, "") };
    assert_eq!(r.validate(&m), Err(Invalid::Size(Size::new(100, 8), Size::new(104, 64))));
    assert_eq!("512x768".parse(), Ok(Size::new(512, 768)));
    assert!("512".parse::<Size>().is_err());
}

#[test]
fn a_mask_has_the_size_of_its_picture_and_something_in_it() {
    let m = model(Guidance::ClassifierFree);
    let with = |width, byte, feather_px| {
        let coverage = crate::Coverage::new(width, 2, vec![byte; width as usize * 2]).expect("a mask");
        let mask = Some(Mask { coverage, grow_px: 0, feather_px });
        let picture = Picture::new(2, 2, vec![0; 12]).expect("a picture");
        Request { init: Some(Init { mask, ..Init::new(picture, 1.0) }), ..Request::new(&m, "") }.validate(&m)
    };
    assert_eq!(with(2, 255, 256), Ok(()));
    let (mask, picture) = (Size::new(3, 2), Size::new(2, 2));
    assert_eq!(with(3, 255, 0), Err(Invalid::MaskSize { mask, picture }));
    assert_eq!(with(2, 0, 0), Err(Invalid::MaskEmpty));
    assert_eq!(with(2, 255, 257), Err(Invalid::MaskMargin(257)));
}

#[test]
fn the_order_of_loras_and_those_that_are_off_change_nothing() {
    let m = model(Guidance::ClassifierFree);
    let lora = |source: &str, weight| LoraRef { source: source.into(), weight };
    let with = |loras: &[LoraRef]| Request { loras: loras.to_vec(), ..Request::new(&m, "a cat") }.canonical(&m);
    let both = with(&[lora("ink", 0.7), lora("lcm", 1.0)]);
    assert_eq!(both, with(&[lora("lcm", 1.0), lora("off", 0.0), lora("ink", 0.7)]));
    assert_ne!(both, with(&[lora("ink", 1.0), lora("lcm", 0.7)]));
}

#[test]
fn a_mix_of_one_prompt_is_that_prompt() {
    let m = model(Guidance::ClassifierFree);
    let mixed = |parts: &[(&str, f32)]| {
        let blend = parts.iter().map(|(prompt, weight)| Blended { prompt: (*prompt).into(), weight: *weight });
        Request { blend: blend.collect(), ..Request::new(&m, "a cat") }
    };
    let canonical = |parts| mixed(parts).canonical(&m);
    assert_eq!(canonical(&[("a dog", 0.0)]), Request::new(&m, "a cat"));
    assert_eq!(canonical(&[("a dog", 1.0), ("a fox", 0.0)]), Request::new(&m, "a dog"));
    assert_eq!(canonical(&[("a dog", 0.3), ("a fox", 0.0)]), mixed(&[("a dog", 0.3)]));
    assert_eq!(mixed(&[("a dog", 0.25), ("a fox", 0.5)]).prompts()[0], ("a cat", 0.25));
    for parts in [&[("x", -0.1)][..], &[("x", f32::NAN)], &[("x", 0.6), ("y", 0.6)], &[("x", 0.1); 4]] {
        assert_eq!(mixed(parts).validate(&m), Err(Invalid::Blend), "{parts:?}");
    }
}

#[test]
fn what_was_typed_changes_no_pixel() {
    let m = model(Guidance::ClassifierFree);
    let plain = Request::new(&m, "a cat");
    let (prompt, negative_prompt) = ("a {cat|dog}".into(), String::new());
    let typed = Typed { prompt, negative_prompt, loras: Vec::new(), blend: Vec::new() };
    let r = Request { typed: Some(Box::new(typed)), ..plain.clone() };
    assert_eq!(r.canonical(&m), plain);
    let json = serde_json::to_string(&r).expect("serialise");
    assert_eq!(serde_json::from_str::<Request>(&json).expect("read back"), r);
}

#[test]
fn a_negative_prompt_without_an_unconditional_pass_changes_nothing() {
    let m = model(Guidance::ClassifierFree);
    let plain = Request::new(&m, "a cat");
    let mut r = Request { negative_prompt: "blurry".into(), ..plain.clone() };
    assert_eq!(r.canonical(&m), plain);
    r.guidance_scale = 1.5;
    assert_eq!(r.canonical(&m).negative_prompt, "blurry");
}
