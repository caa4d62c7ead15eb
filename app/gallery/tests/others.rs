//! Pictures of other programs, made by `tests/golden/pictures/make.py`.

use fourstep_gallery::{Here, Restored, open};
use fourstep_protocol::{
    Availability, ItemKind, LibraryItem, LoraRef, Lost, ModelRef, Noise, Origin, Request, Sampler, Size,
};
use std::path::Path;

const DREAM: &str = "/comfy/checkpoints/dreamshaper_8.safetensors";
const INK: &str = "/comfy/loras/ink.safetensors";

#[test]
fn a_picture_of_automatic1111_in_each_format() {
    for name in ["a1111.png", "a1111.jpg"] {
        let Restored { request, lost } = restore(name);
        assert_eq!(request.prompt, "masterpiece, (portrait:1.2) of a red fox", "{name}");
        assert_eq!((request.negative_prompt.as_str(), request.model.as_str()), ("lowres, blurry", DREAM));
        assert_eq!((request.sampler, request.steps, request.guidance_scale), (Sampler::Lcm, 6, 1.5));
        assert_eq!((request.seed, request.noise), (1_234_567_890, Noise::Philox));
        assert_eq!(request.size, Size::new(64, 96));
        assert_eq!(request.loras, [LoraRef { source: INK.into(), weight: 0.6 }]);
        let expected = [
            Lost::OtherLora { name: "ink".into() },
            Lost::Lora { name: "lcm-lora-sdv1-5".into(), can_download: true },
            Lost::Setting { key: "Clip skip".into(), value: "2".into() },
        ];
        assert_eq!(lost, expected, "{name}");
    }
    let Restored { request, lost } = restore("a1111.webp");
    assert_eq!((request.prompt.as_str(), request.negative_prompt.as_str()), ("一隻紅色的狐狸", "模糊"));
    assert_eq!((request.sampler, request.steps, request.seed), (Sampler::DpmPp2mKarras, 30, 42));
    assert_eq!((request.model.as_str(), lost), ("sticker", vec![]));
}

#[test]
fn a_picture_of_comfyui() {
    let Restored { request, lost } = restore("comfyui.png");
    assert_eq!(request.prompt, "a glass bottle with a galaxy in it");
    assert_eq!((request.negative_prompt.as_str(), request.model.as_str()), ("text, watermark", DREAM));
    assert_eq!((request.sampler, request.steps, request.guidance_scale), (Sampler::DpmPp2mKarras, 25, 8.0));
    assert_eq!((request.seed, request.noise), (156_680_208_700_286, Noise::Torch));
    assert_eq!(request.size, Size::new(64, 96));
    assert_eq!(request.loras, [LoraRef { source: INK.into(), weight: 0.7 }]);
    assert_eq!(lost, []);
    let Restored { request, lost } = restore("comfyui_drawn.png");
    assert_eq!((request.prompt.as_str(), request.model.as_str()), ("a boat", "sticker"));
    assert_eq!((request.sampler, request.steps, request.seed), (Sampler::Lcm, 4, 9));
    assert_eq!((request.size, lost), (Size::new(128, 64), vec![]));
}

fn restore(name: &str) -> Restored {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pictures").join(name);
    let json = r#"{"model": "sticker", "prompt": "old", "negative_prompt": "old", "seed": 1,
        "size": {"width": 128, "height": 128}, "sampler": "lcm", "steps": 4, "guidance_scale": 1.0}"#;
    let request: Request = serde_json::from_str(json).expect("a request");
    let items = [
        item(ItemKind::Model, "sticker", Availability::Ready),
        item(ItemKind::Model, DREAM, Availability::Ready),
        item(ItemKind::Lora, INK, Availability::Ready),
        item(ItemKind::Lora, "lcm-lora-sdv1-5", Availability::Absent { have_bytes: 0 }),
    ];
    // Not what the picture was painted with.
    let hash = |_: &str| Some("f".repeat(64));
    let here = Here { request: &request, models: &[ModelRef::new("sticker")], items: &items, hash: &hash };
    open(&path).expect("a picture").restore(&here).expect("settings")
}

fn item(kind: ItemKind, id: &str, availability: Availability) -> LibraryItem {
    LibraryItem {
        id: id.into(),
        name: id.rsplit('/').next().unwrap_or(id).trim_end_matches(".safetensors").into(),
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
