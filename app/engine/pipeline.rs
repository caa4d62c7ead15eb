//! Request → latents, step by step → picture.

use crate::{
    fault::{Result, RunError, not_a_number},
    init_image,
    lru::Lru,
    model::{Base, Loading, Networks},
    noise_tape::{NoiseTape, TapeKey},
    observed::Throttled,
    samplers::{self, SamplerRun},
    text::{self, Prompt},
};
use fourstep_catalog::Catalog;
use fourstep_compute::{Backend, CancelToken};
use fourstep_nets::{TimeEmbedding, TimeExtras};
use fourstep_protocol::{
    Event, Finished, Guidance, Latents, LoraRef, ModelInfo, ModelRef, Picture, Request, RunId, Timings,
};
use std::{sync::Arc, time::Instant};

/// Models kept on the device. Two, so that comparing a model with its own slow recipe does not load at each turn.
const MODELS_KEPT: usize = 2;
/// Prompts kept per model; a person goes back and forth between few, and SDXL's keys and values are 55 MB each.
const PROMPTS_KEPT: usize = 8;
/// Time embeddings kept per model: those of the step counts in use.
const TIMES_KEPT: usize = 64;
/// Seeds whose noise is kept.
const TAPES_KEPT: usize = 4;

/// Turns requests into pictures and keeps everything that the next request is likely to need again.
pub(crate) struct Pipeline<B: Backend> {
    backend: B,
    catalog: Catalog,
    bases: Bases<B>,
    models: Lru<(ModelRef, Vec<LoraRef>), Model<B>>,
    tapes: Lru<TapeKey, NoiseTape>,
}

type Bases<B> = Lru<ModelRef, Arc<Base<B>>>;

/// One run, as the worker hands it over.
pub(crate) struct Run<'a> {
    pub(crate) id: RunId,
    pub(crate) request: &'a Arc<Request>,
    pub(crate) cancel: CancelToken,
    pub(crate) emit: &'a (dyn Fn(Event) + Sync),
}

struct Model<B: Backend> {
    base: Arc<Base<B>>,
    networks: Networks<B>,
    prompts: Lru<PromptKey, Arc<Prompt<B>>>,
    times: Lru<TimeKey, Arc<TimeEmbedding<B>>>,
}

#[derive(Clone, PartialEq)]
enum PromptKey {
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

impl<B: Backend> Pipeline<B> {
    pub(crate) fn new(backend: B, catalog: Catalog) -> Self {
        Self {
            backend,
            catalog,
            bases: Lru::new(MODELS_KEPT),
            models: Lru::new(MODELS_KEPT),
            tapes: Lru::new(TAPES_KEPT),
        }
    }

