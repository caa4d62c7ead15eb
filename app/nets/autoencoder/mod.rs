//! The full autoencoder (arXiv 2112.10752 §3.1; diffusers `AutoencoderKL`).

mod blocks;
mod config;

pub use config::AutoencoderConfig;

use crate::params::{Params, affine};
use blocks::{Block, MidBlock};
use config::EPS;
use fourstep_compute::{Activation, Backend, ComputeError, Conv2dSpec, Epilogue, Padding, Result, TensorSource};

/// Latents as the sampler sees them (scaled) ⇄ pictures in −1…1.
pub struct Autoencoder<B: Backend> {
    config: AutoencoderConfig,
    decoder: Decoder<B>,
    encoder: Option<Encoder<B>>,
}

/// A normal distribution of scaled latents, in `[n, c, h, w]` order.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// Its mean, which is also its mode.
    pub mean: Vec<f32>,
    /// Its standard deviation.
    pub std: Vec<f32>,
    /// `[n, c, h, w]`.
    pub shape: [usize; 4],
}

impl Posterior {
    /// `mean + std · noise`; `noise` is standard normal, of the same length.
    pub fn sample(&self, noise: &[f32]) -> Vec<f32> {
        self.mean.iter().zip(&self.std).zip(noise).map(|((mean, std), noise)| mean + std * noise).collect()
    }
}

impl<B: Backend> Autoencoder<B> {
    /// Reads the keys of a diffusers autoencoder, with the new or the old names of attention.
    ///
    /// # Errors
    /// `Missing` and `Shape` naming the key, `Unsupported` naming the option.
    pub fn load(b: &B, source: &dyn TensorSource, config: &AutoencoderConfig) -> Result<Self> {
        let decoder_only = Self::load_decoder(b, source, config)?;
        Ok(Self { encoder: Some(Encoder::load(b, &Params::new(source), config)?), ..decoder_only })
    }

    /// The decoder alone: all that text to image needs.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_decoder(b: &B, source: &dyn TensorSource, config: &AutoencoderConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { decoder: Decoder::load(b, &Params::new(source), config)?, encoder: None, config: config.clone() })
    }

    /// Scaled latents `[n, h, w, latent_channels]` → a picture, twice as large for each block but one, about in −1…1:
    /// nothing is clamped.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn decode(&self, b: &B, latents: &B::Tensor) -> Result<B::Tensor> {
        self.decoder.forward(b, latents)
    }

    /// A picture in −1…1 → the distribution of its scaled latents.
    ///
    /// # Errors
    /// `Unsupported` where only the decoder was loaded; those of the backend.
    pub fn encode(&self, b: &B, image: &B::Tensor) -> Result<Posterior> {
        let decoder_only = || ComputeError::Unsupported("the autoencoder was loaded without its encoder".into());
        let moments = self.encoder.as_ref().ok_or_else(decoder_only)?.forward(b, image)?;
        let (moments, [n, c2, h, w]) = b.download_image(&moments)?;
        let (half, scale) = (c2 / 2 * h * w, self.config.scaling_factor);
        let shift = self.config.shift_factor.unwrap_or(0.0);
        let mut posterior = Posterior { mean: Vec::new(), std: Vec::new(), shape: [n, c2 / 2, h, w] };
        for sample in moments.chunks_exact(2 * half) {
            let (mean, logvar) = sample.split_at(half);
            posterior.mean.extend(mean.iter().map(|mean| (mean - shift) * scale));
            posterior.std.extend(logvar.iter().map(|logvar| (0.5 * logvar.clamp(-30.0, 20.0)).exp() * scale));
        }
        Ok(posterior)
    }

    /// What it was built from.
    pub fn config(&self) -> &AutoencoderConfig {
        &self.config
    }
}

struct Decoder<B: Backend> {
    /// From the sampler's scale to the network's.
    unscale: B::Conv2d,
    post_quant_conv: Option<B::Conv2d>,
    conv_in: B::Conv2d,
    mid_block: MidBlock<B>,
    up_blocks: Vec<Block<B>>,
    conv_norm_out: B::GroupNorm,
    conv_out: B::Conv2d,
}

