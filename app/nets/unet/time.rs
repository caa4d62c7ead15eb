//! What the U-Net knows about the step: timestep, and guidance or picture size where a model takes them.

use super::UNetConfig;
use crate::{
    config::unsupported,
    embedding::{Sinusoids, TimestepEmbedding, embed_guidance},
    params::Params,
};
use fourstep_compute::{Activation, Backend, ComputeError, Epilogue, Result};

/// What some models want to know besides the timestep.
pub struct TimeExtras<'a, T> {
    /// Guidance of a full latent consistency model (arXiv 2310.04378 §4.3); `None`: no guidance embedding is added.
    pub guidance_scale: Option<f32>,
    /// SDXL: the pooled text vector `[n, 1, c]`, and original height and width, top and left of the crop, target
    /// height and width, in px.
    pub text_time: Option<(&'a T, [f32; 6])>,
}

impl<T> Clone for TimeExtras<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TimeExtras<'_, T> {}

impl<T> Default for TimeExtras<'_, T> {
    fn default() -> Self {
        Self { guidance_scale: None, text_time: None }
    }
}

/// The layers behind [`UNet::time`](super::UNet::time).
pub(super) struct TimeLayers<B: Backend> {
    time_proj: Sinusoids,
    time_embedding: TimestepEmbedding<B>,
    /// `time_embedding.cond_proj`, with its input's width.
    cond_proj: Option<(usize, B::Linear)>,
    add_embedding: Option<AddEmbedding<B>>,
    activation: Activation,
}

/// SDXL's `text_time` embedding.
struct AddEmbedding<B: Backend> {
    add_time_proj: Sinusoids,
    add_embedding: TimestepEmbedding<B>,
}

impl<B: Backend> TimeLayers<B> {
    pub(super) fn load(b: &B, p: &Params<'_>, config: &UNetConfig, activation: Activation) -> Result<Self> {
        let input = config.block_out_channels[0];
        let output = config.time_channels();
        let sinusoids =
            |channels| Sinusoids { channels, flip_sin_to_cos: config.flip_sin_to_cos, freq_shift: config.freq_shift };
        let guidance = |c| p.linear_no_bias(b, "time_embedding.cond_proj", c, input).map(|w| (c, w));
        let add_embedding = match config.addition_embed_type.as_deref() {
            None => None,
            Some("text_time") => {
                let absent = |option| move || unsupported(option, "null");
                let sizes = config.addition_time_embed_dim.ok_or_else(absent("addition_time_embed_dim"))?;
                let option = "projection_class_embeddings_input_dim";
                let width = config.projection_class_embeddings_input_dim.ok_or_else(absent(option))?;
                Some(AddEmbedding {
                    add_time_proj: sinusoids(sizes),
                    add_embedding: TimestepEmbedding::load(b, &p.sub("add_embedding"), width, output, activation)?,
                })
            }
            Some(other) => return Err(unsupported("addition_embed_type", other)),
        };
        Ok(Self {
            time_proj: sinusoids(input),
            time_embedding: TimestepEmbedding::load(b, &p.sub("time_embedding"), input, output, activation)?,
            cond_proj: config.time_cond_proj_dim.map(guidance).transpose()?,
            add_embedding,
            activation,
        })
    }

    /// The activated embedding, `[n, 1, time_channels]`; n = 1 without `text_time`.
    pub(super) fn forward(&self, b: &B, timestep: f32, extras: &TimeExtras<'_, B::Tensor>) -> Result<B::Tensor> {
        match (&self.add_embedding, extras.text_time) {
            (None, None) => {
                let time = self.sinusoids(b, timestep, extras.guidance_scale, 1)?;
                self.time_embedding.forward(b, &time, Epilogue::activation(self.activation))
            }
            (Some(added), Some((pooled, sizes))) => {
                let (_, [n, ..]) = b.download_tokens(pooled)?;
                let added = added.forward(b, pooled, n, sizes)?;
                let time = self.sinusoids(b, timestep, extras.guidance_scale, n)?;
                self.time_embedding.forward(b, &time, Epilogue::residual(&added).then(self.activation))
            }
            (Some(_), None) => {
                Err(ComputeError::Unsupported("this model needs the pooled text vector and sizes (text_time)".into()))
            }
            (None, Some(_)) => Err(ComputeError::Unsupported("this model takes no text_time".into())),
        }
    }

    /// The timestep's sinusoids, plus the projected ones of guidance; `n` times the same.
    fn sinusoids(&self, b: &B, timestep: f32, guidance_scale: Option<f32>, n: usize) -> Result<B::Tensor> {
        let time = upload(b, &self.time_proj.embed(timestep), n)?;
        match (&self.cond_proj, guidance_scale) {
            (_, None) => Ok(time),
            (Some((channels, cond_proj)), Some(scale)) => {
                let w = embed_guidance(scale, *channels);
                b.linear(&upload(b, &w, n)?, cond_proj, Epilogue::residual(&time))
            }
            (None, Some(_)) => Err(ComputeError::Unsupported("this model takes no guidance embedding".into())),
        }
    }
}

impl<B: Backend> AddEmbedding<B> {
    fn forward(&self, b: &B, pooled: &B::Tensor, n: usize, sizes: [f32; 6]) -> Result<B::Tensor> {
        let sizes = sizes.map(|size| self.add_time_proj.embed(size)).concat();
        let x = b.concat_channels(pooled, &upload(b, &sizes, n)?)?;
        self.add_embedding.forward(b, &x, Epilogue::none())
    }
}

/// The same vector for `n` samples.
fn upload<B: Backend>(b: &B, values: &[f32], n: usize) -> Result<B::Tensor> {
    b.upload_tokens(&values.repeat(n), [n, 1, values.len()])
}
