//! The denoiser (arXiv 2112.10752; diffusers `unet_2d_condition.py`): SD1.5, SD2, SDXL, SSD-1B, turbo and LCM forms.

mod blocks;
mod config;
mod time;
mod transformer;

pub use config::UNetConfig;
pub use time::TimeExtras;

use crate::{config::activation, packs::Packs, params::Params, resnet::ResnetSpec};
use blocks::{DownBlock, Layers, MidBlock, UpBlock};
use fourstep_compute::{Activation, Backend, ComputeError, Conv2dSpec, Epilogue, Result, TensorSource};
use std::cell::RefCell;
use time::TimeLayers;
use transformer::KeysValues;

/// Predicts the noise (or velocity) in latents, given the timestep and a text.
pub struct UNet<B: Backend> {
    config: UNetConfig,
    conv_in: B::Conv2d,
    time: TimeLayers<B>,
    down_blocks: Vec<DownBlock<B>>,
    mid_block: Option<MidBlock<B>>,
    up_blocks: Vec<UpBlock<B>>,
    conv_norm_out: B::GroupNorm,
    conv_out: B::Conv2d,
    activation: Activation,
}

/// The time embedding as each residual block takes it. It depends on the timestep, guidance and, in SDXL, the prompt
/// alone, so it can be kept.
pub struct TimeEmbedding<B: Backend> {
    /// `[n, 1, c]` for each residual block, in the order of the network; n = 1 serves all samples.
    projections: Vec<B::Tensor>,
}

/// Keys and values of all cross-attention layers. They depend on the prompt alone, so they can be kept.
pub struct Conditioning<B: Backend> {
    /// For each transformer, in the order of the network, one pair per layer.
    transformers: Vec<Vec<KeysValues<B::Tensor>>>,
}

impl<B: Backend> UNet<B> {
    /// Reads the keys of a diffusers U-Net.
    ///
    /// # Errors
    /// `Missing` and `Shape` naming the key, `Unsupported` naming the option.
    pub fn load(b: &B, source: &dyn TensorSource, config: &UNetConfig) -> Result<Self> {
        Self::read(b, &Params::new(source), config)
    }

    /// [`load`](Self::load), taking from `packs` what was packed before from the same tensors. The U-Net that was
    /// loaded before should be dropped by then.
    ///
    /// # Errors
    /// As [`load`](Self::load); `packs` stays of use.
    pub fn load_with(b: &B, source: &dyn TensorSource, config: &UNetConfig, packs: &mut Packs) -> Result<Self> {
        Self::read(b, &Params::with_packs(source, &RefCell::new(packs)), config)
    }

    fn read(b: &B, p: &Params<'_>, config: &UNetConfig) -> Result<Self> {
        config.check()?;
        let (down, mid, up) = (config.down_blocks()?, config.mid_block()?, config.up_blocks()?);
        let (first, last) = (down[0].output, down[down.len() - 1].output);
        let activation = activation("act_fn", &config.act_fn)?;
        let spec = ResnetSpec {
            groups: config.norm_num_groups,
            eps: config.norm_eps,
            activation,
            time_channels: Some(config.time_channels()),
        };
        let same = |kernel: usize| Conv2dSpec::padded(kernel / 2);
        let (kernel_in, kernel_out) = (config.conv_in_kernel, config.conv_out_kernel);
        let load_down = |(i, block): (usize, _)| {
            DownBlock::load(&b.at_level(i), &p.sub("down_blocks").sub(i), block, config.downsample_padding, spec)
        };
        let deepest = down.len() - 1;
        let load_up = |(i, block): (usize, _)| {
            let level = deepest.saturating_sub(i);
            let levels = [level, level.saturating_sub(1)].map(|level| b.at_level(level));
            UpBlock::load(&levels, &p.sub("up_blocks").sub(i), block, spec)
        };
        Ok(Self {
            conv_in: p.conv2d(b, "conv_in", [config.in_channels, first, kernel_in], same(kernel_in))?,
            time: TimeLayers::load(&b.for_kept(), p, config, activation)?,
            down_blocks: down.iter().enumerate().map(load_down).collect::<Result<_>>()?,
            mid_block: MidBlock::load(&b.at_level(deepest), &p.sub("mid_block"), last, &mid, spec)?,
            up_blocks: up.iter().enumerate().map(load_up).collect::<Result<_>>()?,
            conv_norm_out: p.group_norm(b, "conv_norm_out", first, spec.groups, spec.eps)?,
            conv_out: p.conv2d(b, "conv_out", [first, config.out_channels, kernel_out], same(kernel_out))?,
            activation,
            config: config.clone(),
        })
    }

