//! Networks with one stack of LoRAs, and what was worked out with them.

use crate::{
    base::Base,
    fault::Result,
    lru::Lru,
    networks::Networks,
    text::{self, Prompt},
};
use fourstep_compute::Backend;
use fourstep_nets::{TimeEmbedding, TimeExtras};
use fourstep_protocol::{Guidance, LoraReport, Request};
use std::sync::Arc;

/// Prompts kept; a person goes back and forth between few, and SDXL's keys and values are 55 MB each.
const PROMPTS_KEPT: usize = 8;
/// Time embeddings kept: those of the step counts in use.
const TIMES_KEPT: usize = 64;

/// Networks with one stack of LoRAs.
pub(crate) struct NetworkSet<B: Backend> {
    /// What became of each LoRA.
    pub(crate) reports: Vec<LoraReport>,
    pub(crate) networks: Networks<B>,
    prompts: Lru<PromptKey, Arc<Prompt<B>>>,
    times: Lru<TimeKey, Arc<TimeEmbedding<B>>>,
}

#[derive(Clone, PartialEq)]
pub(crate) enum PromptKey {
    Text(String),
    Zeros,
}

#[derive(PartialEq)]
struct TimeKey {
    timestep: u32,
    guidance_scale: Option<u32>,
    /// SDXL puts prompt and size into the time embedding.
    text: Option<(PromptKey, [u32; 2])>,
}

/// What a run is conditioned on.
pub(crate) struct Conditions<B: Backend> {
    pub(crate) prompt: Arc<Prompt<B>>,
    pub(crate) prompt_key: PromptKey,
    /// Present where the unconditional pass runs.
    pub(crate) negative: Option<(Arc<Prompt<B>>, PromptKey)>,
}

impl<B: Backend> NetworkSet<B> {
    pub(crate) fn new(reports: Vec<LoraReport>, networks: Networks<B>) -> Self {
        Self { reports, networks, prompts: Lru::new(PROMPTS_KEPT), times: Lru::new(TIMES_KEPT) }
    }

    pub(crate) fn conditions(&mut self, b: &B, base: &Base, request: &Request) -> Result<Conditions<B>> {
        let guided = base.info.runs_unconditional(request.guidance_scale);
        let prompt_key = PromptKey::Text(request.prompt.clone());
        let prompt = self.prompt(b, base, &prompt_key)?;
        if !guided {
            return Ok(Conditions { prompt, prompt_key, negative: None });
        }
        let negative_key = match request.negative_prompt.trim() {
            "" if base.zero_empty_negative => PromptKey::Zeros,
            _ => PromptKey::Text(request.negative_prompt.clone()),
        };
        let negative = self.prompt(b, base, &negative_key)?;
        Ok(Conditions { prompt, prompt_key, negative: Some((negative, negative_key)) })
    }

    fn prompt(&mut self, b: &B, base: &Base, key: &PromptKey) -> Result<Arc<Prompt<B>>> {
        let networks = &self.networks;
        let encode = || -> Result<_> {
            Ok(Arc::new(match key {
                PromptKey::Text(prompt) => text::encode(b, base, networks, prompt)?,
                PromptKey::Zeros => text::zeros(b, base, networks)?,
            }))
        };
        Ok(self.prompts.get_or_try_insert(key.clone(), encode)?.clone())
    }

    /// The time embedding of one timestep. In SDXL it holds the pooled prompt and the size; both as diffusers'
    /// pipelines set them: original and target size are the picture's, nothing is cropped.
    pub(crate) fn time(
        &mut self,
        b: &B,
        base: &Base,
        timestep: f32,
        request: &Request,
        (prompt, key): (&Prompt<B>, &PromptKey),
    ) -> Result<Arc<TimeEmbedding<B>>> {
        let embedded = matches!(base.info.guidance, Guidance::Embedded { .. });
        let guidance_scale = embedded.then_some(request.guidance_scale);
        let [h, w] = [request.size.height, request.size.width];
        let time_ids = [h as f32, w as f32, 0.0, 0.0, h as f32, w as f32];
        let text_time = prompt.pooled.as_ref().map(|pooled| (pooled, time_ids));
        let cache_key = TimeKey {
            timestep: timestep.to_bits(),
            guidance_scale: guidance_scale.map(f32::to_bits),
            text: text_time.is_some().then(|| (key.clone(), [h, w])),
        };
        let unet = self.networks.unet();
        let embed = || unet.time(b, timestep, TimeExtras { guidance_scale, text_time }).map(Arc::new);
        Ok(self.times.get_or_try_insert(cache_key, embed)?.clone())
    }
}
