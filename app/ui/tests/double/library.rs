//! A library as somebody may have it: models, LoRAs and VAEs in every state.

use super::{Look, Window};
use egui::Key;
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::Queryable;
use fourstep_protocol::{
    Availability, DownloadPhase, DownloadProgress, Failure, Family, Guidance, ItemKind, LibraryItem, LoraInfo, LoraRef,
    ModelInfo, ModelRef, Origin, Recipe, Sampler, Size,
};

pub(crate) fn item(id: &str, name: &str, kind: ItemKind, family: Family, size_bytes: u64) -> LibraryItem {
    LibraryItem {
        id: id.into(),
        name: name.into(),
        kind,
        family: Some(family),
        detail: String::new(),
        licence: None,
        size_bytes: Some(size_bytes),
        origin: Origin::Hub { repo: id.into() },
        availability: Availability::Absent { have_bytes: 0 },
        model: None,
        lora: None,
    }
}

/// A checkpoint that paints in 25 steps, and in four with an LCM-LoRA.
pub(crate) fn dream() -> LibraryItem {
    let few_step = Recipe {
        loras: vec![LoraRef { source: "lcm-lora-sdv1-5".into(), weight: 1.0 }],
        sampler: Sampler::Lcm,
        steps: 4,
        guidance_scale: 1.0,
    };
    let model = ModelInfo {
        model: ModelRef::new("dreamshaper-8"),
        name: "DreamShaper 8".into(),
        detail: "checkpoint".into(),
        family: Family::Sd15,
        guidance: Guidance::ClassifierFree,
        native_size: Size::new(512, 512),
        live: Recipe { loras: vec![], sampler: Sampler::DpmPp2mKarras, steps: 25, guidance_scale: 7.0 },
        compare: None,
        few_step: Some(few_step),
    };
    LibraryItem {
        detail: model.detail.clone(),
        licence: Some("creativeml-openrail-m".into()),
        origin: Origin::Cache { repo: "Lykon/dreamshaper-8".into() },
        availability: Availability::Ready,
        model: Some(model),
        ..item("dreamshaper-8", "DreamShaper 8", ItemKind::Model, Family::Sd15, 2_130_000_000)
    }
}

pub(crate) fn lora(id: &str, name: &str, family: Family, words: &[&str]) -> LibraryItem {
    let info = LoraInfo {
        source: id.into(),
        name: name.into(),
        family: Some(family),
        few_step: id.contains("lcm"),
        trigger_words: words.iter().map(|word| (*word).to_owned()).collect(),
        modules: 264,
        unread: vec![],
        size_bytes: 151_000_000,
    };
    LibraryItem {
        origin: Origin::ComfyUi("/home/me/ComfyUI/models/loras/x.safetensors".into()),
        availability: Availability::Ready,
        lora: Some(info),
        ..item(id, name, ItemKind::Lora, family, 151_000_000)
    }
}

/// The LCM-LoRA of SD1.5, as it is `availability`.
pub(crate) fn lcm(availability: Availability) -> LibraryItem {
    let origin = Origin::Hub { repo: "latent-consistency/lcm-lora-sdv1-5".into() };
    let here = LibraryItem { origin, ..lora("lcm-lora-sdv1-5", "LCM-LoRA SD1.5", Family::Sd15, &[]) };
    let info = here.lora.clone().filter(|_| availability == Availability::Ready);
    LibraryItem { detail: "LCM-LoRA".into(), size_bytes: Some(134_600_000), availability, lora: info, ..here }
}

pub(crate) fn transferring() -> Availability {
    Availability::Downloading(DownloadProgress {
        file: "unet/diffusion_pytorch_model.safetensors".into(),
        done_bytes: 1_210_000_000,
        total_bytes: 3_440_000_000,
        bytes_per_sec: 11_200_000.0,
        phase: DownloadPhase::Transferring,
    })
}

