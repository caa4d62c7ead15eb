//! `vae/config.json` (diffusers `AutoencoderKL`).

use crate::{
    config::{activation, require_only, unsupported},
    resnet::ResnetSpec,
};
use fourstep_compute::Result;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Of all group norms; no option of diffusers.
pub(super) const EPS: f32 = 1e-6;

/// More than any autoencoder has; a matrix of this many rows and columns is made before a weight is read.
const MAX_LATENT_CHANNELS: usize = 256;

/// `vae/config.json` of an `AutoencoderKL`; absent fields have diffusers' defaults.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names and meanings are those of AutoencoderKL")]
pub struct AutoencoderConfig {
    pub in_channels: usize,
    pub out_channels: usize,
    pub down_block_types: Vec<String>,
    pub up_block_types: Vec<String>,
    pub block_out_channels: Vec<usize>,
    pub layers_per_block: usize,
    pub act_fn: String,
    pub latent_channels: usize,
    pub norm_num_groups: usize,
    pub scaling_factor: f32,
    pub shift_factor: Option<f32>,
    pub use_quant_conv: bool,
    pub use_post_quant_conv: bool,
    pub mid_block_add_attention: bool,
    /// The stock SDXL autoencoder overflows in f16: run it wider.
    pub force_upcast: bool,
    /// Options that must have their default.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Default for AutoencoderConfig {
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            down_block_types: vec!["DownEncoderBlock2D".into()],
            up_block_types: vec!["UpDecoderBlock2D".into()],
            block_out_channels: vec![64],
            layers_per_block: 1,
            act_fn: "silu".into(),
            latent_channels: 4,
            norm_num_groups: 32,
            scaling_factor: 0.18215,
            shift_factor: None,
            use_quant_conv: true,
            use_post_quant_conv: true,
            mid_block_add_attention: true,
            force_upcast: true,
            others: Map::new(),
        }
    }
}

impl AutoencoderConfig {
    /// Refuses what would silently compute another network.
    pub(super) fn check(&self) -> Result<()> {
        require_only(&self.others, &[("latents_mean", Value::Null), ("latents_std", Value::Null)])?;
        let blocks = self.block_out_channels.len();
        let types = [
            ("down_block_types", &self.down_block_types, "DownEncoderBlock2D"),
            ("up_block_types", &self.up_block_types, "UpDecoderBlock2D"),
        ];
        for (option, names, only) in types {
            if blocks == 0 || names.len() != blocks || names.iter().any(|name| name != only) {
                return Err(unsupported(option, format_args!("{} for {blocks} block_out_channels", json!(names))));
            }
        }
        if !(1..=MAX_LATENT_CHANNELS).contains(&self.latent_channels) {
            return Err(unsupported("latent_channels", self.latent_channels));
        }
        // Zero, infinity and what is nearly so would divide or multiply latents into nothing.
        if self.scaling_factor.is_normal() { Ok(()) } else { Err(unsupported("scaling_factor", self.scaling_factor)) }
    }

    pub(super) fn resnet(&self) -> Result<ResnetSpec> {
        let activation = activation("act_fn", &self.act_fn)?;
        Ok(ResnetSpec { groups: self.norm_num_groups, eps: EPS, activation, time_channels: None })
    }
}
