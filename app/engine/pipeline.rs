//! Request → latents, step by step → picture.

use crate::{
    base::Base,
    denoise::{Denoise, Watch},
    fault::{Result, RunError},
    init_image,
    lru::Lru,
    mask::{Outside, Region},
    model::Loaded,
    models::{Models, Setup},
    noise_tape::{NoiseTape, TapeKey},
    samplers,
    vae::{Device, Vae},
    way::{Followed, Way, WayKey},
};
use fourstep_compute::{Backend, CancelToken};
use fourstep_protocol::{Anchor, Event, Finished, Latents, Request, RunId, Timings};
use std::{sync::Arc, time::Instant};

/// Seeds whose noise is kept.
const TAPES_KEPT: usize = 4;
/// Runs that others follow.
const WAYS_KEPT: usize = 4;

/// Turns requests into pictures and keeps everything that the next request is likely to need again.
pub(crate) struct Pipeline<B: Backend> {
    setup: Setup<B>,
    models: Models<B>,
    tapes: Lru<TapeKey, NoiseTape>,
    ways: Lru<WayKey, Way>,
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
        Self { setup, models: Models::new(), tapes: Lru::new(TAPES_KEPT), ways: Lru::new(WAYS_KEPT) }
    }

    /// Paints. Events go out as they happen; the picture is the result.
    pub(crate) fn paint(&mut self, run: &Run<'_>) -> Result<Finished> {
        let b = self.setup.backend.with_cancel(run.cancel.clone());
        let mut watch = Watch { clock: Instant::now(), timings: Timings::default() };
        let (way, model) = self.walk(&b, run, u32::MAX, &mut watch)?;
        let Watch { clock, mut timings } = watch;

        let decoding = Instant::now();
        let [channels, height, width] = shape(run.request);
        let Way { x, outside, .. } = way;
        let latents = Arc::new(Latents { channels, height, width, data: x });
        let painted = model.vae.decode(&Device { backend: &b, cancel: &run.cancel }, &latents)?;
        let picture = Arc::new(match &outside {
            Some(outside) => outside.keep(&painted),
            None => painted,
        });
        timings.decode_secs = decoding.elapsed().as_secs_f64();
        timings.total_secs = clock.elapsed().as_secs_f64() - timings.load_secs;
        Ok(Finished { run: run.id, request: run.request.clone(), picture, latents, timings })
    }

    /// A run as far as step `until`, or its end where that comes first.
    fn walk(&mut self, b: &B, run: &Run<'_>, until: u32, watch: &mut Watch) -> Result<(Way, Loaded<'_, B>)> {
        let request = &**run.request;
        let info = self.models.info(&self.setup.catalog, &request.model)?;
        request.validate(&info)?;
        // What is followed comes first: it may want other LoRAs in the networks.
        let fork = request.fork.as_ref().map(|fork| self.follow(b, run, fork, Followed::Shown, watch)).transpose()?;
        let held = request.composition.as_ref().map(|it| self.follow(b, run, it, Followed::Hidden, watch));
        let held = held.transpose()?.map(|way| way.denoised).unwrap_or_default();

        let clock = Instant::now();
        let model = self.models.ready(&self.setup, b, run, info)?;
        watch.timings.load_secs += clock.elapsed().as_secs_f64();
        let clock = Instant::now();
        let conditions = model.set.conditions(b, model.base, request)?;
        watch.timings.text_secs += clock.elapsed().as_secs_f64();

        let key = TapeKey { noise: request.noise, seed: request.seed, shape: shape(request) };
        let tape = self.tapes.get_or_try_insert(key, || Ok::<_, RunError>(NoiseTape::new(key)))?;
        let mut way = match fork {
            Some(way) => way,
            None => start(&Device { backend: b, cancel: &run.cancel }, model.vae, model.base, request, tape)?,
        };
        let steps = way.sampler.timesteps().len() as u32;
        (run.emit)(Event::Started { run: run.id, steps, prompt: conditions.reading.clone() });
        let Loaded { base, set, vae } = model;
        Denoise { b, run, base, set, conditions: &conditions, held: &held, tape, watch }.go(&mut way, until)?;
        Ok((way, Loaded { base, set, vae }))
    }

    /// The way of the run that an anchor of `run` stands for, as far as it is followed.
    fn follow(&mut self, b: &B, run: &Run<'_>, anchor: &Anchor, as_: Followed, watch: &mut Watch) -> Result<Way> {
        let request = Arc::new(run.request.followed(anchor));
        let key = WayKey { request: Arc::clone(&request), steps: anchor.steps };
        if let Some(way) = self.ways.get(&key) {
            return Ok(way.clone());
        }
        let emit = |event: Event| {
            if as_.tells(&event) {
                (run.emit)(event);
            }
        };
        let followed = Run { id: run.id, request: &request, cancel: run.cancel.clone(), emit: &emit };
        let (way, _) = self.walk(b, &followed, anchor.steps, watch)?;
        self.ways.insert(key, way.clone());
        Ok(way)
    }
}

/// Of a request's latents: `[c, h, w]`.
pub(crate) fn shape(request: &Request) -> [usize; 3] {
    [4, request.size.height as usize / 8, request.size.width as usize / 8]
}

/// Where a run begins: with noise, or with a noised picture.
fn start<B: Backend>(
    device: &Device<'_, B>,
    vae: &mut Vae<B>,
    base: &Base,
    request: &Request,
    tape: &mut NoiseTape,
) -> Result<Way> {
    let strength = request.init.as_ref().map(|init| init.strength);
    let sampler = samplers::start(request.sampler, &base.schedule, request.steps, strength)?;
    let from_noise = |noise: &[f32]| noise.iter().map(|n| n * sampler.init_noise_sigma()).collect();
    let Some(init) = &request.init else {
        let x = from_noise(&tape.draw(0));
        return Ok(Way::new(sampler, x, 1));
    };
    let old = init_image::scaled(&init.picture, request.size);
    let pixels = init_image::planes(&old);
    let mut draws = 0;
    let mut draw = || {
        draws += 1;
        tape.draw(draws - 1)
    };
    let latents = vae.encode(device, &pixels, request.size, &mut draw)?;
    let noise = draw();
    let Some(mask) = &init.mask else {
        let x = sampler.add_noise(0, &latents, &noise)?;
        return Ok(Way::new(sampler, x, draws));
    };
    // With everything to be repainted diffusers starts from noise alone.
    let x = if init.strength < 1.0 { sampler.add_noise(0, &latents, &noise)? } else { from_noise(&noise) };
    // Where the encoder samples, it draws once more: for the picture without the masked part, which only networks with
    // 9 channels look at.
    let draws = if draws > 1 { draws + 1 } else { draws };
    let outside = Some(Arc::new(Outside::new(Region::new(mask, request.size), old, latents, noise)));
    Ok(Way { outside, ..Way::new(sampler, x, draws) })
}

#[cfg(test)]
mod tests;