    /// What the network needs to know of a step. `timestep` is in 0…999.
    ///
    /// # Errors
    /// `Unsupported` where `extras` are not those of this model; those of the backend.
    pub fn time(&self, b: &B, timestep: f32, extras: TimeExtras<'_, B::Tensor>) -> Result<TimeEmbedding<B>> {
        let activated = self.time.forward(b, timestep, &extras)?;
        let projections = self.layers().flat_map(|layers| &layers.resnets);
        let projections = projections.filter_map(|resnet| resnet.project_time(b, &activated).transpose());
        Ok(TimeEmbedding { projections: projections.collect::<Result<_>>()? })
    }

    /// What the network needs to know of a prompt. `context` is `[n, l, cross_attention_dim]`.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn condition(&self, b: &B, context: &B::Tensor) -> Result<Conditioning<B>> {
        let transformers = self.layers().flat_map(|layers| &layers.attentions);
        let transformers = transformers.map(|transformer| transformer.condition(b, context));
        Ok(Conditioning { transformers: transformers.collect::<Result<_>>()? })
    }

    /// `latents` `[n, h, w, in_channels]` of any size → `[n, h, w, out_channels]`.
    ///
    /// # Errors
    /// `Shape` where `time` or `conditioning` come from another network; those of the backend.
    pub fn forward(
        &self,
        b: &B,
        latents: &B::Tensor,
        time: &TimeEmbedding<B>,
        conditioning: &Conditioning<B>,
    ) -> Result<B::Tensor> {
        self.check(time, conditioning)?;
        let mut x = b.conv2d(latents, &self.conv_in, Epilogue::none())?;
        let mut run =
            Run { time: time.projections.iter(), context: conditioning.transformers.iter(), skips: vec![x.clone()] };
        for block in &self.down_blocks {
            x = block.forward(b, x, &mut run)?;
        }
        if let Some(block) = &self.mid_block {
            x = block.forward(b, x, &mut run)?;
        }
        for block in &self.up_blocks {
            x = block.forward(b, x, &mut run)?;
        }
        let h = b.group_norm(&x, &self.conv_norm_out, Some(self.activation))?;
        b.conv2d(&h, &self.conv_out, Epilogue::none())
    }

    /// What it was built from.
    pub fn config(&self) -> &UNetConfig {
        &self.config
    }

    /// All blocks' layers, in the order of [`forward`](Self::forward).
    fn layers(&self) -> impl Iterator<Item = &Layers<B>> {
        let down = self.down_blocks.iter().map(|block| &block.layers);
        let mid = self.mid_block.iter().map(|block| &block.layers);
        let up = self.up_blocks.iter().map(|block| &block.layers);
        down.chain(mid).chain(up)
    }

    fn check(&self, time: &TimeEmbedding<B>, conditioning: &Conditioning<B>) -> Result<()> {
        let resnets: usize = self.layers().map(|layers| layers.resnets.len()).sum();
        let transformers: usize = self.layers().map(|layers| layers.attentions.len()).sum();
        let found = (time.projections.len(), conditioning.transformers.len());
        if found == (resnets, transformers) {
            return Ok(());
        }
        Err(ComputeError::Shape {
            what: "time embedding and conditioning".into(),
            expected: format!("{resnets} residual blocks, {transformers} transformers"),
            found: format!("{found:?}, of another network"),
        })
    }
}

/// One forward pass on its way through the blocks.
struct Run<'a, B: Backend> {
    time: std::slice::Iter<'a, B::Tensor>,
    context: std::slice::Iter<'a, Vec<KeysValues<B::Tensor>>>,
    /// Outputs of the down blocks, the last one on top.
    skips: Vec<B::Tensor>,
}

impl<'a, B: Backend> Run<'a, B> {
    /// For the next residual block.
    fn next_time(&mut self) -> Option<&'a B::Tensor> {
        self.time.next()
    }

    /// For the next transformer.
    fn next_context(&mut self) -> &'a [KeysValues<B::Tensor>] {
        self.context.next().map_or(&[], Vec::as_slice)
    }
}
