//! The steps of a run.

use crate::{
    base::Base,
    composition,
    fault::{Result, not_a_number},
    network_set::{Conditions, NetworkSet, PromptKey},
    noise_tape::NoiseTape,
    pipeline::{Run, shape},
    text::Prompt,
    way::Way,
};
use fourstep_compute::Backend;
use fourstep_protocol::{Event, Latents, Timings};
use std::{sync::Arc, time::Instant};

/// What goes from step to step.
pub(crate) struct Denoise<'a, B: Backend> {
    pub(crate) b: &'a B,
    pub(crate) run: &'a Run<'a>,
    pub(crate) base: &'a Base,
    pub(crate) set: &'a mut NetworkSet<B>,
    pub(crate) conditions: &'a Conditions<B>,
    /// Whose compositions the first steps are held to.
    pub(crate) held: &'a [Arc<Latents>],
    pub(crate) tape: &'a mut NoiseTape,
    pub(crate) watch: &'a mut Watch,
}

/// When a run was picked up, and where its time went.
pub(crate) struct Watch {
    pub(crate) clock: Instant,
    pub(crate) timings: Timings,
}

impl<B: Backend> Denoise<'_, B> {
    /// Goes on to step `until`, or to the end where that comes first.
    pub(crate) fn go(mut self, way: &mut Way, until: u32) -> Result<()> {
        let steps = way.sampler.timesteps().len();
        for i in way.steps()..steps.min(until as usize) {
            let clock = Instant::now();
            let denoised = self.step(way, i)?;
            self.watch.timings.step_secs.push(clock.elapsed().as_secs_f64());
            (self.run.emit)(Event::Step {
                run: self.run.id,
                step: i as u32 + 1,
                steps: steps as u32,
                denoised,
                elapsed_secs: self.watch.clock.elapsed().as_secs_f64(),
            });
        }
        Ok(())
    }

    /// One step; what the picture is taken to be after it.
    fn step(&mut self, way: &mut Way, i: usize) -> Result<Arc<Latents>> {
        let seen = way.sampler.scale_model_input(i, &way.x);
        let timestep = way.sampler.timesteps()[i];
        let mut output = self.predict(&seen, timestep)?;
        if let Some(held) = self.held.get(i) {
            let (prediction, level) = way.sampler.prediction(i);
            let mut denoised = prediction.denoised(level, &seen, &output);
            composition::hold(&mut denoised, &held.data, shape(self.run.request));
            output = prediction.output(level, &seen, &denoised);
        }
        let (tape, draws) = (&mut *self.tape, &mut way.draws);
        let mut fresh_noise = |_| {
            *draws += 1;
            tape.draw(*draws - 1).to_vec()
        };
        let mut step = way.sampler.step(i, &way.x, &output, &mut fresh_noise)?;
        if let Some(outside) = &way.outside {
            outside.blend_next(&*way.sampler, i, &mut step.next)?;
            outside.blend_denoised(&mut step.denoised);
        }
        let [channels, height, width] = shape(self.run.request);
        let denoised = Latents { channels, height, width, data: step.denoised };
        if !denoised.is_finite() {
            return Err(not_a_number("latents"));
        }
        let denoised = Arc::new(denoised);
        way.denoised.push(Arc::clone(&denoised));
        way.x = step.next;
        Ok(denoised)
    }

    /// The network's output for one step, guided where the unconditional pass runs.
    fn predict(&mut self, x: &[f32], timestep: f32) -> Result<Vec<f32>> {
        let [c, h, w] = shape(self.run.request);
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
}
