use super::*;
use fourstep_protocol::Origin;

/// The sticker model with its LoRA, and nothing else.
fn restore(text: &str, request: &mut Request) -> Vec<Lost> {
    restore_with(text, request, &[], &|_| None)
}

fn restore_with(
    text: &str,
    request: &mut Request,
    items: &[LibraryItem],
    hash: &dyn Fn(&str) -> Option<String>,
) -> Vec<Lost> {
    let before = request.clone();
    let models = [before.model.clone()];
    let here = Here { request: &before, models: &models, items, hash };
    Infotext::parse(text).apply(request, &here)
}

fn item(kind: ItemKind, id: &str, availability: Availability) -> LibraryItem {
    LibraryItem {
        id: id.into(),
        name: file_stem(id).into(),
        kind,
        family: None,
        detail: String::new(),
        licence: None,
        size_bytes: None,
        origin: Origin::BuiltIn,
        availability,
        model: None,
        lora: None,
    }
}

fn base() -> Request {
    let json = r#"{"model": "sticker", "loras": [{"source": "/loras/lcm.safetensors", "weight": 1.0}], "prompt": "old",
        "negative_prompt": "old", "seed": 1, "size": {"width": 128, "height": 128}, "sampler": "lcm", "steps": 4,
        "guidance_scale": 1.0}"#;
    serde_json::from_str(json).expect("a request")
}

#[test]
fn a_request_comes_back_whole_from_its_own_infotext() {
    let mut saved = base();
    saved.prompt = "a blue apple, (shiny:1.2)\non a table".into();
    saved.negative_prompt = "blurry: very".into();
    saved.seed = u64::MAX;
    saved.guidance_scale = 1.3;
    saved.loras[0].weight = 0.75;
    for noise in [Noise::Torch, Noise::Philox] {
        saved.noise = noise;
        let mut restored = base();
        let lost = restore(&Infotext::of(&saved, &|_| None).to_string(), &mut restored);
        assert_eq!((restored, lost), (saved.clone(), vec![]));
    }
}

#[test]
fn a_picture_of_automatic1111_gives_what_it_can() {
    let text = "masterpiece, <lora:add_detail:0.6> portrait of a fox <lora:lcm:0.9>\nNegative prompt: lowres\n\
        Steps: 6, Sampler: LCM, Schedule type: Automatic, CFG scale: 1.5, Seed: 1234567890, Size: 512x768, \
        Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Clip skip: 2, Lora hashes: \"lcm: aa, add_detail: bb\", \
        Version: v1.9.4";
    let mut r = base();
    let lost = restore(text, &mut r);
    assert_eq!(r.prompt, "masterpiece, portrait of a fox");
    assert_eq!(r.loras, [LoraRef { source: "/loras/lcm.safetensors".into(), weight: 0.9 }]);
    assert_eq!((r.seed, r.noise, r.steps), (1_234_567_890, Noise::Philox, 6));
    assert_eq!(r.size, Size::new(512, 768));
    assert_eq!(r.model, ModelRef::new("sticker"));
    let gone = |name: &str| name.to_owned();
    let expected = [
        Lost::Model { name: gone("v1-5-pruned-emaonly"), can_download: false },
        Lost::Lora { name: gone("add_detail"), can_download: false },
        Lost::Setting { key: gone("Clip skip"), value: gone("2") },
    ];
    assert_eq!(lost, expected);
}

#[test]
fn a_classic_sampler_drops_the_lcm_lora_and_karras_is_found_in_its_own_field() {
    let mut r = base();
    let text = "x\nSteps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 3, Size: 512x512";
    assert_eq!(restore(text, &mut r), vec![]);
    assert_eq!((r.sampler, r.steps, r.loras.len()), (Sampler::DpmPp2mKarras, 25, 0));
}

