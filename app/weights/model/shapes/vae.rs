use super::{LATENT_CHANNELS, LEVELS, Shapes};
use crate::Fault;
use serde_json::{Value, json};

/// `vae/config.json` of an `AutoencoderKL`, without `scaling_factor`, which no shape tells.
pub(in crate::model) fn vae(shapes: Shapes<'_>) -> Result<Value, Fault> {
    let latent_channels = shapes.side("decoder.conv_in.weight", 1)?;
    if latent_channels != LATENT_CHANNELS {
        let what = format!("an autoencoder for latents of {latent_channels} channels, where Stable Diffusion has 4");
        return Err(Fault::OtherModel(what));
    }
    let first = |block: usize| format!("decoder.up_blocks.{block}.resnets.0.conv1.weight");
    let levels = shapes.count(first);
    if levels != LEVELS {
        return Err(Fault::OtherModel(format!("an autoencoder of {levels} levels, where 4 make 8 px of a latent")));
    }
    let mut channels = (0..levels).map(|block| shapes.side(&first(block), 0)).collect::<Result<Vec<_>, _>>()?;
    channels.reverse();
    let layers = shapes.count(|layer| format!("decoder.up_blocks.0.resnets.{layer}.conv1.weight"));
    Ok(json!({
        "_class_name": "AutoencoderKL",
        "in_channels": 3,
        "out_channels": shapes.side("decoder.conv_out.weight", 0)?,
        "latent_channels": latent_channels,
        "block_out_channels": channels,
        "down_block_types": vec!["DownEncoderBlock2D"; levels],
        "up_block_types": vec!["UpDecoderBlock2D"; levels],
        // diffusers' up blocks have one residual block more than this says.
        "layers_per_block": layers.saturating_sub(1),
        "use_quant_conv": shapes.has("quant_conv.weight"),
        "use_post_quant_conv": shapes.has("post_quant_conv.weight"),
        "mid_block_add_attention": shapes.has("decoder.mid_block.attentions.0.group_norm.weight"),
    }))
}
