//! A single-file checkpoint, in the names of ldm (Stable Diffusion), sgm (SDXL) or diffusers.

use super::{
    FewStep, Identity, ModelFiles, Network, Prediction, TextEncoder, Tokenizer, identity,
    naming::{self, FoundText},
    pooled_width, refusal, schedule,
};
use crate::{Checkpoint, Fault, KeyedSource, Part, Result};
use fourstep_protocol::Family;
use std::{path::Path, sync::Arc};

/// Where SDXL's two text encoders lie, in their order, and the one of all others.
const XL_TEXT: [(&[&str], Part); 2] =
    [(&["conditioner.embedders.0."], Part::TextEncoder1), (&["conditioner.embedders.1."], Part::TextEncoder2)];
const TEXT: &[&str] = &["cond_stage_model.", "conditioner.embedders.0."];
/// The first embedder of SDXL's refiner, which lacks the other text encoder.
const REFINER: &str = "conditioner.embedders.0.model.token_embedding.weight";

pub(super) fn open(path: &Path) -> Result<ModelFiles> {
    let name = path.display().to_string();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let file = Arc::new(Checkpoint::open_file(path)?);
    read(&file, &stem).map_err(|fault| fault.of(name))
}

fn read(file: &Arc<Checkpoint>, stem: &str) -> Result<ModelFiles, Fault> {
    if let Some(other) = refusal::other_kind(file) {
        return Err(other);
    }
    if !refusal::has_unet(file) {
        return Err(refusal::without_unet(file));
    }
    refusal::check_formats(file)?;
    let source: Arc<dyn KeyedSource> = file.clone();
    let xl = source
        .keys()
        .any(|key| key.ends_with("label_emb.0.0.weight") || key.ends_with("add_embedding.linear_1.weight"));
    if xl && source.contains(REFINER) {
        return Err(Fault::OtherModel("the SDXL refiner (it has only the second text encoder)".into()));
    }
    let text_encoders = text_encoders(&source, xl)?;
    let unet = naming::unet(&source, pooled_width(&text_encoders));
    let mut unet = unet.unwrap_or_else(|| Err(refusal::without_unet(file)))?;
    let identity = identify(file, &unet, xl, stem)?;
    if let Some(config) = unet.config.as_object_mut() {
        config.insert("sample_size".into(), identity::sample_size(identity.native_size));
    }
    let vae = naming::autoencoder(&source).transpose()?.map(|vae| vae.for_latents_of(&*unet.weights));
    let scheduler = schedule::of_file(identity.prediction, file.mentions("ztsnr"));
    Ok(ModelFiles { identity, unet, vae, text_encoders, scheduler, zero_empty_negative: xl })
}

fn text_encoders(file: &Arc<dyn KeyedSource>, xl: bool) -> Result<Vec<TextEncoder>, Fault> {
    let encoder = |FoundText { network, open_clip }, part| TextEncoder {
        part,
        network,
        tokenizer: Tokenizer::Clip { pad_with_zero: open_clip },
    };
    if !xl {
        let found = naming::text_encoder(file, TEXT, true).transpose()?;
        return Ok(found.map(|found| encoder(found, Part::TextEncoder1)).into_iter().collect());
    }
    let mut encoders = Vec::new();
    for (prefixes, part) in XL_TEXT {
        if let Some(found) = naming::text_encoder(file, prefixes, false) {
            encoders.push(encoder(found?, part));
        }
    }
    // One of two is of no use: what it says is half as wide as what the network reads.
    if encoders.len() < XL_TEXT.len() {
        encoders.clear();
    }
    Ok(encoders)
}

fn identify(file: &Checkpoint, unet: &Network, xl: bool, stem: &str) -> Result<Identity, Fault> {
    let family = identity::family(unet);
    let title = file.metadata().get("modelspec.title").cloned();
    let few_step = FewStep::of_file(unet, title.as_deref(), stem);
    let prediction = Prediction::of_file(file, unet, family)?;
    let resolution = file.metadata().get("modelspec.resolution").and_then(|text| identity::resolution(text));
    let native = || match (family, few_step, prediction) {
        (_, FewStep::Turbo, _) => 512,
        _ if xl => 1024,
        // LCM_Dreamshaper_v7 and Stable Diffusion 2's larger form.
        (Family::Sd15, FewStep::FullLcm, _) | (Family::Sd2, _, Prediction::V) => 768,
        _ => 512,
    };
    let native_size = resolution.unwrap_or_else(|| [native(); 2]);
    Ok(Identity { family, few_step, prediction, native_size, title })
}
