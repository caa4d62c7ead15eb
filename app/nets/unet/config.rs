//! `unet/config.json` (diffusers `UNet2DConditionModel`).

use crate::config::{PerBlock, require_only, unsupported};
use fourstep_compute::{ComputeError, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// More than any U-Net has; lists of this length are made before a weight is read.
const MAX_LAYERS_PER_BLOCK: usize = 64;

/// The options that occur in SD1.5, SD2, SDXL, SSD-1B, their turbo and LCM forms; absent ones have diffusers' defaults.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names and meanings are those of UNet2DConditionModel")]
pub struct UNetConfig {
    pub in_channels: usize,
    pub out_channels: usize,
    pub block_out_channels: Vec<usize>,
    pub down_block_types: Vec<String>,
    /// `null`: no middle block.
    pub mid_block_type: Option<String>,
    pub up_block_types: Vec<String>,
    pub layers_per_block: PerBlock<usize>,
    /// Per block, and there for all transformers or for each.
    pub transformer_layers_per_block: PerBlock<PerBlock<usize>>,
    /// In the order of the up blocks; absent: the reverse of `transformer_layers_per_block`.
    pub reverse_transformer_layers_per_block: Option<Vec<PerBlock<usize>>>,
    /// The *number* of heads, in spite of its name (diffusers issue 2011).
    pub attention_head_dim: PerBlock<usize>,
    pub num_attention_heads: Option<PerBlock<usize>>,
    pub cross_attention_dim: PerBlock<usize>,
    pub use_linear_projection: bool,
    pub downsample_padding: usize,
    pub conv_in_kernel: usize,
    pub conv_out_kernel: usize,
    pub act_fn: String,
    pub norm_num_groups: usize,
    pub norm_eps: f32,
    pub flip_sin_to_cos: bool,
    pub freq_shift: f32,
    pub time_embedding_dim: Option<usize>,
    /// Channels of the guidance embedding of full latent consistency models.
    pub time_cond_proj_dim: Option<usize>,
    /// `text_time`: SDXL's pooled text and sizes.
    pub addition_embed_type: Option<String>,
    pub addition_time_embed_dim: Option<usize>,
    pub projection_class_embeddings_input_dim: Option<usize>,
    /// Latents a model was trained for, one side or both; no part of the network.
    pub sample_size: Option<PerBlock<usize>>,
    /// Options that must have their default.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Default for UNetConfig {
    fn default() -> Self {
        let types = |names: [&str; 4]| names.map(String::from).to_vec();
        let (cross_down, cross_up) = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D");
        Self {
            in_channels: 4,
            out_channels: 4,
            block_out_channels: vec![320, 640, 1280, 1280],
            down_block_types: types([cross_down, cross_down, cross_down, "DownBlock2D"]),
            mid_block_type: Some("UNetMidBlock2DCrossAttn".into()),
            up_block_types: types(["UpBlock2D", cross_up, cross_up, cross_up]),
            layers_per_block: PerBlock::All(2),
            transformer_layers_per_block: PerBlock::All(PerBlock::All(1)),
            reverse_transformer_layers_per_block: None,
            attention_head_dim: PerBlock::All(8),
            num_attention_heads: None,
            cross_attention_dim: PerBlock::All(1280),
            use_linear_projection: false,
            downsample_padding: 1,
            conv_in_kernel: 3,
            conv_out_kernel: 3,
            act_fn: "silu".into(),
            norm_num_groups: 32,
            norm_eps: 1e-5,
            flip_sin_to_cos: true,
            freq_shift: 0.0,
            time_embedding_dim: None,
            time_cond_proj_dim: None,
            addition_embed_type: None,
            addition_time_embed_dim: None,
            projection_class_embeddings_input_dim: None,
            sample_size: None,
            others: Map::new(),
        }
    }
}

/// One down or up block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlockSpec {
    pub(super) input: usize,
    pub(super) output: usize,
    /// Channels of the skip connection of the last layer of an up block.
    pub(super) last_skip: usize,
    /// Residual blocks.
    pub(super) layers: usize,
    pub(super) attention: Option<AttentionSpec>,
    /// Whether it halves (down) or doubles (up) the picture; the last one of a side does not.
    pub(super) resamples: bool,
}

/// The transformers of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AttentionSpec {
    /// Transformer layers behind each residual block.
    pub(super) depths: Vec<usize>,
    pub(super) heads: usize,
    pub(super) context_channels: usize,
}

/// What sits between down and up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MidSpec {
    Absent,
    /// One residual block.
    Resnet,
    /// Residual block, transformer, residual block.
    CrossAttention(AttentionSpec),
}

/// The options per block, in the order of the down blocks.
struct Resolved {
    layers: Vec<usize>,
    depths: Vec<PerBlock<usize>>,
    heads: Vec<usize>,
    context_channels: Vec<usize>,
}

impl UNetConfig {
    /// Channels of the time embedding.
    pub(super) fn time_channels(&self) -> usize {
        self.time_embedding_dim.unwrap_or_else(|| self.block_out_channels.first().map_or(0, |c| c * 4))
    }