#[test]
fn what_cannot_be_painted_is_said_and_never_applied() {
    let mut r = base();
    let text = "x\nSteps: 30, Sampler: DPM++ SDE, CFG scale: nan, Seed: -1, Size: 100x100, Denoising strength: 0.4";
    let lost = restore(text, &mut r);
    assert_eq!(lost.len(), 6, "{lost:?}");
    let prompts = Request { prompt: "x".into(), negative_prompt: String::new(), ..base() };
    assert_eq!(Request { steps: 8, noise: Noise::Philox, ..prompts }, r);
}

#[test]
fn models_and_loras_are_found_by_name_and_told_apart_by_their_contents() {
    let items = [
        item(ItemKind::Model, "/comfy/checkpoints/DreamShaper_8.safetensors", Availability::Ready),
        item(ItemKind::Model, "dreamshaper-xl", Availability::Absent { have_bytes: 0 }),
        item(ItemKind::Vae, "/comfy/vae/mse.safetensors", Availability::Ready),
        item(ItemKind::Lora, "/a/ink.safetensors", Availability::Ready),
        item(ItemKind::Lora, "/b/ink.safetensors", Availability::Ready),
        item(ItemKind::Lora, "lcm-lora-sdv1-5", Availability::Absent { have_bytes: 0 }),
    ];
    let hash = |source: &str| Some(if source.starts_with("/a") { "a".repeat(64) } else { "b".repeat(64) });
    let text = |model: &str, ink: &str| {
        format!(
            "fox <lora:ink:0.5> <lora:lcm-lora-sdv1-5:1>\nSteps: 4, Sampler: LCM, CFG scale: 1, Seed: 1, Size: 512x512, \
             Model: {model}, VAE: mse.safetensors, Lora hashes: \"ink: {ink}\""
        )
    };
    let mut r = base();
    let missing = Lost::Lora { name: "lcm-lora-sdv1-5".into(), can_download: true };
    let lost = restore_with(&text("dreamshaper_8", "bbbbbbbbbbbb"), &mut r, &items, &hash);
    assert_eq!(lost, std::slice::from_ref(&missing));
    assert_eq!(r.model.as_str(), "/comfy/checkpoints/DreamShaper_8.safetensors");
    assert_eq!(r.loras, [LoraRef { source: "/b/ink.safetensors".into(), weight: 0.5 }]);
    assert_eq!(r.vae.as_deref(), Some("/comfy/vae/mse.safetensors"));
    let mut r = base();
    let lost = restore_with(&text("dreamshaper-xl", "cccccccccccc"), &mut r, &items, &hash);
    let model = Lost::Model { name: "dreamshaper-xl".into(), can_download: true };
    assert_eq!(lost, [model, Lost::OtherLora { name: "ink".into() }, missing]);
    assert_eq!(r.loras[0].source, "/a/ink.safetensors");
}

#[test]
fn our_own_pictures_lose_only_what_is_not_here() {
    let opened = |request: Request| Opened {
        picture: fourstep_protocol::Picture::new(1, 1, vec![0; 3]).expect("a pixel"),
        request: Some(request),
        infotext: None,
    };
    let before = base();
    let items = [item(ItemKind::Lora, "/new/place/ink.safetensors", Availability::Ready)];
    let models = [before.model.clone()];
    let here = Here { request: &before, models: &models, items: &items, hash: &|_| None };
    let lora = |source: &str| LoraRef { source: source.into(), weight: 0.5 };
    let saved = Request { loras: vec![lora("/old/ink.safetensors"), lora("paper")], seed: 9, ..base() };
    let restored = opened(saved.clone()).restore(&here).expect("settings");
    assert_eq!(restored.request, Request { loras: vec![lora("/new/place/ink.safetensors")], ..saved.clone() });
    assert_eq!(restored.lost, [Lost::Lora { name: "paper".into(), can_download: false }]);
    let restored = opened(Request { model: ModelRef::new("/m/dream.safetensors"), ..saved }).restore(&here);
    let restored = restored.expect("settings");
    assert_eq!((restored.request.model, restored.request.loras), (before.model.clone(), before.loras.clone()));
    assert_eq!(restored.lost, [Lost::Model { name: "dream".into(), can_download: false }]);
}
