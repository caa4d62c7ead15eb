//! A folder in the diffusers layout.

use super::{Identity, ModelFiles, Network, NetworkClass, TextEncoder, Tokenizer, identity, refusal, schedule};
use crate::{Checkpoint, Fault, Part, Result, Storage, VARIANTS};
use serde_json::Value;
use std::sync::Arc;

const INDEX: &str = "model_index.json";
const SCHEDULER: &str = "scheduler/scheduler_config.json";
/// Of the autoencoder: a latent is 8 px wide.
const LEVELS: usize = 4;
/// Sides of a picture in px, where the configuration is silent.
const DEFAULT_PX: [u32; 2] = [512, 512];

pub(super) fn open(storage: &Storage) -> Result<ModelFiles> {
    let index: Value = storage.json(INDEX)?;
    let xl = is_xl(storage, &index)?;
    let unet = network(storage, "unet", NetworkClass::UNet)?;
    check_unet(&unet.config).map_err(|fault| fault.of(storage.describe("unet")))?;
    let scheduler = match storage.exists(SCHEDULER) {
        true => storage.json(SCHEDULER)?,
        false => schedule::standard(identity::Prediction::Epsilon),
    };
    Ok(ModelFiles {
        identity: Identity {
            family: identity::family(&unet),
            few_step: identity::FewStep::of_folder(&unet, &scheduler),
            prediction: identity::Prediction::of(&scheduler),
            native_size: identity::sample_px(&unet.config).unwrap_or(DEFAULT_PX),
            title: None,
        },
        vae: class(&index, "vae").map(|class| vae(storage, class)).transpose()?,
        text_encoders: text_encoders(storage, &index)?,
        zero_empty_negative: xl && index["force_zeros_for_empty_prompt"].as_bool().unwrap_or(true),
        scheduler,
        unet,
    })
}

/// The class of a part of the pipeline; `None` where it has no such part.
fn class<'a>(index: &'a Value, part: &str) -> Option<&'a str> {
    index[part].get(1)?.as_str()
}

/// Whether the pipeline is of SDXL's form; an error where it is of a kind that is not painted with.
fn is_xl(storage: &Storage, index: &Value) -> Result<bool> {
    let refuse = |what: String| Err(Fault::OtherModel(what).of(storage.describe("")));
    match index["_class_name"].as_str() {
        Some(
            "StableDiffusionPipeline"
            | "StableDiffusionImg2ImgPipeline"
            | "LatentConsistencyModelPipeline"
            | "LatentConsistencyModelImg2ImgPipeline",
        ) => Ok(false),
        // SDXL's refiner has the second encoder only, and continues pictures instead of starting them.
        Some("StableDiffusionXLPipeline" | "StableDiffusionXLImg2ImgPipeline") => match class(index, "text_encoder") {
            Some(_) => Ok(true),
            None => refuse("the SDXL refiner (it has only the second text encoder)".into()),
        },
        Some(other) => refuse(format!("a model for diffusers' {other}")),
        None => refuse(format!("a folder whose {INDEX} names no pipeline")),
    }
}

fn check_unet(config: &Value) -> Result<(), Fault> {
    if let Some(class) = config["_class_name"].as_str().filter(|class| *class != "UNet2DConditionModel") {
        return Err(Fault::OtherModel(format!("a {class}")));
    }
    identity::check_channels(config["in_channels"].as_u64().unwrap_or(4))
}

/// A part of the pipeline with its configuration.
fn network(storage: &Storage, folder: &str, class: NetworkClass) -> Result<Network> {
    let config = storage.json(&format!("{folder}/config.json"))?;
    let weights = Checkpoint::open(storage, folder, VARIANTS)?;
    refusal::check_formats(&weights).map_err(|fault| fault.of(storage.describe(folder)))?;
    Ok(Network { class, config, weights: Arc::new(weights) })
}

fn vae(storage: &Storage, class: &str) -> Result<Network> {
    let class = match class {
        "AutoencoderKL" => NetworkClass::AutoencoderKl,
        "AutoencoderTiny" => NetworkClass::AutoencoderTiny,
        other => return Err(Fault::OtherModel(format!("a {other}")).of(storage.describe("vae"))),
    };
    let network = network(storage, "vae", class)?;
    match network.config["block_out_channels"].as_array().map(Vec::len) {
        None | Some(LEVELS) => Ok(network),
        Some(levels) => {
            let what = format!("an autoencoder of {levels} levels, where 4 make 8 px of a latent");
            Err(Fault::OtherModel(what).of(storage.describe("vae")))
        }
    }
}

fn text_encoders(storage: &Storage, index: &Value) -> Result<Vec<TextEncoder>> {
    let parts = [("", Part::TextEncoder1), ("_2", Part::TextEncoder2)];
    let present = parts.into_iter().filter(|(ending, _)| class(index, &format!("text_encoder{ending}")).is_some());
    let open = |(ending, part): (&str, Part)| {
        let network = network(storage, &format!("text_encoder{ending}"), NetworkClass::ClipText)?;
        let tokenizer = Tokenizer::Files(storage.clone(), format!("tokenizer{ending}"));
        Ok(TextEncoder { part, network, tokenizer })
    };
    present.map(open).collect()
}
