//! Request → latents, step by step → picture.

use crate::{
    base::Base,
    fault::{Result, RunError, not_a_number},
    init_image,
    lru::Lru,
    models::{Models, Setup},
    network_set::{Conditions, NetworkSet, PromptKey},
    noise_tape::{NoiseTape, TapeKey},
    samplers::{self, SamplerRun},
    text::Prompt,
    vae::{Device, Vae},
};
use fourstep_compute::{Backend, CancelToken};
use fourstep_protocol::{Event, Finished, Latents, Request, RunId, Timings};
use std::{sync::Arc, time::Instant};

/// Seeds whose noise is kept.
const TAPES_KEPT: usize = 4;

/// Turns requests into pictures and keeps everything that the next request is likely to need again.
pub(crate) struct Pipeline<B: Backend> {
    setup: Setup<B>,
    models: Models<B>,
    tapes: Lru<TapeKey, NoiseTape>,
}

/// One run, as the worker hands it over.
pub(crate) struct Run<'a> {
    pub(crate) id: RunId,
    pub(crate) request: &'a Arc<Request>,
    pub(crate) cancel: CancelToken,
    pub(crate) emit: &'a (dyn Fn(Event) + Sync),
}

impl<B: Backend> Pipeline<B> {
    pub(crate) fn new(setup: Setup<B>) -> Self {
        Self { setup, models: Models::new(), tapes: Lru::new(TAPES_KEPT) }
    }

    /// Paints. Events go out as they happen; the picture is the result.
    pub(crate) fn paint(&mut self, run: &Run<'_>) -> Result<Finished> {
        let b = self.setup.backend.with_cancel(run.cancel.clone());
        let request = &**run.request;
        let info = self.models.info(&self.setup.catalog, &request.model)?;
        request.validate(&info)?;

        let mut timings = Timings::default();
        let clock = Instant::now();
        let model = self.models.ready(&self.setup, &b, run, info)?;
        timings.load_secs = clock.elapsed().as_secs_f64();

        let clock = Instant::now();
        let conditions = model.set.conditions(&b, model.base, request)?;
        timings.text_secs = clock.elapsed().as_secs_f64();

        let shape = [4, request.size.height as usize / 8, request.size.width as usize / 8];
        let key = TapeKey { noise: request.noise, seed: request.seed, shape };
        let tape = self.tapes.get_or_try_insert(key, || Ok::<_, RunError>(NoiseTape::new(key)))?;
        let mut noise = Draws { tape, next: 0 };

        let strength = request.init.as_ref().map(|init| init.strength);
        let mut sampler = samplers::start(request.sampler, &model.base.schedule, request.steps, strength)?;
        let device = Device { backend: &b, cancel: &run.cancel };
        let x = start(&device, model.vae, &*sampler, request, &mut noise)?;
        let steps = sampler.timesteps().len() as u32;
        (run.emit)(Event::Started { run: run.id, steps, prompt_tokens: conditions.prompt.tokens });
        let denoise = Denoise { b: &b, run, base: model.base, set: model.set, conditions: &conditions, shape, clock };
        let latents = Arc::new(denoise.all(&mut *sampler, x, &mut noise, &mut timings)?);

        let decoding = Instant::now();
        let picture = Arc::new(model.vae.decode(&device, &latents)?);
        timings.decode_secs = decoding.elapsed().as_secs_f64();
        timings.total_secs = clock.elapsed().as_secs_f64();
        Ok(Finished { run: run.id, request: run.request.clone(), picture, latents, timings })
    }
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
    device: &Device<'_, B>,
    vae: &mut Vae<B>,
    sampler: &dyn SamplerRun,
    request: &Request,
    noise: &mut Draws<'_>,
) -> Result<Vec<f32>> {
    let Some(init) = &request.init else {
        let sigma = sampler.init_noise_sigma();
        return Ok(noise.draw().iter().map(|n| n * sigma).collect());
    };
    let pixels = init_image::pixels(&init.picture, request.size);
    let latents = vae.encode(device, &pixels, request.size, || noise.draw())?;
    Ok(sampler.add_noise(&latents, &noise.draw())?)
}

/// All steps of one run.
struct Denoise<'a, B: Backend> {
    b: &'a B,
    run: &'a Run<'a>,
    base: &'a Base,
    set: &'a mut NetworkSet<B>,
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
        let time = self.set.time(self.b, self.base, timestep, self.run.request, (prompt, key))?;
        let output = self.set.networks.unet().forward(self.b, x, &time, &prompt.conditioning)?;
        Ok(self.b.download_image(&output)?.0)
    }

    fn latents(&self, data: Vec<f32>) -> Latents {
        let [channels, height, width] = self.shape;
        Latents { channels, height, width, data }
    }
}

#[cfg(test)]
mod tests;
