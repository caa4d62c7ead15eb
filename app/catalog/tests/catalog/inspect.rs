//! What the catalog says models are and want.

use crate::support::{Diffusers, Machine};
use fourstep_catalog::{Catalog, LoraLocation};
use fourstep_protocol::{Failure, FailureKind, Family, Guidance, ModelInfo, ModelRef, Request, Sampler, Size};
use serde_json::json;
use std::path::Path;

fn reference(path: &Path) -> ModelRef {
    ModelRef::new(path.to_string_lossy())
}

fn inspect(machine: &Machine, folder: &Diffusers) -> Result<ModelInfo, Failure> {
    machine.catalog().inspect(&reference(&folder.path))
}

fn info(machine: &Machine, folder: &Diffusers) -> ModelInfo {
    let info = inspect(machine, folder).expect("supported");
    assert_eq!(Request::new(&info, "").validate(&info), Ok(()), "what is proposed is valid");
    info
}

#[test]
fn a_plain_model_paints_slowly_and_says_which_lora_would_make_it_quick() {
    let machine = Machine::new();
    let info = info(&machine, &Diffusers::new(machine.path("photo"), "StableDiffusionPipeline"));
    assert_eq!((info.name.as_str(), info.family, info.native_size), ("photo", Family::Sd15, Size::new(512, 512)));
    assert_eq!(info.guidance, Guidance::ClassifierFree);
    assert_eq!((info.live.sampler, info.live.steps, info.live.guidance_scale), (Sampler::DpmPp2mKarras, 25, 7.0));
    assert_eq!(info.compare, Some(info.live.clone()));
    let few_step = info.few_step.expect("a listed LoRA");
    assert_eq!((few_step.sampler, few_step.steps, few_step.guidance_scale), (Sampler::Lcm, 4, 1.0));
    assert_eq!((few_step.loras[0].source.as_str(), few_step.loras[0].weight), ("lcm-lora-sdv1-5", 1.0));
}

#[test]
fn with_its_lcm_lora_in_the_cache_a_plain_model_paints_live() {
    for (width, layers, id) in
        [(768, 16, "lcm-lora-sdv1-5"), (2048, 70, "lcm-lora-sdxl"), (2048, 34, "lcm-lora-ssd-1b")]
    {
        let machine = Machine::new();
        machine.download(id);
        let folder = match width {
            768 => Diffusers::new(machine.path("photo"), "StableDiffusionPipeline"),
            _ => Diffusers::sdxl(machine.path("photo"), layers),
        };
        let info = info(&machine, &folder);
        assert_eq!((info.live.sampler, info.live.loras[0].source.as_str()), (Sampler::Lcm, id));
        assert_eq!((info.few_step.as_ref(), info.detail.as_str()), (Some(&info.live), "LCM-LoRA"));
        let slow = info.compare.as_ref().expect("the slow side");
        assert_eq!((slow.sampler, slow.steps, slow.loras.len()), (Sampler::DpmPp2mKarras, 25, 0));
        assert_eq!(info.native_size, if width == 768 { Size::new(512, 512) } else { Size::new(1024, 1024) });
    }
}

#[test]
fn models_that_know_few_steps_need_no_lora() {
    let machine = Machine::new();
    let full = Diffusers::new(machine.path("full"), "LatentConsistencyModelPipeline")
        .json("unet/config.json", &json!({ "in_channels": 4, "sample_size": 96, "time_cond_proj_dim": 256 }))
        .unet(768, 16, &["time_embedding.cond_proj.weight"]);
    let full = info(&machine, &full);
    assert_eq!((full.guidance, full.native_size), (Guidance::Embedded { min: 3.0, max: 13.0 }, Size::new(768, 768)));
    assert_eq!((full.live.sampler, full.live.steps, full.live.guidance_scale), (Sampler::Lcm, 4, 8.0));
    assert_eq!((&full.compare, &full.few_step), (&None, &None));

    let merged = Diffusers::new(machine.path("merged"), "StableDiffusionPipeline")
        .json("scheduler/scheduler_config.json", &json!({ "_class_name": "LCMScheduler" }));
    let merged = info(&machine, &merged);
    assert_eq!((merged.live.sampler, merged.live.steps, merged.live.guidance_scale), (Sampler::Lcm, 4, 1.0));

    let turbo = Diffusers::sdxl(machine.path("turbo"), 70).json(
        "scheduler/scheduler_config.json",
        &json!({ "_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing" }),
    );
    let turbo = info(&machine, &turbo);
    assert_eq!((turbo.guidance, turbo.live.sampler, turbo.detail.as_str()), (Guidance::None, Sampler::EulerA, "Turbo"));
}

#[test]
fn sizes_stay_within_what_is_accepted() {
    let machine = Machine::new();
    for (side, size) in [(json!([64, 96]), (768, 512)), (json!(2), (64, 64)), (json!(1000), (4096, 4096))] {
        let folder = Diffusers::new(machine.path("m"), "StableDiffusionPipeline")
            .json("unet/config.json", &json!({ "in_channels": 4, "sample_size": side }));
        let (width, height) = size;
        assert_eq!(info(&machine, &folder).native_size, Size::new(width, height), "{side}");
    }
}