    /// Paints. Events go out as they happen; the picture is the result.
    pub(crate) fn paint(&mut self, run: &Run<'_>) -> Result<Finished> {
        let b = self.backend.with_cancel(run.cancel.clone());
        let request = &**run.request;
        // What a model is stands in its files; those of an open model are not read again at every keystroke.
        let info = match self.bases.get(&request.model) {
            Some(base) => base.info.clone(),
            None => self.catalog.inspect(&request.model)?,
        };
        request.validate(&info)?;

        let mut timings = Timings::default();
        let clock = Instant::now();
        let (bases, catalog) = (&mut self.bases, &self.catalog);
        let key = (request.model.clone(), request.loras.clone());
        let model = self.models.get_or_try_insert(key, || Model::load(&b, catalog, bases, info, run))?;
        timings.load_secs = clock.elapsed().as_secs_f64();

        let clock = Instant::now();
        let conditions = model.conditions(&b, request)?;
        timings.text_secs = clock.elapsed().as_secs_f64();

        let shape = [4, request.size.height as usize / 8, request.size.width as usize / 8];
        let key = TapeKey { noise: request.noise, seed: request.seed, shape };
        let tape = self.tapes.get_or_try_insert(key, || Ok::<_, RunError>(NoiseTape::new(key)))?;
        let mut noise = Draws { tape, next: 0 };

        let strength = request.init.as_ref().map(|init| init.strength);
        let mut sampler = samplers::start(request.sampler, &model.base.schedule, request.steps, strength)?;
        let x = start(&b, model, &*sampler, request, &mut noise)?;
        let steps = sampler.timesteps().len() as u32;
        (run.emit)(Event::Started { run: run.id, steps, prompt_tokens: conditions.prompt.tokens });
        let denoise = Denoise { b: &b, run, model, conditions: &conditions, shape, clock };
        let latents = Arc::new(denoise.all(&mut *sampler, x, &mut noise, &mut timings)?);

        let decoding = Instant::now();
        let picture = Arc::new(decode(&b, &model.base, &latents)?);
        timings.decode_secs = decoding.elapsed().as_secs_f64();
        timings.total_secs = clock.elapsed().as_secs_f64();
        Ok(Finished { run: run.id, request: run.request.clone(), picture, latents, timings })
    }
}

impl<B: Backend> Model<B> {
    fn load(b: &B, catalog: &Catalog, bases: &mut Bases<B>, info: ModelInfo, run: &Run<'_>) -> Result<Self> {
        let request = run.request;
        let what = info.name.clone();
        let emit = |fraction| (run.emit)(Event::Loading { run: run.id, what: what.clone(), fraction });
        emit(0.0);
        let open = || Base::open(b, catalog, info, &run.cancel).map(Arc::new);
        let base = bases.get_or_try_insert(request.model.clone(), open)?.clone();
        let progress = Throttled::new(&emit);
        let loading = Loading { cancel: run.cancel.clone(), progress: &|fraction| progress.tell(fraction) };
        let networks = base.networks(b, catalog, &request.loras, &loading)?;
        Ok(Self { base, networks, prompts: Lru::new(PROMPTS_KEPT), times: Lru::new(TIMES_KEPT) })
    }

    fn conditions(&mut self, b: &B, request: &Request) -> Result<Conditions<B>> {
        let guided = self.base.info.runs_unconditional(request.guidance_scale);
        let key = PromptKey::Text(request.prompt.clone());
        let prompt = self.prompt(b, &key)?;
        if !guided {
            return Ok(Conditions { prompt, prompt_key: key, negative: None });
        }
        let negative_key = match request.negative_prompt.trim() {
            "" if self.base.zero_empty_negative => PromptKey::Zeros,
            _ => PromptKey::Text(request.negative_prompt.clone()),
        };
        let negative = self.prompt(b, &negative_key)?;
        Ok(Conditions { prompt, prompt_key: key, negative: Some((negative, negative_key)) })
    }

    fn prompt(&mut self, b: &B, key: &PromptKey) -> Result<Arc<Prompt<B>>> {
        let (base, networks) = (&self.base, &self.networks);
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
    fn time(
        &mut self,
        b: &B,
        timestep: f32,
        request: &Request,
        prompt: &Prompt<B>,
        key: &PromptKey,
    ) -> Result<Arc<TimeEmbedding<B>>> {
        let embedded = matches!(self.base.info.guidance, Guidance::Embedded { .. });
        let guidance_scale = embedded.then_some(request.guidance_scale);
        let [h, w] = [request.size.height, request.size.width];
        let time_ids = [h as f32, w as f32, 0.0, 0.0, h as f32, w as f32];
        let text_time = prompt.pooled.as_ref().map(|pooled| (pooled, time_ids));
        let cache_key = TimeKey {
            timestep: timestep.to_bits(),
            guidance_scale: guidance_scale.map(f32::to_bits),
            text: text_time.is_some().then(|| (key.clone(), [h, w])),
        };
        let unet = &self.networks.unet;
        let embed = || unet.time(b, timestep, TimeExtras { guidance_scale, text_time }).map(Arc::new);
        Ok(self.times.get_or_try_insert(cache_key, embed)?.clone())
    }
}

/// What a run is conditioned on.
struct Conditions<B: Backend> {
    prompt: Arc<Prompt<B>>,
    prompt_key: PromptKey,
    /// Present where the unconditional pass runs.
    negative: Option<(Arc<Prompt<B>>, PromptKey)>,
}

/// The draws of one run, in order.
struct Draws<'a> {
    tape: &'a mut NoiseTape,
    next: usize,
}

impl Draws<'_> {
    fn draw(&mut self) -> Arc<[f32]> {
        self.next += 1;
        self.tape.draw(self.next - 1)
    }
}

