use super::Customer;
use crate::Session;
use fourstep_canvas::{Upscale, UpscaleOptions};
use fourstep_protocol::{Event, Failure, Finished, Picture, Request};
use std::sync::Arc;

/// A picture that is painted larger, tile by tile, whenever nothing else is wanted.
#[derive(Debug, Default)]
pub(crate) struct Upscaling {
    job: Option<Job>,
    outcome: Option<Result<Box<Finished>, Failure>>,
}

#[derive(Debug)]
struct Job {
    upscale: Upscale,
    /// What is being enlarged.
    source: Box<Finished>,
    tile: Request,
    /// 0 … 1 of the tile.
    fraction: f32,
    /// Over the tiles so far.
    tile_secs: f64,
}

/// How far the larger picture is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpscaleState {
    /// Tiles painted.
    pub done: usize,
    /// Of so many.
    pub tiles: usize,
    /// 0 … 1.
    pub fraction: f32,
    /// At the present rate; `None` before the first tile is there.
    pub secs_left: Option<f64>,
}

impl Customer for Upscaling {
    fn follow(&mut self, _: &Session) {}

    fn next(&self, _: &Session) -> Option<Request> {
        self.job.as_ref().map(|job| job.tile.clone())
    }

    fn receive(&mut self, asked: &Request, event: Event) {
        let Some(job) = self.job.as_mut().filter(|job| job.tile == *asked) else { return };
        match event {
            Event::Step { step, steps, .. } => job.fraction = step as f32 / steps.max(1) as f32,
            Event::Stopped { .. } => job.fraction = 0.0,
            Event::Failed { failure, .. } => {
                self.job = None;
                self.outcome = Some(Err(failure));
            }
            Event::Finished(finished) => self.take(&finished),
            _ => {}
        }
    }
}

impl Upscaling {
    /// Whether there is something to do.
    pub(crate) fn is_active(&self) -> bool {
        self.job.is_some()
    }

    fn take(&mut self, finished: &Finished) {
        let Some(mut job) = self.job.take() else { return };
        let done = job.upscale.done() as f64;
        job.tile_secs = (job.tile_secs * done + finished.timings.total_secs) / (done + 1.0);
        job.upscale.accept(&finished.picture);
        job.fraction = 0.0;
        match job.upscale.next() {
            Some(tile) => self.job = Some(Job { tile, ..job }),
            None => {
                let picture: Arc<Picture> = Arc::new(job.upscale.picture());
                self.outcome = Some(Ok(Box::new(Finished { picture, ..*job.source })));
            }
        }
    }
}

impl Session {
    /// Begins to paint the picture on the stage twice as wide and high.
    pub(crate) fn begin_upscale(&mut self) {
        let Some(source) = self.shown.as_ref().map(|shown| shown.finished.clone()) else { return };
        let model = self.models.iter().find(|info| info.model == source.request.model).unwrap_or(&self.model);
        let options = UpscaleOptions { scale: 2.0, strength: UpscaleOptions::STRENGTH, tile: model.native_size };
        // Its first steps are its own, wherever the picture's came from.
        let request = Request { fork: None, composition: None, ..(*source.request).clone() };
        let begun = Upscale::new(&source.picture, request, options).map_err(|e| e.to_string());
        let begun = begun.and_then(|upscale| {
            let tile = upscale.next().ok_or("there is nothing to paint")?;
            tile.validate(model).map_err(|e| e.to_string())?;
            Ok(Job { upscale, source, tile, fraction: 0.0, tile_secs: 0.0 })
        });
        self.idle.upscaling.outcome = None;
        match begun {
            Ok(job) => self.idle.upscaling.job = Some(job),
            Err(why) => {
                let what = "The picture cannot be painted larger";
                let failure = Failure::input(what, why, "Choose another size or model.");
                self.idle.upscaling.outcome = Some(Err(failure));
            }
        }
    }

    /// Leaves the larger picture as it is.
    pub(crate) fn cancel_upscale(&mut self) {
        self.idle.upscaling.job = None;
    }

    /// How far the larger picture is; `None` where none is being painted.
    pub fn upscaling(&self) -> Option<UpscaleState> {
        let job = self.idle.upscaling.job.as_ref()?;
        let (done, tiles) = (job.upscale.done(), job.upscale.tiles());
        let painted = done as f64 + f64::from(job.fraction);
        let secs_left = (done > 0).then_some((tiles as f64 - painted) * job.tile_secs);
        Some(UpscaleState { done, tiles, fraction: (painted / tiles.max(1) as f64) as f32, secs_left })
    }

    /// The larger picture, with the settings of the smaller one, or why there is none; once.
    pub fn take_upscaled(&mut self) -> Option<Result<Box<Finished>, Failure>> {
        self.idle.upscaling.outcome.take()
    }
}
