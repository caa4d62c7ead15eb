use super::{number, renamed};
use std::collections::BTreeMap;

const OUTER: &[(&str, &str)] = &[
    ("time_embed.0", "time_embedding.linear_1"),
    ("time_embed.2", "time_embedding.linear_2"),
    ("time_embed.cond_proj", "time_embedding.cond_proj"),
    // Written so where a program did not know it: it comes from diffusers.
    ("time_embedding.cond_proj", "time_embedding.cond_proj"),
    ("label_emb.0.0", "add_embedding.linear_1"),
    ("label_emb.0.2", "add_embedding.linear_2"),
    ("input_blocks.0.0", "conv_in"),
    ("middle_block.0", "mid_block.resnets.0"),
    ("middle_block.1", "mid_block.attentions.0"),
    ("middle_block.2", "mid_block.resnets.1"),
    ("out.0", "conv_norm_out"),
    ("out.2", "conv_out"),
];

const RESNET: &[(&str, &str)] = &[
    ("in_layers.0", "norm1"),
    ("in_layers.2", "conv1"),
    ("emb_layers.1", "time_emb_proj"),
    ("out_layers.0", "norm2"),
    ("out_layers.3", "conv2"),
    ("skip_connection", "conv_shortcut"),
];

/// ldm's U-Net keys in diffusers' terms. ldm counts the layers of a side through; where a block ends is told by the
/// layer that resamples.
pub(crate) struct UNetKeys {
    inputs: BTreeMap<usize, Place>,
    outputs: BTreeMap<usize, Place>,
}

/// A layer of a side.
struct Place {
    block: usize,
    layer: usize,
    /// Number of the module that resamples in this layer.
    resampler: Option<usize>,
}

impl UNetKeys {
    /// Learns the blocks from all keys of the network, without their prefix.
    pub(crate) fn new(keys: &[&str]) -> Self {
        // The first input is `conv_in`.
        let inputs = layers(keys, "input_blocks.", "op.weight").filter(|(layer, _)| *layer > 0);
        let outputs = layers(keys, "output_blocks.", "conv.weight");
        Self { inputs: places(inputs), outputs: places(outputs) }
    }

    /// The key in diffusers' terms; `None` where the network has no such tensor.
    pub(crate) fn diffusers(&self, key: &str) -> Option<String> {
        if let Some(key) = renamed(key, OUTER) {
            return Some(match key.split_once("resnets.") {
                Some((block, rest)) => {
                    let (index, rest) = number(rest)?;
                    format!("{block}resnets.{index}.{}", renamed(rest, RESNET)?)
                }
                None => key,
            });
        }
        let (side, sampler, places, rest) = match key.strip_prefix("input_blocks.") {
            Some(rest) => ("down_blocks", "downsamplers", &self.inputs, rest),
            None => ("up_blocks", "upsamplers", &self.outputs, key.strip_prefix("output_blocks.")?),
        };
        let (index, rest) = number(rest)?;
        let (module, rest) = number(rest)?;
        let Place { block, layer, resampler } = places.get(&index)?;
        Some(match module {
            _ if *resampler == Some(module) => {
                let (_, parameter) = rest.split_once('.')?;
                format!("{side}.{block}.{sampler}.0.conv.{parameter}")
            }
            0 => format!("{side}.{block}.resnets.{layer}.{}", renamed(rest, RESNET)?),
            1 => format!("{side}.{block}.attentions.{layer}.{rest}"),
            _ => return None,
        })
    }
}

/// The layers of a side, each with the module whose `parameter` says that it resamples.
fn layers(keys: &[&str], side: &str, parameter: &str) -> impl Iterator<Item = (usize, Option<usize>)> {
    let mut layers: BTreeMap<usize, Option<usize>> = BTreeMap::new();
    for key in keys {
        let Some((index, rest)) = key.strip_prefix(side).and_then(number) else { continue };
        let resampler = layers.entry(index).or_default();
        if let Some((module, rest)) = number(rest)
            && rest == parameter
        {
            *resampler = Some(module);
        }
    }
    layers.into_iter()
}

/// A downsampler is a layer of its own behind the block's last, an upsampler a part of the block's last.
fn places(layers: impl Iterator<Item = (usize, Option<usize>)>) -> BTreeMap<usize, Place> {
    let (mut block, mut layer) = (0, 0);
    let place = |(index, resampler): (usize, Option<usize>)| {
        let place = Place { block, layer, resampler };
        (block, layer) = if resampler.is_some() { (block + 1, 0) } else { (block, layer + 1) };
        (index, place)
    };
    layers.map(place).collect()
}
