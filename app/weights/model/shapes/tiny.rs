use super::{LATENT_CHANNELS, LEVELS, Shapes};
use crate::Fault;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `vae/config.json` of an `AutoencoderTiny`, which may lack its encoder.
pub(in crate::model) fn tiny(shapes: Shapes<'_>) -> Result<Value, Fault> {
    let (width, latent_channels) =
        (shapes.side("decoder.layers.0.weight", 0)?, shapes.side("decoder.layers.0.weight", 1)?);
    if latent_channels != LATENT_CHANNELS {
        let what = format!("a tiny decoder for latents of {latent_channels} channels, where Stable Diffusion has 4");
        return Err(Fault::OtherModel(what));
    }
    let decoder = stages(shapes, "decoder.layers.");
    if decoder.len() != LEVELS {
        let what = format!("a tiny decoder of {} levels, where 4 make 8 px of a latent", decoder.len());
        return Err(Fault::OtherModel(what));
    }
    let encoder = match shapes.has("encoder.layers.0.weight") {
        true => stages(shapes, "encoder.layers."),
        false => decoder.iter().rev().copied().collect(),
    };
    Ok(json!({
        "_class_name": "AutoencoderTiny",
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": latent_channels,
        "encoder_block_out_channels": vec![width; encoder.len()],
        "decoder_block_out_channels": vec![width; decoder.len()],
        "num_encoder_blocks": encoder,
        "num_decoder_blocks": decoder,
        "act_fn": "relu",
        "upsampling_scaling_factor": 2,
    }))
}

/// Blocks between one convolution and the next.
fn stages(shapes: Shapes<'_>, side: &str) -> Vec<usize> {
    let mut is_block: BTreeMap<usize, bool> = BTreeMap::new();
    for key in shapes.0.keys() {
        let Some((layer, rest)) = key.strip_prefix(side).and_then(|rest| rest.split_once('.')) else { continue };
        if let Ok(layer) = layer.parse() {
            *is_block.entry(layer).or_default() |= rest.starts_with("conv.");
        }
    }
    let (mut stages, mut run) = (Vec::new(), 0);
    for is_block in is_block.into_values().skip(1) {
        if is_block {
            run += 1;
        } else {
            stages.push(run);
            run = 0;
        }
    }
    stages
}