/// The latents a run begins with: noise, or a noised picture.
fn start<B: Backend>(
    b: &B,
    model: &Model<B>,
    sampler: &dyn SamplerRun,
    request: &Request,
    noise: &mut Draws<'_>,
) -> Result<Vec<f32>> {
    let Some(init) = &request.init else {
        let sigma = sampler.init_noise_sigma();
        return Ok(noise.draw().iter().map(|n| n * sigma).collect());
    };
    let latents = init_image::encode(b, &model.base.vae, &init.picture, request.size, || noise.draw())?;
    Ok(sampler.add_noise(&latents, &noise.draw())?)
}

/// All steps of one run.
struct Denoise<'a, B: Backend> {
    b: &'a B,
    run: &'a Run<'a>,
    model: &'a mut Model<B>,
    conditions: &'a Conditions<B>,
    shape: [usize; 3],
    clock: Instant,
}

impl<B: Backend> Denoise<'_, B> {
    fn all(
        mut self,
        sampler: &mut dyn SamplerRun,
        mut x: Vec<f32>,
        noise: &mut Draws<'_>,
        timings: &mut Timings,
    ) -> Result<Latents> {
        let timesteps = sampler.timesteps().to_vec();
        let steps = timesteps.len() as u32;
        for (i, timestep) in timesteps.into_iter().enumerate() {
            let clock = Instant::now();
            let output = self.predict(&sampler.scale_model_input(i, &x), timestep)?;
            let step = sampler.step(i, &x, &output, &mut |_| noise.draw().to_vec())?;
            let denoised = self.latents(step.denoised);
            if !denoised.is_finite() {
                return Err(not_a_number("latents"));
            }
            x = step.next;
            timings.step_secs.push(clock.elapsed().as_secs_f64());
            (self.run.emit)(Event::Step {
                run: self.run.id,
                step: i as u32 + 1,
                steps,
                denoised: Arc::new(denoised),
                elapsed_secs: self.clock.elapsed().as_secs_f64(),
            });
        }
        Ok(self.latents(x))
    }

    /// The network's output for one step, guided where the unconditional pass runs.
    fn predict(&mut self, x: &[f32], timestep: f32) -> Result<Vec<f32>> {
        let [c, h, w] = self.shape;
        let x = self.b.upload_image(x, [1, c, h, w])?;
        let conditions = self.conditions;
        let cond = self.pass(&x, timestep, &conditions.prompt, &conditions.prompt_key)?;
        let Some((negative, key)) = &conditions.negative else { return Ok(cond) };
        let uncond = self.pass(&x, timestep, negative, key)?;
        let scale = self.run.request.guidance_scale;
        Ok(cond.iter().zip(&uncond).map(|(c, u)| u + scale * (c - u)).collect())
    }

    fn pass(&mut self, x: &B::Tensor, timestep: f32, prompt: &Prompt<B>, key: &PromptKey) -> Result<Vec<f32>> {
        let time = self.model.time(self.b, timestep, self.run.request, prompt, key)?;
        let output = self.model.networks.unet.forward(self.b, x, &time, &prompt.conditioning)?;
        Ok(self.b.download_image(&output)?.0)
    }

    fn latents(&self, data: Vec<f32>) -> Latents {
        let [channels, height, width] = self.shape;
        Latents { channels, height, width, data }
    }
}

fn decode<B: Backend>(b: &B, base: &Base<B>, latents: &Latents) -> Result<Picture> {
    let image = base.vae.decode(b, &b.upload_image(&latents.data, latents.shape())?)?;
    let (pixels, [_, _, h, w]) = b.download_image(&image)?;
    Picture::from_chw(&pixels, w as u32, h as u32).map_err(|_| not_a_number("pixels"))
}

#[cfg(test)]
mod tests;
