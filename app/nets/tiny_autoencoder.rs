//! TAESD, the tiny autoencoder (github.com/madebyollin/taesd; diffusers `AutoencoderTiny`): previews in milliseconds.

use crate::{
    config::{activation, unsupported},
    params::{Params, affine},
};
use fourstep_compute::{Activation, Backend, ComputeError, Conv2dSpec, Epilogue, HostTensor, Result, TensorSource};
use serde::Deserialize;

/// Latents as the sampler sees them ⇄ pictures in −1…1.
pub struct TinyAutoencoder<B: Backend> {
    config: TinyAutoencoderConfig,
    decoder: Decoder<B>,
    encoder: Option<Encoder<B>>,
}

/// `vae/config.json` of an `AutoencoderTiny`; absent fields have diffusers' defaults.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names and meanings are those of AutoencoderTiny")]
pub struct TinyAutoencoderConfig {
    pub in_channels: usize,
    pub out_channels: usize,
    pub encoder_block_out_channels: Vec<usize>,
    pub decoder_block_out_channels: Vec<usize>,
    pub act_fn: String,
    pub upsample_fn: String,
    pub latent_channels: usize,
    pub upsampling_scaling_factor: usize,
    pub num_encoder_blocks: Vec<usize>,
    pub num_decoder_blocks: Vec<usize>,
    pub scaling_factor: f32,
    pub shift_factor: f32,
}

impl Default for TinyAutoencoderConfig {
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            encoder_block_out_channels: vec![64; 4],
            decoder_block_out_channels: vec![64; 4],
            act_fn: "relu".into(),
            upsample_fn: "nearest".into(),
            latent_channels: 4,
            upsampling_scaling_factor: 2,
            num_encoder_blocks: vec![1, 3, 3, 3],
            num_decoder_blocks: vec![3, 3, 3, 1],
            scaling_factor: 1.0,
            shift_factor: 0.0,
        }
    }
}

impl<B: Backend> TinyAutoencoder<B> {
    /// Reads `encoder.layers.…` and `decoder.layers.…`.
    ///
    /// # Errors
    /// `Missing` and `Shape` naming the key, `Unsupported` naming the option.
    pub fn load(b: &B, source: &dyn TensorSource, config: &TinyAutoencoderConfig) -> Result<Self> {
        let encoder = Encoder::load(b, &Params::new(source).sub("encoder.layers"), config)?;
        Ok(Self { encoder: Some(encoder), ..Self::load_decoder(b, source, config)? })
    }

    /// The decoder alone: all that a preview needs.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_decoder(b: &B, source: &dyn TensorSource, config: &TinyAutoencoderConfig) -> Result<Self> {
        config.check()?;
        let decoder = Decoder::load(b, &Params::new(source).sub("decoder.layers"), config)?;
        Ok(Self { config: config.clone(), decoder, encoder: None })
    }

    /// Latents `[n, h, w, latent_channels]` → a picture, eight times larger where the autoencoder has four stages,
    /// about in −1…1: nothing is clamped.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn decode(&self, b: &B, latents: &B::Tensor) -> Result<B::Tensor> {
        self.decoder.forward(b, latents)
    }

    /// A picture in −1…1 → latents.
    ///
    /// # Errors
    /// `Unsupported` where only the decoder was loaded; those of the backend.
    pub fn encode(&self, b: &B, image: &B::Tensor) -> Result<B::Tensor> {
        let decoder_only = || ComputeError::Unsupported("the autoencoder was loaded without its encoder".into());
        self.encoder.as_ref().ok_or_else(decoder_only)?.forward(b, image)
    }

    /// What it was built from.
    pub fn config(&self) -> &TinyAutoencoderConfig {
        &self.config
    }
}