/// Models in every state.
pub(crate) fn mixed() -> Vec<LibraryItem> {
    let model = |id: &str, name: &str, family, size| item(id, name, ItemKind::Model, family, size);
    let mut sticker = model("sticker", "Sticker", Family::Custom, 5_200_000);
    sticker.origin = Origin::BuiltIn;
    sticker.availability = Availability::Ready;
    sticker.detail = "teacher with LCM-LoRA".into();
    sticker.licence = Some("CC0-1.0".into());
    let mut full = model("lcm-dreamshaper-v7", "LCM Dreamshaper v7", Family::Sd15, 3_440_000_000);
    full.detail = "full LCM".into();
    full.licence = Some("MIT".into());
    full.origin = Origin::Hub { repo: "SimianLuo/LCM_Dreamshaper_v7".into() };
    full.availability = transferring();
    let mut turbo = model("sdxl-turbo", "SDXL Turbo", Family::Sdxl, 6_940_000_000);
    turbo.detail = "turbo, 1–4 steps".into();
    turbo.licence = Some("sai-nc-community".into());
    turbo.origin = Origin::Hub { repo: "stabilityai/sdxl-turbo".into() };
    let mut sdxl = model("sdxl-base", "Stable Diffusion XL", Family::Sdxl, 6_940_000_000);
    sdxl.detail = "checkpoint".into();
    sdxl.origin = Origin::Hub { repo: "stabilityai/stable-diffusion-xl-base-1.0".into() };
    sdxl.availability = Availability::Failed(Failure::machine(
        "Stable Diffusion XL could not be downloaded",
        "the disk has 2.1 GB left and 6.9 GB are needed",
        "Free some space and download again; what arrived is kept.",
    ));
    let mut flux = model("/home/me/ComfyUI/models/checkpoints/flux1-dev.safetensors", "flux1-dev", Family::Sdxl, 0);
    flux.family = None;
    flux.size_bytes = Some(23_800_000_000);
    flux.origin = Origin::ComfyUi("/home/me/ComfyUI/models/checkpoints/flux1-dev.safetensors".into());
    flux.availability = Availability::Unusable(Failure::input(
        "flux1-dev cannot be painted with",
        "it is a Flux model, and Fourstep paints with Stable Diffusion 1.5, 2 and XL",
        "Choose another model.",
    ));
    let mut ssd = model("ssd-1b", "SSD-1B", Family::Ssd1b, 4_500_000_000);
    ssd.detail = "distilled SDXL".into();
    ssd.licence = Some("Apache-2.0".into());
    ssd.availability = Availability::Absent { have_bytes: 1_100_000_000 };
    ssd.origin = Origin::Hub { repo: "segmind/SSD-1B".into() };
    let absent = Availability::Absent { have_bytes: 0 };
    let loras = [
        lcm(absent),
        lora("/loras/ink.safetensors", "Ink sketch", Family::Sd15, &["inkpen", "cross-hatching", "paper"]),
        lora("/loras/pixel.safetensors", "Pixel art XL", Family::Sdxl, &["pixel art"]),
    ];
    [sticker, dream(), full, turbo, sdxl, flux, ssd].into_iter().chain(loras).collect()
}

pub(crate) const SMALL: Look = Look { width: 900.0, height: 600.0, prompt: "a cat", ..Look::DEFAULT };

pub(crate) fn snapshot(window: &mut Window, name: &str) {
    let options = SnapshotOptions::default().threshold(1.2).max_failed_pixels(600);
    window.harness.snapshot_options(name, &options);
}

/// A window that has painted, with this library.
pub(crate) fn with(look: Look, items: Vec<LibraryItem>) -> Window {
    let mut window = Window::with(look);
    window.library(items);
    window.finish();
    window.pass(1.0);
    window.harness.key_press(Key::Escape);
    window.pass(0.05);
    window
}

pub(crate) fn click(window: &mut Window, name: &str) {
    window.harness.get_by_label(name).click();
    window.pass(0.05);
}

pub(crate) fn press(window: &mut Window, key: Key) {
    window.harness.key_press(key);
    window.pass(0.05);
}