impl<B: Backend> Decoder<B> {
    fn load(b: &B, root: &Params<'_>, config: &AutoencoderConfig) -> Result<Self> {
        let (p, spec, z) = (root.sub("decoder"), config.resnet()?, config.latent_channels);
        let (same, layers) = (Conv2dSpec::padded(1), config.layers_per_block + 1);
        let channels: Vec<usize> = config.block_out_channels.iter().rev().copied().collect();
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let up_block = |i: usize| {
            let p = p.sub("up_blocks").sub(i);
            let resample = || p.conv2d(b, "upsamplers.0.conv", [channels[i], channels[i], 3], same);
            let resample = (i + 1 < channels.len()).then(resample).transpose()?;
            Block::load(b, &p, [channels[i.saturating_sub(1)], channels[i]], layers, resample, spec)
        };
        let post_quant_conv = || root.conv2d(b, "post_quant_conv", [z, z, 1], Conv2dSpec::padded(0));
        Ok(Self {
            unscale: affine(b, z, 1.0 / config.scaling_factor, config.shift_factor.unwrap_or(0.0))?,
            post_quant_conv: config.use_post_quant_conv.then(post_quant_conv).transpose()?,
            conv_in: p.conv2d(b, "conv_in", [z, first, 3], same)?,
            mid_block: MidBlock::load(b, &p.sub("mid_block"), first, config.mid_block_add_attention, spec)?,
            up_blocks: (0..channels.len()).map(up_block).collect::<Result<_>>()?,
            conv_norm_out: p.group_norm(b, "conv_norm_out", last, spec.groups, EPS)?,
            conv_out: p.conv2d(b, "conv_out", [last, config.out_channels, 3], same)?,
        })
    }

    fn forward(&self, b: &B, latents: &B::Tensor) -> Result<B::Tensor> {
        let mut z = b.conv2d(latents, &self.unscale, Epilogue::none())?;
        if let Some(post_quant_conv) = &self.post_quant_conv {
            z = b.conv2d(&z, post_quant_conv, Epilogue::none())?;
        }
        let x = b.conv2d(&z, &self.conv_in, Epilogue::none())?;
        let mut x = self.mid_block.forward(b, &x)?;
        for block in &self.up_blocks {
            x = block.resnets(b, x)?;
            if let Some(upsampler) = &block.resample {
                let size = b.image_size(&x)?.map(|px| px * 2);
                x = b.upsample_conv2d(&x, size, upsampler, Epilogue::none())?;
            }
        }
        // diffusers fixes SiLU here, whatever act_fn says.
        let h = b.group_norm(&x, &self.conv_norm_out, Some(Activation::Silu))?;
        b.conv2d(&h, &self.conv_out, Epilogue::none())
    }
}

struct Encoder<B: Backend> {
    conv_in: B::Conv2d,
    down_blocks: Vec<Block<B>>,
    mid_block: MidBlock<B>,
    conv_norm_out: B::GroupNorm,
    conv_out: B::Conv2d,
    quant_conv: Option<B::Conv2d>,
}

impl<B: Backend> Encoder<B> {
    fn load(b: &B, root: &Params<'_>, config: &AutoencoderConfig) -> Result<Self> {
        let (p, spec, moments) = (root.sub("encoder"), config.resnet()?, 2 * config.latent_channels);
        let (same, channels) = (Conv2dSpec::padded(1), &config.block_out_channels);
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let down_block = |i: usize| {
            let p = p.sub("down_blocks").sub(i);
            let halving = Conv2dSpec { stride: 2, padding: Padding::BottomRight };
            let resample = || p.conv2d(b, "downsamplers.0.conv", [channels[i], channels[i], 3], halving);
            let resample = (i + 1 < channels.len()).then(resample).transpose()?;
            Block::load(b, &p, [channels[i.saturating_sub(1)], channels[i]], config.layers_per_block, resample, spec)
        };
        let quant_conv = || root.conv2d(b, "quant_conv", [moments, moments, 1], Conv2dSpec::padded(0));
        Ok(Self {
            conv_in: p.conv2d(b, "conv_in", [config.in_channels, first, 3], same)?,
            down_blocks: (0..channels.len()).map(down_block).collect::<Result<_>>()?,
            mid_block: MidBlock::load(b, &p.sub("mid_block"), last, config.mid_block_add_attention, spec)?,
            conv_norm_out: p.group_norm(b, "conv_norm_out", last, spec.groups, EPS)?,
            conv_out: p.conv2d(b, "conv_out", [last, moments, 3], same)?,
            quant_conv: config.use_quant_conv.then(quant_conv).transpose()?,
        })
    }

    /// Means, then logarithms of variances, along the channels.
    fn forward(&self, b: &B, image: &B::Tensor) -> Result<B::Tensor> {
        let mut x = b.conv2d(image, &self.conv_in, Epilogue::none())?;
        for block in &self.down_blocks {
            x = block.resnets(b, x)?;
            if let Some(downsampler) = &block.resample {
                x = b.conv2d(&x, downsampler, Epilogue::none())?;
            }
        }
        let x = self.mid_block.forward(b, &x)?;
        let h = b.group_norm(&x, &self.conv_norm_out, Some(Activation::Silu))?;
        let moments = b.conv2d(&h, &self.conv_out, Epilogue::none())?;
        match &self.quant_conv {
            Some(quant_conv) => b.conv2d(&moments, quant_conv, Epilogue::none()),
            None => Ok(moments),
        }
    }
}
