//! How far a run has come, so that others can go on from there.

use crate::{mask::Outside, samplers::SamplerRun};
use fourstep_protocol::{Event, Latents, Request};
use std::sync::Arc;

/// A run after some of its steps.
pub(crate) struct Way {
    pub(crate) sampler: Box<dyn SamplerRun>,
    /// Noisy latents for the next step; after the last one, the finished latents.
    pub(crate) x: Vec<f32>,
    /// Draws of noise so far.
    pub(crate) draws: usize,
    /// What the picture was taken to be at each step done.
    pub(crate) denoised: Vec<Arc<Latents>>,
    /// Where only a part is painted, what the rest is held to.
    pub(crate) outside: Option<Arc<Outside>>,
}

impl Way {
    /// A run before its first step.
    pub(crate) fn new(sampler: Box<dyn SamplerRun>, x: Vec<f32>, draws: usize) -> Self {
        Self { sampler, x, draws, denoised: Vec::new(), outside: None }
    }

    /// Steps done.
    pub(crate) fn steps(&self) -> usize {
        self.denoised.len()
    }
}

impl Clone for Way {
    fn clone(&self) -> Self {
        let Self { sampler, x, draws, denoised, outside } = self;
        let (denoised, outside) = (denoised.clone(), outside.clone());
        Self { sampler: sampler.boxed(), x: x.clone(), draws: *draws, denoised, outside }
    }
}

/// Names a way that is kept.
#[derive(Clone, PartialEq)]
pub(crate) struct WayKey {
    pub(crate) request: Arc<Request>,
    pub(crate) steps: u32,
}

/// How a run that another follows is told.
#[derive(Clone, Copy)]
pub(crate) enum Followed {
    /// Its steps are the first ones of the picture.
    Shown,
    /// It is another picture.
    Hidden,
}

impl Followed {
    /// What it has to tell: what its LoRAs and its prompt are like is not what was asked for.
    pub(crate) fn tells(self, event: &Event) -> bool {
        match event {
            Event::Loading { .. } => true,
            Event::Step { .. } => matches!(self, Self::Shown),
            _ => false,
        }
    }
}