    /// Refuses what would silently compute another network.
    pub(super) fn check(&self) -> Result<()> {
        require_only(
            &self.others,
            &[
                ("attention_type", json!("default")),
                ("center_input_sample", json!(false)),
                ("class_embed_type", Value::Null),
                ("class_embeddings_concat", json!(false)),
                ("cross_attention_norm", Value::Null),
                ("dual_cross_attention", json!(false)),
                ("encoder_hid_dim", Value::Null),
                ("encoder_hid_dim_type", Value::Null),
                ("mid_block_only_cross_attention", Value::Null),
                ("mid_block_scale_factor", json!(1.0)),
                ("num_class_embeds", Value::Null),
                ("only_cross_attention", json!(false)),
                ("resnet_out_scale_factor", json!(1.0)),
                ("resnet_skip_time_act", json!(false)),
                ("resnet_time_scale_shift", json!("default")),
                ("time_embedding_act_fn", Value::Null),
                ("time_embedding_type", json!("positional")),
                ("timestep_post_act", Value::Null),
            ],
        )?;
        for (option, kernel) in [("conv_in_kernel", self.conv_in_kernel), ("conv_out_kernel", self.conv_out_kernel)] {
            if kernel.is_multiple_of(2) {
                return Err(unsupported(option, kernel));
            }
        }
        Ok(())
    }

    pub(super) fn down_blocks(&self) -> Result<Vec<BlockSpec>> {
        let (options, channels) = (self.resolve()?, &self.block_out_channels);
        let spec = |(i, kind): (usize, &String)| {
            let attends = attends("down_block_types", kind, "DownBlock2D", "CrossAttnDownBlock2D")?;
            let layers = options.layers[i];
            Ok(BlockSpec {
                input: channels[i.saturating_sub(1)],
                output: channels[i],
                last_skip: channels[i],
                layers,
                attention: attends.then(|| options.attention(i, &options.depths[i], layers)).transpose()?,
                resamples: i + 1 < channels.len(),
            })
        };
        self.down_block_types.iter().enumerate().map(spec).collect()
    }

    pub(super) fn mid_block(&self) -> Result<MidSpec> {
        let (options, last) = (self.resolve()?, self.block_out_channels.len() - 1);
        match self.mid_block_type.as_deref() {
            None => Ok(MidSpec::Absent),
            Some("UNetMidBlock2D") => Ok(MidSpec::Resnet),
            Some("UNetMidBlock2DCrossAttn") => {
                // A nested list counts the layers of the block's several transformers; here is one.
                let depth = match &options.depths[last] {
                    PerBlock::Each(depths) => PerBlock::Each(depths.first().copied().into_iter().collect()),
                    all => all.clone(),
                };
                Ok(MidSpec::CrossAttention(options.attention(last, &depth, 1)?))
            }
            Some(other) => Err(unsupported("mid_block_type", other)),
        }
    }

    pub(super) fn up_blocks(&self) -> Result<Vec<BlockSpec>> {
        let (options, channels) = (self.resolve()?, &self.block_out_channels);
        let blocks = channels.len();
        let depths = match &self.reverse_transformer_layers_per_block {
            Some(depths) => PerBlock::Each(depths.clone()).resolve("reverse_transformer_layers_per_block", blocks)?,
            None if options.depths.iter().any(|depth| matches!(depth, PerBlock::Each(_))) => {
                let message = "nested transformer_layers_per_block need reverse_transformer_layers_per_block";
                return Err(ComputeError::Unsupported(message.into()));
            }
            None => options.depths.iter().rev().cloned().collect(),
        };
        let spec = |(i, kind): (usize, &String)| {
            let attends = attends("up_block_types", kind, "UpBlock2D", "CrossAttnUpBlock2D")?;
            let twin = blocks - 1 - i;
            let layers = options.layers[twin] + 1;
            Ok(BlockSpec {
                input: channels[(twin + 1).min(blocks - 1)],
                output: channels[twin],
                last_skip: channels[twin.saturating_sub(1)],
                layers,
                attention: attends.then(|| options.attention(twin, &depths[i], layers)).transpose()?,
                resamples: i + 1 < blocks,
            })
        };
        self.up_block_types.iter().enumerate().map(spec).collect()
    }

    fn resolve(&self) -> Result<Resolved> {
        let blocks = self.block_out_channels.len();
        let types = [("down_block_types", &self.down_block_types), ("up_block_types", &self.up_block_types)];
        for (option, names) in types {
            if blocks == 0 || names.len() != blocks {
                return Err(unsupported(option, format_args!("{names:?} for {blocks} block_out_channels")));
            }
        }
        let heads = self.num_attention_heads.as_ref().unwrap_or(&self.attention_head_dim);
        let heads = heads.resolve("attention_head_dim", blocks)?;
        for (c, heads) in self.block_out_channels.iter().zip(&heads) {
            if !c.is_multiple_of(*heads) {
                return Err(unsupported("attention_head_dim", format_args!("{heads} for {c} channels")));
            }
        }
        let layers = self.layers_per_block.resolve("layers_per_block", blocks)?;
        if let Some(most) = layers.iter().find(|layers| **layers > MAX_LAYERS_PER_BLOCK) {
            return Err(unsupported("layers_per_block", most));
        }
        Ok(Resolved {
            layers,
            depths: self.transformer_layers_per_block.resolve("transformer_layers_per_block", blocks)?,
            heads,
            context_channels: self.cross_attention_dim.resolve("cross_attention_dim", blocks)?,
        })
    }
}

impl Resolved {
    fn attention(&self, block: usize, depth: &PerBlock<usize>, layers: usize) -> Result<AttentionSpec> {
        Ok(AttentionSpec {
            depths: depth.resolve("transformer_layers_per_block", layers)?,
            heads: self.heads[block],
            context_channels: self.context_channels[block],
        })
    }
}

fn attends(option: &str, kind: &str, without: &str, with: &str) -> Result<bool> {
    match kind {
        _ if kind == with => Ok(true),
        _ if kind == without => Ok(false),
        _ => Err(unsupported(option, kind)),
    }
}
