use super::{number, renamed};
use crate::mapped::View;

const OUTER: &[(&str, &str)] = &[
    ("conv_in", "conv_in"),
    ("norm_out", "conv_norm_out"),
    ("conv_out", "conv_out"),
    ("mid.block_1", "mid_block.resnets.0"),
    ("mid.block_2", "mid_block.resnets.1"),
];

const ATTENTION: &[(&str, &str)] =
    &[("norm", "group_norm"), ("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("proj_out", "to_out.0")];

/// The key of ldm's autoencoder (without its prefix) in diffusers' terms; `levels` are those of the decoder, which ldm
/// counts from the picture and diffusers from the latents. `None` where the network has no such tensor.
pub(crate) fn diffusers(key: &str, levels: usize) -> Option<(String, View)> {
    if key.starts_with("quant_conv.") || key.starts_with("post_quant_conv.") {
        return Some((key.to_owned(), View::Whole));
    }
    let (side, rest) = key.split_once('.').filter(|(side, _)| ["encoder", "decoder"].contains(side))?;
    if let Some(rest) = rest.strip_prefix("mid.attn_1.") {
        return Some((format!("{side}.mid_block.attentions.0.{}", renamed(rest, ATTENTION)?), View::Matrix));
    }
    let rest = renamed(rest, OUTER).or_else(|| block(rest, levels))?;
    Some((format!("{side}.{}", rest.replace("nin_shortcut", "conv_shortcut")), View::Whole))
}

/// `down.I.block.J.…`, `down.I.downsample.conv.…` and the same upwards.
fn block(key: &str, levels: usize) -> Option<String> {
    let (direction, rest) = key.split_once('.').filter(|(direction, _)| ["down", "up"].contains(direction))?;
    let (level, rest) = number(rest)?;
    let level = if direction == "up" { levels.checked_sub(level)?.checked_sub(1)? } else { level };
    let rest = match rest.strip_prefix("block.") {
        Some(resnet) => format!("resnets.{resnet}"),
        None => format!("{direction}samplers.0.{}", rest.strip_prefix(direction)?.strip_prefix("sample.")?),
    };
    Some(format!("{direction}_blocks.{level}.{rest}"))
}
