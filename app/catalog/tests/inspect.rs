//! What the catalog says of folders in the diffusers layout.

use fourstep_catalog::{Catalog, Location};
use fourstep_protocol::{Failure, FailureKind, Guidance, ModelInfo, ModelRef, Request, Sampler, Size};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// A folder as diffusers writes it, with the parts that decide.
struct Folder(TempDir);

impl Folder {
    fn new(pipeline: &str) -> Self {
        Self(tempfile::tempdir().expect("temporary folder"))
            .with("model_index.json", &json!({ "_class_name": pipeline }))
            .with("text_encoder/config.json", &json!({}))
            .with(
                "scheduler/scheduler_config.json",
                &json!({ "_class_name": "PNDMScheduler", "prediction_type": "epsilon" }),
            )
            .with(
                "vae/config.json",
                &json!({ "_class_name": "AutoencoderKL", "block_out_channels": [128, 256, 512, 512] }),
            )
            .unet(4, &json!(64), &Value::Null)
    }

    fn unet(self, in_channels: u32, sample_size: &Value, time_cond_proj_dim: &Value) -> Self {
        self.with(
            "unet/config.json",
            &json!({ "_class_name": "UNet2DConditionModel", "in_channels": in_channels, "sample_size": sample_size,
                     "time_cond_proj_dim": time_cond_proj_dim }),
        )
    }

    fn with(self, file: &str, json: &Value) -> Self {
        let path = self.0.path().join(file);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("create");
        std::fs::write(path, json.to_string()).expect("write");
        self
    }

    fn without(self, file: &str) -> Self {
        std::fs::remove_file(self.0.path().join(file)).expect("remove");
        self
    }

    fn inspect(&self) -> Result<ModelInfo, Failure> {
        Catalog::builtin().inspect(&ModelRef::new(self.0.path().to_string_lossy()))
    }

    fn info(&self) -> ModelInfo {
        let info = self.inspect().expect("supported");
        assert_eq!(Request::new(&info, "").validate(&info), Ok(()), "what is proposed is valid");
        info
    }

    fn refused(&self, word: &str) {
        let failure = self.inspect().expect_err("refused");
        assert_eq!(failure.kind, FailureKind::Input);
        assert!(failure.why.contains(word), "{failure}");
    }
}

#[test]
fn a_plain_model_paints_with_a_classic_sampler() {
    let folder = Folder::new("StableDiffusionPipeline");
    let info = folder.info();
    assert_eq!(info.guidance, Guidance::ClassifierFree);
    assert_eq!((info.live.sampler, info.live.steps, info.live.guidance_scale), (Sampler::DpmPp2mKarras, 20, 7.0));
    assert_eq!((info.native_size, info.compare.is_none()), (Size::new(512, 512), true));
    assert_eq!(Some(info.name.as_str()), folder.0.path().file_name().and_then(|n| n.to_str()));
    let without = Folder::new("StableDiffusionPipeline").without("scheduler/scheduler_config.json");
    assert_eq!(without.info().live, info.live);
}

#[test]
fn consistency_models_paint_in_four_steps() {
    let full = Folder::new("LatentConsistencyModelPipeline").unet(4, &json!(96), &json!(256)).info();
    assert_eq!(full.guidance, Guidance::Embedded { min: 3.0, max: 13.0 });
    assert_eq!((full.live.sampler, full.live.steps, full.live.guidance_scale), (Sampler::Lcm, 4, 8.0));
    assert_eq!(full.native_size, Size::new(768, 768));

    let merged = Folder::new("StableDiffusionPipeline")
        .with("scheduler/scheduler_config.json", &json!({ "_class_name": "LCMScheduler" }))
        .info();
    assert_eq!(merged.guidance, Guidance::ClassifierFree);
    assert_eq!((merged.live.sampler, merged.live.steps, merged.live.guidance_scale), (Sampler::Lcm, 4, 1.0));
}

#[test]
fn turbo_models_are_known_by_their_schedule() {
    let scheduler = |prediction: &str, zero_snr: bool| {
        json!({ "_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing",
                "prediction_type": prediction, "rescale_betas_zero_snr": zero_snr })
    };
    let folder = |json: Value| Folder::new("StableDiffusionXLPipeline").with("scheduler/scheduler_config.json", &json);
    let turbo = folder(scheduler("epsilon", false)).info();
    assert_eq!((turbo.guidance, turbo.live.steps), (Guidance::None, 4));
    assert!(turbo.detail.contains("SDXL"));
    assert_eq!(folder(scheduler("v_prediction", true)).info().guidance, Guidance::ClassifierFree);
}

#[test]
fn sizes_stay_within_what_is_accepted() {
    let size =
        |sample_size| Folder::new("StableDiffusionPipeline").unet(4, &sample_size, &Value::Null).info().native_size;
    assert_eq!(size(json!([64, 96])), Size::new(768, 512));
    assert_eq!(size(json!(2)), Size::new(64, 64));
    assert_eq!(size(json!(u32::MAX)), Size::new(4096, 4096));
    assert_eq!(size(Value::Null), Size::new(512, 512));
}

#[test]
fn other_kinds_of_models_are_named() {
    Folder::new("StableDiffusion3Pipeline").refused("StableDiffusion3Pipeline");
    Folder::new("FluxPipeline").refused("FluxPipeline");
    Folder::new("StableDiffusionPipeline").unet(9, &json!(64), &Value::Null).refused("inpainting");
    Folder::new("StableDiffusionPipeline").unet(8, &json!(64), &Value::Null).refused("instruction");
    Folder::new("StableDiffusionXLImg2ImgPipeline").without("text_encoder/config.json").refused("refiner");
    let other = json!({ "_class_name": "AutoencoderDC", "block_out_channels": [1, 1, 1, 1] });
    Folder::new("StableDiffusionPipeline").with("vae/config.json", &other).refused("AutoencoderDC");
    let shallow = json!({ "block_out_channels": [1, 1, 1] });
    Folder::new("StableDiffusionPipeline").with("vae/config.json", &shallow).refused("levels");
    let network = json!({ "_class_name": "UNet3DConditionModel", "in_channels": 4 });
    Folder::new("StableDiffusionPipeline").with("unet/config.json", &network).refused("UNet3DConditionModel");
}

#[test]
fn damaged_folders_name_the_file() {
    Folder::new("StableDiffusionPipeline").without("unet/config.json").refused("unet/config.json cannot be read");
    Folder::new("StableDiffusionPipeline").with("vae/config.json", &json!([])).refused("vae/config.json is damaged");
    Folder::new("StableDiffusionPipeline").with("model_index.json", &json!({})).refused("model_index.json is damaged");
}

#[test]
fn the_embedded_models_on_disk_agree_with_the_catalog() {
    let catalog = Catalog::builtin();
    for (id, folder) in [("sticker", "teacher"), ("sticker-lcm", "lcm")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/sticker").join(folder);
        let by_path = ModelRef::new(path.to_string_lossy());
        assert_eq!(catalog.locate(&by_path), Ok(Location::Directory(path)));
        let (listed, found) = (catalog.inspect(&ModelRef::new(id)), catalog.inspect(&by_path));
        let (listed, found) = (listed.expect("listed"), found.expect("found"));
        assert_eq!(listed.native_size, found.native_size, "{id}");
        assert_eq!(std::mem::discriminant(&listed.guidance), std::mem::discriminant(&found.guidance), "{id}");
    }
}
