//! Down, middle and up blocks (diffusers `unet_2d_blocks.py`).

use super::{
    Run,
    config::{AttentionSpec, BlockSpec, MidSpec},
    transformer::Transformer2D,
};
use crate::{
    params::Params,
    resnet::{ResnetBlock, ResnetSpec},
};
use fourstep_compute::{Backend, Conv2dSpec, Epilogue, Padding, Result};

/// Residual blocks, each with a transformer behind it where the block attends.
pub(super) struct Layers<B: Backend> {
    pub(super) resnets: Vec<ResnetBlock<B>>,
    pub(super) attentions: Vec<Transformer2D<B>>,
}

impl<B: Backend> Layers<B> {
    /// Residual blocks of these input widths, all with `output` channels.
    fn load(
        b: &B,
        p: &Params<'_>,
        inputs: &[usize],
        output: usize,
        attention: Option<&AttentionSpec>,
        spec: ResnetSpec,
    ) -> Result<Self> {
        let resnet = |(i, input): (usize, &usize)| ResnetBlock::load(b, &p.sub("resnets").sub(i), *input, output, spec);
        let transformer = |i: usize, depth: usize, attention: &AttentionSpec| {
            Transformer2D::load(b, &p.sub("attentions").sub(i), output, spec.groups, depth, attention)
        };
        let attentions = match attention {
            Some(spec) => spec.depths.iter().enumerate().map(|(i, depth)| transformer(i, *depth, spec)).collect(),
            None => Ok(Vec::new()),
        };
        let resnets = inputs.iter().enumerate().map(resnet).collect::<Result<_>>()?;
        Ok(Self { resnets, attentions: attentions? })
    }
}

pub(super) struct DownBlock<B: Backend> {
    pub(super) layers: Layers<B>,
    /// `downsamplers.0.conv`.
    downsampler: Option<B::Conv2d>,
}

impl<B: Backend> DownBlock<B> {
    pub(super) fn load(b: &B, p: &Params<'_>, block: &BlockSpec, padding: usize, spec: ResnetSpec) -> Result<Self> {
        let mut inputs = vec![block.output; block.layers];
        if let Some(first) = inputs.first_mut() {
            *first = block.input;
        }
        let padding = if padding == 0 { Padding::BottomRight } else { Padding::Even(padding) };
        let halve = || {
            let c = block.output;
            p.conv2d(b, "downsamplers.0.conv", [c, c, 3], Conv2dSpec { stride: 2, padding })
        };
        Ok(Self {
            layers: Layers::load(b, p, &inputs, block.output, block.attention.as_ref(), spec)?,
            downsampler: block.resamples.then(halve).transpose()?,
        })
    }

    /// Leaves its outputs in `run.skips` for the up block of the same size.
    pub(super) fn forward(&self, b: &B, mut x: B::Tensor, run: &mut Run<'_, B>) -> Result<B::Tensor> {
        for (i, resnet) in self.layers.resnets.iter().enumerate() {
            x = resnet.forward(b, &x, run.next_time())?;
            if let Some(attention) = self.layers.attentions.get(i) {
                x = attention.forward(b, &x, run.next_context())?;
            }
            run.skips.push(x.clone());
        }
        if let Some(downsampler) = &self.downsampler {
            x = b.conv2d(&x, downsampler, Epilogue::none())?;
            run.skips.push(x.clone());
        }
        Ok(x)
    }
}

pub(super) struct MidBlock<B: Backend> {
    pub(super) layers: Layers<B>,
}

impl<B: Backend> MidBlock<B> {
    pub(super) fn load(b: &B, p: &Params<'_>, c: usize, mid: &MidSpec, spec: ResnetSpec) -> Result<Option<Self>> {
        let (resnets, attention) = match mid {
            MidSpec::Absent => return Ok(None),
            MidSpec::Resnet => (1, None),
            MidSpec::CrossAttention(attention) => (2, Some(attention)),
        };
        Ok(Some(Self { layers: Layers::load(b, p, &vec![c; resnets], c, attention, spec)? }))
    }

    /// A residual block, then a transformer and a residual block where the block attends.
    pub(super) fn forward(&self, b: &B, mut x: B::Tensor, run: &mut Run<'_, B>) -> Result<B::Tensor> {
        for (i, resnet) in self.layers.resnets.iter().enumerate() {
            x = resnet.forward(b, &x, run.next_time())?;
            if let Some(attention) = self.layers.attentions.get(i) {
                x = attention.forward(b, &x, run.next_context())?;
            }
        }
        Ok(x)
    }
}

pub(super) struct UpBlock<B: Backend> {
    pub(super) layers: Layers<B>,
    /// `upsamplers.0.conv`.
    upsampler: Option<B::Conv2d>,
}

impl<B: Backend> UpBlock<B> {
    /// The backends are those of its own level and of the one that its upsampling leads to.
    pub(super) fn load([b, above]: &[B; 2], p: &Params<'_>, block: &BlockSpec, spec: ResnetSpec) -> Result<Self> {
        let input = |i: usize| {
            let below = if i == 0 { block.input } else { block.output };
            let skip = if i + 1 == block.layers { block.last_skip } else { block.output };
            below + skip
        };
        let inputs: Vec<usize> = (0..block.layers).map(input).collect();
        let double = || {
            let c = block.output;
            p.conv2d(above, "upsamplers.0.conv", [c, c, 3], Conv2dSpec::padded(1))
        };
        Ok(Self {
            layers: Layers::load(b, p, &inputs, block.output, block.attention.as_ref(), spec)?,
            upsampler: block.resamples.then(double).transpose()?,
        })
    }

    /// Takes from `run.skips` what the down block of the same size left, and grows to the size of what comes next
    /// there, which is not exactly double where a side was odd.
    pub(super) fn forward(&self, b: &B, mut x: B::Tensor, run: &mut Run<'_, B>) -> Result<B::Tensor> {
        for (i, resnet) in self.layers.resnets.iter().enumerate() {
            if let Some(skip) = run.skips.pop() {
                x = b.concat_channels(&x, &skip)?;
            }
            x = resnet.forward(b, &x, run.next_time())?;
            if let Some(attention) = self.layers.attentions.get(i) {
                x = attention.forward(b, &x, run.next_context())?;
            }
        }
        match (&self.upsampler, run.skips.last()) {
            (Some(upsampler), Some(skip)) => b.upsample_conv2d(&x, b.image_size(skip)?, upsampler, Epilogue::none()),
            _ => Ok(x),
        }
    }
}
