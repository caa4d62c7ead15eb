use super::{Shapes, compact};
use crate::{Fault, model::identity};
use serde_json::{Map, Value, json};

/// Heads of a U-Net of Stable Diffusion 1.x, and the width of a head in all later ones.
const HEADS: usize = 8;
const HEAD_WIDTH: usize = 64;
/// Numbers that SDXL is told besides the pooled text, and the channels that each becomes.
const SIZES: usize = 6;
const SIZE_CHANNELS: usize = 256;

/// `unet/config.json`. `pooled` is the width of the pooled text of SDXL's form, where a text encoder tells it.
///
/// Shapes do not tell the number of heads: it is 8 where the transformers' ends are convolutions (Stable Diffusion 1.x)
/// and one for 64 channels where they are matrices.
pub(in crate::model) fn unet(shapes: Shapes<'_>, pooled: Option<usize>) -> Result<Value, Fault> {
    let in_channels = shapes.side("conv_in.weight", 1)?;
    identity::check_channels(in_channels as u64)?;
    let down = side(shapes, "down_blocks")?;
    let up = side(shapes, "up_blocks")?;
    let channels: Vec<usize> = down.iter().map(|block| block.channels).collect();
    let layers: Vec<usize> = down.iter().map(|block| block.layers).collect();
    let linear =
        shapes.0.keys().any(|key| key.ends_with("proj_in.weight") && shapes.0.shape(key).is_some_and(|s| s.len() == 2));
    let mut config = json!({
        "_class_name": "UNet2DConditionModel",
        "in_channels": in_channels,
        "out_channels": shapes.side("conv_out.weight", 0)?,
        "conv_in_kernel": shapes.side("conv_in.weight", 2)?,
        "conv_out_kernel": shapes.side("conv_out.weight", 2)?,
        "block_out_channels": channels,
        "layers_per_block": compact(&layers),
        "down_block_types": types(&down, "DownBlock2D", "CrossAttnDownBlock2D"),
        "mid_block_type": mid_type(shapes),
        "up_block_types": types(&up, "UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": cross_attention(shapes)?,
        "use_linear_projection": linear,
        "attention_head_dim": heads(&down, linear)?,
    });
    let Some(options) = config.as_object_mut() else { return Ok(config) };
    depths(shapes, &down, &up, options)?;
    time(shapes, &channels, options)?;
    if shapes.has("add_embedding.linear_1.weight") {
        let input = shapes.side("add_embedding.linear_1.weight", 1)?;
        let each = pooled.map_or(SIZE_CHANNELS, |pooled| input.saturating_sub(pooled) / SIZES);
        options.insert("addition_embed_type".into(), json!("text_time"));
        options.insert("addition_time_embed_dim".into(), json!(each));
        options.insert("projection_class_embeddings_input_dim".into(), json!(input));
    }
    Ok(config)
}

/// A down or up block.
struct Block {
    channels: usize,
    layers: usize,
    /// Transformer layers behind each residual block; empty without attention.
    depths: Vec<usize>,
}

fn side(shapes: Shapes<'_>, name: &str) -> Result<Vec<Block>, Fault> {
    let count = shapes.count(|block| format!("{name}.{block}.resnets.0.conv1.weight"));
    let block = |index| {
        let block = format!("{name}.{index}");
        Ok(Block {
            channels: shapes.side(&format!("{block}.resnets.0.conv1.weight"), 0)?,
            layers: shapes.count(|layer| format!("{block}.resnets.{layer}.conv1.weight")),
            depths: attention_depths(shapes, &block),
        })
    };
    (0..count).map(block).collect()
}

fn attention_depths(shapes: Shapes<'_>, block: &str) -> Vec<usize> {
    let attentions = shapes.count(|layer| format!("{block}.attentions.{layer}.proj_in.weight"));
    let depth = |layer| {
        shapes.count(|depth| format!("{block}.attentions.{layer}.transformer_blocks.{depth}.attn1.to_q.weight"))
    };
    (0..attentions).map(depth).collect()
}

fn types<'a>(blocks: &[Block], without: &'a str, with: &'a str) -> Vec<&'a str> {
    blocks.iter().map(|block| if block.depths.is_empty() { without } else { with }).collect()
}

fn mid_type(shapes: Shapes<'_>) -> Option<&'static str> {
    match (shapes.has("mid_block.resnets.0.conv1.weight"), shapes.has("mid_block.attentions.0.proj_in.weight")) {
        (false, _) => None,
        (true, true) => Some("UNetMidBlock2DCrossAttn"),
        (true, false) => Some("UNetMidBlock2D"),
    }
}

/// Transformer layers of every block. The middle block follows the innermost down block, so where that one has no
/// attention it is given the middle's.
fn depths(shapes: Shapes<'_>, down: &[Block], up: &[Block], options: &mut Map<String, Value>) -> Result<(), Fault> {
    let mid = attention_depths(shapes, "mid_block").first().copied();
    let innermost = down.last().and_then(|block| block.depths.first()).copied();
    if let (Some(mid), Some(innermost)) = (mid, innermost)
        && mid != innermost
    {
        let what = format!("its middle block has {mid} transformer layers and the block before it {innermost}");
        return Err(Fault::UnknownModel(what));
    }
    let without = |block: usize| if block + 1 == down.len() { mid.unwrap_or(1) } else { 1 };
    let given = |depths: &[usize], without: usize| if depths.is_empty() { json!(without) } else { compact(depths) };
    let downward: Vec<Value> = down.iter().enumerate().map(|(i, block)| given(&block.depths, without(i))).collect();
    let upward: Vec<Value> = up
        .iter()
        .enumerate()
        .map(|(i, block)| given(&block.depths, without(down.len().saturating_sub(i + 1))))
        .collect();
    let mirrored = downward.iter().rev().eq(&upward) && !downward.iter().any(Value::is_array);
    let same = downward.windows(2).all(|pair| pair[0] == pair[1]);
    if !mirrored {
        options.insert("reverse_transformer_layers_per_block".into(), Value::Array(upward));
    }
    let downward = match downward.first() {
        Some(depth @ Value::Number(_)) if same => depth.clone(),
        _ => Value::Array(downward),
    };
    options.insert("transformer_layers_per_block".into(), downward);
    Ok(())
}

/// The width of what is attended to, for all blocks or for each.
fn cross_attention(shapes: Shapes<'_>) -> Result<usize, Fault> {
    let mut keys = shapes.0.keys().filter(|key| key.ends_with(".attn2.to_k.weight"));
    let first = keys.next().ok_or_else(|| Fault::UnknownModel("its U-Net does not read text".into()))?;
    let width = shapes.side(first, 1)?;
    for key in keys {
        if shapes.side(key, 1)? != width {
            return Err(Fault::UnknownModel(format!("{key} reads text of another width than {first}")));
        }
    }
    Ok(width)
}

fn heads(down: &[Block], linear: bool) -> Result<Value, Fault> {
    if !linear {
        return Ok(json!(HEADS));
    }
    let heads = |(i, block): (usize, &Block)| match block.channels % HEAD_WIDTH {
        0 => Ok(block.channels / HEAD_WIDTH),
        // The middle block has the heads of the innermost; another without attention needs none.
        _ if block.depths.is_empty() && i + 1 < down.len() => Ok(1),
        _ => Err(Fault::UnknownModel(format!("{} channels do not divide into heads of {HEAD_WIDTH}", block.channels))),
    };
    Ok(json!(down.iter().enumerate().map(heads).collect::<Result<Vec<_>, _>>()?))
}

fn time(shapes: Shapes<'_>, channels: &[usize], options: &mut Map<String, Value>) -> Result<(), Fault> {
    let width = shapes.side("time_embedding.linear_1.weight", 0)?;
    if channels.first().is_none_or(|first| first.saturating_mul(4) != width) {
        options.insert("time_embedding_dim".into(), json!(width));
    }
    if shapes.has("time_embedding.cond_proj.weight") {
        let guidance = shapes.side("time_embedding.cond_proj.weight", 1)?;
        options.insert("time_cond_proj_dim".into(), json!(guidance));
    }
    Ok(())
}