#[test]
fn what_cannot_be_painted_with_is_named() {
    let machine = Machine::new();
    let refused = |folder: &Diffusers, word: &str| {
        let failure = inspect(&machine, folder).expect_err("refused");
        assert_eq!(failure.kind, FailureKind::Input);
        assert!(failure.to_string().contains(word), "{failure}");
    };
    let plain = || Diffusers::new(machine.path("m"), "StableDiffusionPipeline");
    refused(&Diffusers::new(machine.path("m"), "FluxPipeline"), "FluxPipeline");
    refused(&plain().json("unet/config.json", &json!({ "in_channels": 9 })), "inpainting");
    refused(&plain().json("vae/config.json", &json!([1])).without("unet/config.json"), "unet/config.json");
    refused(&plain().without("unet/diffusion_pytorch_model.safetensors"), "unet");
}

#[test]
fn names_that_are_no_model_say_what_to_do() {
    let machine = Machine::new();
    let catalog = machine.catalog();
    machine.write("model.ckpt", "PK");
    for (name, word) in [
        (machine.path("nowhere").to_string_lossy().into_owned(), "fourstep models list"),
        (machine.path("").to_string_lossy().into_owned(), "model_index.json"),
        (machine.path("model.ckpt").to_string_lossy().into_owned(), "run any code"),
        ("taesd".to_owned(), "tiny decoder"),
        ("dreamshaper-8".to_owned(), "fourstep models download dreamshaper-8"),
        ("lcm-sdxl".to_owned(), "fourstep models download lcm-sdxl"),
    ] {
        let model = ModelRef::new(name);
        let failure = catalog.locate(&model).expect_err("refused");
        assert_eq!(failure.kind, FailureKind::Input);
        assert!(failure.to_string().contains(word), "{failure}");
        assert_eq!(catalog.inspect(&model).expect_err("refused"), failure);
    }
}

#[test]
fn loras_are_safetensors_files() {
    let machine = Machine::new();
    let catalog = machine.catalog();
    machine.write("style.safetensors", "");
    machine.write("style.pt", "");
    let locate = |name: &str| catalog.locate_lora(&machine.path(name).to_string_lossy());
    assert_eq!(locate("style.safetensors"), Ok(LoraLocation::File(machine.path("style.safetensors"))));
    for (name, word) in [("style.pt", "run any code"), ("absent.safetensors", "neither"), (".", "is a folder")] {
        let failure = locate(name).expect_err("refused");
        assert!(failure.to_string().contains(word), "{failure}");
    }
}

#[test]
fn a_network_on_its_own_is_put_into_its_base() {
    let machine = Machine::new();
    machine.download("lcm-sdxl");
    let location = machine.catalog().locate(&ModelRef::new("lcm-sdxl")).expect("downloaded");
    assert_eq!(location.unet, Some(machine.snapshot("latent-consistency/lcm-sdxl")));
    assert_eq!(location.vae, Some(machine.snapshot("madebyollin/sdxl-vae-fp16-fix")));
    let source = format!("{:?}", location.source);
    assert!(source.contains("models--stabilityai--stable-diffusion-xl-base-1.0"), "{source}");
    let info = machine.catalog().inspect(&ModelRef::new("lcm-sdxl")).expect("known");
    assert_eq!((info.family, info.native_size), (Family::Sdxl, Size::new(1024, 1024)));
    let decoder = machine.catalog().tiny_decoder(&info);
    assert_eq!(decoder, Some(machine.snapshot("madebyollin/taesdxl")));
}

#[test]
fn the_embedded_models_on_disk_agree_with_the_catalog() {
    let catalog = Catalog::builtin();
    for (id, folder) in [("sticker", "teacher"), ("sticker-lcm", "lcm")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sticker").join(folder);
        let (listed, found) = (catalog.inspect(&ModelRef::new(id)), catalog.inspect(&reference(&path)));
        let (listed, found) = (listed.expect("listed"), found.expect("found"));
        assert_eq!((listed.native_size, listed.family), (found.native_size, found.family), "{id}");
        assert_eq!(std::mem::discriminant(&listed.guidance), std::mem::discriminant(&found.guidance), "{id}");
    }
}

#[test]
fn an_entry_that_says_no_more_is_what_its_own_unet_is() {
    let machine = Machine::new();
    let base = Diffusers::sdxl(machine.path("base"), 70);
    let keys = ["add_embedding.linear_1.weight", "time_embedding.cond_proj.weight"];
    let lcm = Diffusers::sdxl(machine.path("lcm"), 70).unet(2048, 70, &keys);
    let entry = format!(
        "[[model]]\nid = \"mine\"\nname = \"Mine\"\nbase = {:?}\nsource = {{ path = {:?} }}\n",
        base.path,
        lcm.path.join("unet")
    );
    machine.write("config/models.toml", &entry);
    let info = machine.catalog().inspect(&ModelRef::new("mine")).expect("known");
    assert_eq!((info.family, info.detail.as_str()), (Family::Sdxl, "full LCM"));
}