impl TinyAutoencoderConfig {
    fn check(&self) -> Result<()> {
        if self.upsample_fn != "nearest" {
            return Err(unsupported("upsample_fn", &self.upsample_fn));
        }
        if !self.scaling_factor.is_normal() {
            return Err(unsupported("scaling_factor", self.scaling_factor));
        }
        width("encoder_block_out_channels", &self.encoder_block_out_channels, &self.num_encoder_blocks)?;
        width("decoder_block_out_channels", &self.decoder_block_out_channels, &self.num_decoder_blocks)?;
        Ok(())
    }

    /// The sampler's latents are the network's own, as TAESD's are.
    fn is_plain(&self) -> bool {
        self.scaling_factor == 1.0 && self.shift_factor == 0.0
    }
}

/// The one width of all stages: no layer changes it, in diffusers neither.
fn width(option: &str, widths: &[usize], blocks: &[usize]) -> Result<usize> {
    match widths {
        [first, rest @ ..] if widths.len() == blocks.len() && rest.iter().all(|w| w == first) => Ok(*first),
        _ => Err(unsupported(option, format_args!("{widths:?} for {} stages", blocks.len()))),
    }
}

struct Decoder<B: Backend> {
    /// From the sampler's scale to the network's, where they differ.
    unscale: Option<B::Conv2d>,
    conv_in: B::Conv2d,
    stages: Vec<Stage<B>>,
    activation: Activation,
    upsampling: usize,
}

/// Some blocks, then a convolution of what they gave, upsampled but in the last stage.
struct Stage<B: Backend> {
    blocks: Vec<Block<B>>,
    conv: B::Conv2d,
}

impl<B: Backend> Decoder<B> {
    fn load(b: &B, p: &Params<'_>, config: &TinyAutoencoderConfig) -> Result<Self> {
        let counts = &config.num_decoder_blocks;
        let c = width("decoder_block_out_channels", &config.decoder_block_out_channels, counts)?;
        let activation = activation("act_fn", &config.act_fn)?;
        let same = Conv2dSpec::padded(1);
        let unscale = || affine(b, config.latent_channels, 1.0 / config.scaling_factor, config.shift_factor);
        let unscale = (!config.is_plain()).then(unscale).transpose()?;
        let conv_in = p.conv2d(b, "0", [config.latent_channels, c, 3], same)?;
        // Keys count the activation behind the first convolution, and each upsampling, as layers.
        let mut layer = 2;
        let mut stages = Vec::with_capacity(counts.len());
        for (i, count) in counts.iter().enumerate() {
            let blocks = Block::load_some(b, p, &mut layer, *count, c, activation)?;
            let conv = if i + 1 < counts.len() {
                layer += 1;
                p.conv2d_no_bias(b, &layer.to_string(), [c, c, 3], same)?
            } else {
                // From 0…1 to −1…1.
                conv_out(b, &p.sub(layer), [config.out_channels, c], 2.0, -1.0)?
            };
            layer += 1;
            stages.push(Stage { blocks, conv });
        }
        Ok(Self { unscale, conv_in, stages, activation, upsampling: config.upsampling_scaling_factor })
    }

    fn forward(&self, b: &B, latents: &B::Tensor) -> Result<B::Tensor> {
        let unscaled = self.unscale.as_ref().map(|unscale| b.conv2d(latents, unscale, Epilogue::none())).transpose()?;
        let x = b.activate(unscaled.as_ref().unwrap_or(latents), Activation::SoftClamp3)?;
        let mut x = b.conv2d(&x, &self.conv_in, Epilogue::activation(self.activation))?;
        let last = self.stages.len() - 1;
        for (i, stage) in self.stages.iter().enumerate() {
            for block in &stage.blocks {
                x = block.forward(b, &x)?;
            }
            x = if i == last {
                b.conv2d(&x, &stage.conv, Epilogue::none())?
            } else {
                let size = b.image_size(&x)?.map(|px| px * self.upsampling);
                b.upsample_conv2d(&x, size, &stage.conv, Epilogue::none())?
            };
        }
        Ok(x)
    }
}

