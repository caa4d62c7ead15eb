//! Prompts to what the U-Net is conditioned on.

use crate::{
    base::Base,
    chunks::{Chunk, chunks},
    fault::Result,
    networks::Networks,
};
use fourstep_compute::{Backend, ComputeError};
use fourstep_nets::{ClipTextEncoder, Conditioning, TextEncoding};
use fourstep_protocol::PromptReading;

/// A prompt, or a mix of prompts, as the U-Net of one model takes it.
pub(crate) struct Prompt<B: Backend> {
    /// Keys and values of every cross-attention.
    pub(crate) conditioning: Conditioning<B>,
    /// SDXL: the pooled vector of the second encoder.
    pub(crate) pooled: Option<B::Tensor>,
}

/// What the text encoders say about a prompt.
pub(crate) struct Context<B: Backend> {
    /// `[1, 77·chunks, c]`
    hidden: B::Tensor,
    pooled: Option<B::Tensor>,
}

/// The tokens of a prompt for each text encoder.
pub(crate) struct Tokenized {
    encoders: Vec<Vec<Chunk>>,
    pub(crate) reading: PromptReading,
}

impl Tokenized {
    pub(crate) fn new(base: &Base, prompt: &str) -> Result<Self> {
        let mut tokenized = Self { encoders: Vec::new(), reading: PromptReading::default() };
        for text in &base.text_encoders {
            let read = chunks(&text.tokenizer, prompt)?;
            tokenized.encoders.push(read.chunks);
            tokenized.reading = read.reading;
        }
        Ok(tokenized)
    }

    /// Chunks of the encoder that needs most.
    pub(crate) fn chunks(&self) -> usize {
        self.encoders.iter().map(Vec::len).max().unwrap_or_default()
    }
}

/// Encodes a prompt; chunks that are missing up to `count` are those of an empty prompt. SD1.5 and SD2 take the last
/// hidden state; SDXL the penultimate ones of both encoders, channels of the first, then of the second, and the second's
/// pooled vector (diffusers `pipeline_stable_diffusion_xl.py` `encode_prompt`).
pub(crate) fn context<B: Backend>(
    b: &B,
    base: &Base,
    networks: &Networks<B>,
    prompt: &Tokenized,
    count: usize,
) -> Result<Context<B>> {
    let xl = prompt.encoders.len() > 1;
    let mut encoded = Vec::new();
    for ((text, encoder), chunks) in base.text_encoders.iter().zip(networks.text_encoders()).zip(&prompt.encoders) {
        let mut chunks = chunks.clone();
        chunks.resize(count.max(chunks.len()), Chunk::empty(&text.tokenizer));
        encoded.push(encode(b, encoder, &chunks, xl)?);
    }
    let Some(last) = encoded.pop() else {
        return Err(ComputeError::Unsupported("the model has no text encoder".into()).into());
    };
    Ok(match encoded.pop() {
        Some(first) => Context { hidden: b.concat_channels(&first.hidden, &last.hidden)?, pooled: last.pooled },
        None => Context { hidden: last.hidden, pooled: None },
    })
}

/// Chunks one behind the other, each encoded by itself. The pooled vector is that of the first, without weights.
fn encode<B: Backend>(b: &B, encoder: &ClipTextEncoder<B>, chunks: &[Chunk], xl: bool) -> Result<Context<B>> {
    let pick = |encoding: TextEncoding<B::Tensor>| match xl {
        true => (encoding.penultimate, encoding.pooled),
        false => (encoding.last_hidden, encoding.pooled),
    };
    let ids = chunks.iter().flat_map(|chunk| chunk.ids.iter().copied()).collect::<Vec<_>>();
    let (n, l) = (chunks.len(), ids.len() / chunks.len().max(1));
    let (hidden, pooled) = pick(encoder.encode(b, &ids, [n, l])?);
    if n == 1 && !chunks[0].is_weighted() {
        return Ok(Context { hidden, pooled });
    }
    let (mut values, [_, _, c]) = b.download_tokens(&hidden)?;
    for (chunk, values) in chunks.iter().zip(values.chunks_mut(l * c)).filter(|(chunk, _)| chunk.is_weighted()) {
        emphasise(values, &chunk.weights, c);
    }
    let pooled = pooled.as_ref().map(|pooled| first(b, pooled)).transpose()?;
    Ok(Context { hidden: b.upload_tokens(&values, [1, n * l, c])?, pooled })
}

/// Multiplies each token's vector by its weight and brings the mean of all values back to what it was: AUTOMATIC1111's
/// emphasis "Original" (`sd_emphasis.py`). A mean that would be lost in rounding is left alone.
fn emphasise(values: &mut [f32], weights: &[f32], c: usize) {
    let sum = |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>();
    let before = sum(values);
    for (vector, weight) in values.chunks_mut(c).zip(weights) {
        vector.iter_mut().for_each(|v| *v *= weight);
    }
    let ratio = (before / sum(values)) as f32;
    if ratio.is_finite() {
        values.iter_mut().for_each(|v| *v *= ratio);
    }
}

/// The first of several vectors.
fn first<B: Backend>(b: &B, pooled: &B::Tensor) -> Result<B::Tensor> {
    let (values, [_, l, c]) = b.download_tokens(pooled)?;
    Ok(b.upload_tokens(&values[..l * c], [1, l, c])?)
}

impl<B: Backend> Context<B> {
    /// SDXL's empty negative prompt: zeros in the shapes of an encoded prompt.
    pub(crate) fn zeros(&self, b: &B) -> Result<Self> {
        mean(b, &[(self, 0.0)])
    }
}

/// The weighted sum of contexts of equal length, and of their pooled vectors.
pub(crate) fn mean<B: Backend>(b: &B, parts: &[(&Context<B>, f32)]) -> Result<Context<B>> {
    let sum = |tensors: Vec<(&B::Tensor, f32)>| -> Result<B::Tensor> {
        let (mut total, mut shape) = (Vec::new(), [0; 3]);
        for (tensor, weight) in tensors {
            let (values, its_shape) = b.download_tokens(tensor)?;
            total.resize(values.len(), 0.0);
            total.iter_mut().zip(values).for_each(|(t, v)| *t += weight * v);
            shape = its_shape;
        }
        Ok(b.upload_tokens(&total, shape)?)
    };
    let pooled: Option<Vec<_>> = parts.iter().map(|(part, weight)| Some((part.pooled.as_ref()?, *weight))).collect();
    Ok(Context {
        hidden: sum(parts.iter().map(|(part, weight)| (&part.hidden, *weight)).collect())?,
        pooled: pooled.map(sum).transpose()?,
    })
}

/// What the U-Net keeps of a context.
pub(crate) fn condition<B: Backend>(b: &B, networks: &Networks<B>, context: &Context<B>) -> Result<Prompt<B>> {
    Ok(Prompt { conditioning: networks.unet().condition(b, &context.hidden)?, pooled: context.pooled.clone() })
}

#[cfg(test)]
mod golden;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emphasis_keeps_the_mean() {
        let mut values = [1.0, 3.0, 2.0, 2.0, -1.0, 1.0];
        emphasise(&mut values, &[1.0, 1.5, 1.0], 2);
        let ratio = 8.0 / 10.0;
        assert_eq!(values, [1.0, 3.0, 3.0, 3.0, -1.0, 1.0].map(|v: f32| v * ratio));
        let mut none = [1.0, -1.0];
        emphasise(&mut none, &[2.0], 2);
        assert!(none.iter().all(|v| v.is_finite()), "{none:?}");
    }
}
