//! Networks with one stack of LoRAs, and what was worked out with them.

use crate::{
    base::Base,
    fault::Result,
    lru::Lru,
    networks::Networks,
    text::{self, Context, Prompt, Tokenized},
};
use fourstep_compute::Backend;
use fourstep_nets::{TimeEmbedding, TimeExtras};
use fourstep_protocol::{Guidance, LoraReport, PromptReading, Request};
use std::sync::Arc;

/// Prompts kept; a person goes back and forth between few, and SDXL's keys and values are 55 MB each.
const PROMPTS_KEPT: usize = 8;
/// Texts kept as they were encoded, to mix them; SDXL's are 0.6 MB each.
const TEXTS_KEPT: usize = 16;
/// Time embeddings kept: those of the step counts in use.
const TIMES_KEPT: usize = 64;

/// Networks with one stack of LoRAs.
pub(crate) struct NetworkSet<B: Backend> {
    /// What became of each LoRA.
    pub(crate) reports: Vec<LoraReport>,
    pub(crate) networks: Networks<B>,
    texts: Lru<TextKey, Arc<Context<B>>>,
    prompts: Lru<PromptKey, Arc<Prompt<B>>>,
    times: Lru<TimeKey, Arc<TimeEmbedding<B>>>,
}

/// A prompt: texts and their parts of it. Compared at every step, so it is shared and not copied.
pub(crate) type PromptKey = Arc<Vec<(TextKey, u32)>>;

/// A text in a number of chunks.
#[derive(Clone, PartialEq)]
pub(crate) struct TextKey {
    text: String,
    /// SDXL's empty negative prompt: zeros instead of what the encoders say.
    zeros: bool,
    chunks: usize,
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
    /// How the prompt itself was read.
    pub(crate) reading: Arc<PromptReading>,
}

/// A text that is tokenised, and its part of the mix.
struct Spoken<'a> {
    text: &'a str,
    weight: f32,
    tokens: Tokenized,
}

impl<B: Backend> NetworkSet<B> {
    pub(crate) fn new(reports: Vec<LoraReport>, networks: Networks<B>) -> Self {
        Self {
            reports,
            networks,
            texts: Lru::new(TEXTS_KEPT),
            prompts: Lru::new(PROMPTS_KEPT),
            times: Lru::new(TIMES_KEPT),
        }
    }

    /// Both prompts have as many chunks as the longer one, and so has everything that is mixed.
    pub(crate) fn conditions(&mut self, b: &B, base: &Base, request: &Request) -> Result<Conditions<B>> {
        let guided = base.info.runs_unconditional(request.guidance_scale);
        let tokenize = |(text, weight)| Ok(Spoken { text, weight, tokens: Tokenized::new(base, text)? });
        let mut spoken = request.prompts().into_iter().map(tokenize).collect::<Result<Vec<_>>>()?;
        let reading = Arc::new(spoken.first().map(|first| first.tokens.reading.clone()).unwrap_or_default());
        spoken.retain(|part| part.weight > 0.0);
        let negative = guided.then(|| tokenize((request.negative_prompt.as_str(), 1.0))).transpose()?;
        let chunks = spoken.iter().chain(&negative).map(|part| part.tokens.chunks()).max().unwrap_or_default();
        let (prompt, prompt_key) = self.prompt(b, base, &spoken, (chunks, false))?;
        let negative = negative.map(|negative| {
            let zeros = base.zero_empty_negative && negative.text.trim().is_empty();
            self.prompt(b, base, &[negative], (chunks, zeros))
        });
        Ok(Conditions { prompt, prompt_key, negative: negative.transpose()?, reading })
    }

    /// What the parts come to, each with so many chunks.
    fn prompt(
        &mut self,
        b: &B,
        base: &Base,
        parts: &[Spoken<'_>],
        (chunks, zeros): (usize, bool),
    ) -> Result<(Arc<Prompt<B>>, PromptKey)> {
        let text_key = |text: &str| TextKey { text: text.to_owned(), zeros, chunks };
        let key: PromptKey =
            Arc::new(parts.iter().map(|part| (text_key(part.text), part.weight.to_bits())).collect::<Vec<_>>());
        let Self { networks, texts, prompts, .. } = self;
        let encode = || -> Result<_> {
            let mut encoded = Vec::new();
            for part in parts {
                let encode = || text::context(b, base, networks, &part.tokens, chunks).map(Arc::new);
                encoded.push((texts.get_or_try_insert(text_key(part.text), encode)?.clone(), part.weight));
            }
            Ok(Arc::new(match &*encoded {
                [(only, _)] if zeros => text::condition(b, networks, &only.zeros(b)?)?,
                [(only, _)] => text::condition(b, networks, only)?,
                mixed => {
                    let mixed: Vec<_> = mixed.iter().map(|(context, weight)| (&**context, *weight)).collect();
                    text::condition(b, networks, &text::mean(b, &mixed)?)?
                }
            }))
        };
        Ok((prompts.get_or_try_insert(key.clone(), encode)?.clone(), key))
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
