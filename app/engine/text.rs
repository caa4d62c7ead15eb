//! Prompts to what the U-Net is conditioned on.

use crate::{base::Base, fault::Result, networks::Networks};
use fourstep_compute::{Backend, ComputeError};
use fourstep_nets::Conditioning;
use fourstep_protocol::TokenCount;

/// A prompt as the U-Net of one model takes it; computed once per prompt.
pub(crate) struct Prompt<B: Backend> {
    /// Keys and values of every cross-attention.
    pub(crate) conditioning: Conditioning<B>,
    /// SDXL: the pooled vector of the second encoder.
    pub(crate) pooled: Option<B::Tensor>,
    pub(crate) tokens: TokenCount,
}

/// Encodes a prompt. SD1.5 and SD2 take the last hidden state; SDXL the penultimate ones of both encoders, channels
/// of the first, then of the second, and the second's pooled vector (diffusers
/// `pipeline_stable_diffusion_xl.py` `encode_prompt`).
pub(crate) fn encode<B: Backend>(b: &B, base: &Base, networks: &Networks<B>, prompt: &str) -> Result<Prompt<B>> {
    let (context, pooled, tokens) = contexts(b, base, networks, prompt)?;
    Ok(Prompt { conditioning: networks.unet().condition(b, &context)?, pooled, tokens })
}

/// SDXL's empty negative prompt: zeros in the shapes of an encoded prompt.
pub(crate) fn zeros<B: Backend>(b: &B, base: &Base, networks: &Networks<B>) -> Result<Prompt<B>> {
    let (context, pooled, tokens) = contexts(b, base, networks, "")?;
    let zeroed = |x: &B::Tensor| -> Result<B::Tensor> {
        let (values, shape) = b.download_tokens(x)?;
        Ok(b.upload_tokens(&vec![0.0; values.len()], shape)?)
    };
    Ok(Prompt {
        conditioning: networks.unet().condition(b, &zeroed(&context)?)?,
        pooled: pooled.as_ref().map(zeroed).transpose()?,
        tokens,
    })
}

/// Context, pooled vector, tokens used.
type Contexts<T> = (T, Option<T>, TokenCount);

fn contexts<B: Backend>(b: &B, base: &Base, networks: &Networks<B>, prompt: &str) -> Result<Contexts<B::Tensor>> {
    let mut count = TokenCount::default();
    let mut encodings = Vec::new();
    for (text, encoder) in base.text_encoders.iter().zip(networks.text_encoders()) {
        let tokens = text.tokenizer.encode(prompt)?;
        count = TokenCount { used: tokens.used, window: tokens.window };
        encodings.push(encoder.encode(b, &tokens.ids, [1, tokens.ids.len()])?);
    }
    let Some(last) = encodings.pop() else {
        return Err(ComputeError::Unsupported("the model has no text encoder".into()).into());
    };
    match encodings.pop() {
        Some(first) => Ok((b.concat_channels(&first.penultimate, &last.penultimate)?, last.pooled, count)),
        None => Ok((last.last_hidden, None, count)),
    }
}