/// A convolution of `[output, input]` channels whose results are multiplied by `scale` and moved by `shift`.
fn conv_out<B: Backend>(
    b: &B,
    p: &Params<'_>,
    [output, input]: [usize; 2],
    scale: f32,
    shift: f32,
) -> Result<B::Conv2d> {
    let weight = p.tensor("weight", &[output, input, 3, 3])?;
    let scaled: Vec<f32> = weight.to_f32().iter().map(|w| w * scale).collect();
    let moved: Vec<f32> = p.tensor("bias", &[output])?.to_f32().iter().map(|v| v * scale + shift).collect();
    let (weight, bias) = (HostTensor::from_f32(weight.shape(), &scaled), HostTensor::from_f32([output], &moved));
    b.pack_conv2d(&weight, Some(&bias), Conv2dSpec::padded(1))
}

struct Encoder<B: Backend> {
    /// From −1…1 to 0…1.
    to_unit: B::Conv2d,
    stages: Vec<EncoderStage<B>>,
    conv_out: B::Conv2d,
}

struct EncoderStage<B: Backend> {
    conv: B::Conv2d,
    blocks: Vec<Block<B>>,
}

impl<B: Backend> Encoder<B> {
    fn load(b: &B, p: &Params<'_>, config: &TinyAutoencoderConfig) -> Result<Self> {
        let counts = &config.num_encoder_blocks;
        let c = width("encoder_block_out_channels", &config.encoder_block_out_channels, counts)?;
        let activation = activation("act_fn", &config.act_fn)?;
        let mut layer = 0;
        let mut stages = Vec::with_capacity(counts.len());
        for (i, count) in counts.iter().enumerate() {
            let name = layer.to_string();
            let conv = if i == 0 {
                p.conv2d(b, &name, [config.in_channels, c, 3], Conv2dSpec::padded(1))?
            } else {
                p.conv2d_no_bias(b, &name, [c, c, 3], Conv2dSpec::halving(1))?
            };
            layer += 1;
            stages.push(EncoderStage { conv, blocks: Block::load_some(b, p, &mut layer, *count, c, activation)? });
        }
        // To the sampler's scale.
        let (scale, shift) = (config.scaling_factor, config.shift_factor);
        Ok(Self {
            to_unit: affine(b, config.in_channels, 0.5, 0.5)?,
            stages,
            conv_out: conv_out(b, &p.sub(layer), [config.latent_channels, c], scale, -shift * scale)?,
        })
    }

    fn forward(&self, b: &B, image: &B::Tensor) -> Result<B::Tensor> {
        let mut x = b.conv2d(image, &self.to_unit, Epilogue::none())?;
        for stage in &self.stages {
            x = b.conv2d(&x, &stage.conv, Epilogue::none())?;
            for block in &stage.blocks {
                x = block.forward(b, &x)?;
            }
        }
        b.conv2d(&x, &self.conv_out, Epilogue::none())
    }
}

/// Three convolutions around an identity (diffusers `AutoencoderTinyBlock`).
struct Block<B: Backend> {
    conv: [B::Conv2d; 3],
    activation: Activation,
}

impl<B: Backend> Block<B> {
    /// The blocks at keys `layer`, `layer + 1`, …
    fn load_some(
        b: &B,
        p: &Params<'_>,
        layer: &mut usize,
        count: usize,
        c: usize,
        activation: Activation,
    ) -> Result<Vec<Self>> {
        let keys = *layer..*layer + count;
        *layer += count;
        keys.map(|key| {
            let conv = |i| p.sub(key).conv2d(b, i, [c, c, 3], Conv2dSpec::padded(1));
            Ok(Self { conv: [conv("conv.0")?, conv("conv.2")?, conv("conv.4")?], activation })
        })
        .collect()
    }

    fn forward(&self, b: &B, x: &B::Tensor) -> Result<B::Tensor> {
        let h = b.conv2d(x, &self.conv[0], Epilogue::activation(self.activation))?;
        let h = b.conv2d(&h, &self.conv[1], Epilogue::activation(self.activation))?;
        b.conv2d(&h, &self.conv[2], Epilogue::residual(x).then(Activation::Relu))
    }
}
