use crate::Moment;
use fourstep_protocol::{ModelInfo, ModelRef, Request, RunId};
use std::collections::VecDeque;

/// How fast it goes, as far as it is known. Seconds; loading a model is left out everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The last finished run, from asking to picture.
    pub last_run_secs: Option<f64>,
    /// From asking to the first preview on screen; median of the last few runs.
    pub first_preview_secs: Option<f64>,
    /// Pictures that would be finished in a second without pause, from the mean of the last few runs.
    pub pictures_per_sec: Option<f64>,
    /// One step; median of the last few.
    pub step_secs: Option<f64>,
}

/// Measures runs and foretells the next.
///
/// Forecasts are per [`Load`]. When the load changes on the same model, the old figures scaled by the amount of work
/// serve until there is one new measurement; a model never seen before has no forecast.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    load: Option<Load>,
    /// From asking to the first step's latents.
    first: Recent,
    /// Whole runs without decoding, divided by their steps.
    per_step: Recent,
    /// What decoding a pixel takes, by the autoencoder that was asked for.
    decoding: Vec<(Option<String>, Recent)>,
    prior_first: Option<f64>,
    prior_per_step: Option<f64>,
    runs: Recent,
    steps: Recent,
    previews: Recent,
    /// Runs whose first preview was not seen yet.
    unseen: VecDeque<(RunId, Moment)>,
    last_run: Option<f64>,
}

/// What decides how long a step takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Load {
    model: ModelRef,
    /// Pixels times passes a step: the time of a convolutional network is about proportional to it.
    work: f64,
}

impl Load {
    pub(crate) fn of(request: &Request, model: &ModelInfo) -> Self {
        let passes = if model.runs_unconditional(request.guidance_scale) { 2.0 } else { 1.0 };
        Self { model: request.model.clone(), work: pixels(request) * passes }
    }
}

impl Meter {
    /// A run of this load was sent.
    pub(crate) fn begin(&mut self, run: RunId, load: Load, now: Moment) {
        const KEPT: usize = 16;
        self.unseen.push_back((run, now));
        if self.unseen.len() > KEPT {
            self.unseen.pop_front();
        }
        if self.load.as_ref() == Some(&load) {
            return;
        }
        self.prior_first = self.first_secs(&load);
        self.prior_per_step = self.step_secs(&load);
        if self.load.as_ref().is_some_and(|known| known.model != load.model) {
            self.decoding.clear();
        }
        for recent in [&mut self.first, &mut self.per_step, &mut self.runs, &mut self.steps] {
            recent.0.clear();
        }
        self.load = Some(load);
    }

    /// Forecast: seconds from asking to the first step's latents.
    pub(crate) fn first_secs(&self, load: &Load) -> Option<f64> {
        Some(self.first.median().or(self.prior_first)? * self.ratio(load)?)
    }

    /// Forecast: seconds of a whole run. An autoencoder that was never used is taken to need no time.
    pub(crate) fn run_secs(&self, request: &Request, model: &ModelInfo) -> Option<f64> {
        let denoising = self.step_secs(&Load::of(request, model))? * f64::from(request.steps);
        Some(denoising + self.decode_secs(request.vae.as_ref()).unwrap_or(0.0) * pixels(request))
    }

    /// What this autoencoder was seen to need for a pixel.
    pub(crate) fn decode_secs(&self, vae: Option<&String>) -> Option<f64> {
        self.decoding.iter().find(|(known, _)| known.as_ref() == vae)?.1.median()
    }

    fn step_secs(&self, load: &Load) -> Option<f64> {
        Some(self.per_step.median().or(self.prior_per_step)? * self.ratio(load)?)
    }

    fn ratio(&self, load: &Load) -> Option<f64> {
        let known = self.load.as_ref().filter(|known| known.model == load.model)?;
        Some(load.work / known.work)
    }

    pub(crate) fn note_first(&mut self, secs: f64) {
        self.first.push(secs);
    }

    pub(crate) fn note_step(&mut self, secs: f64) {
        self.steps.push(secs);
    }

    /// A run of so many steps took so long, decoding the picture among it. One that starts from a picture takes fewer steps
    /// than its request says.
    pub(crate) fn note_run(&mut self, secs: f64, decode_secs: f64, request: &Request, steps: u32) {
        self.last_run = Some(secs);
        self.runs.push(secs);
        self.per_step.push((secs - decode_secs).max(0.0) / f64::from(steps.max(1)));
        let per_pixel = decode_secs / pixels(request).max(1.0);
        match self.decoding.iter_mut().find(|(known, _)| *known == request.vae) {
            Some((_, recent)) => recent.push(per_pixel),
            None => self.decoding.push((request.vae.clone(), Recent(VecDeque::from([per_pixel])))),
        }
    }

    /// A preview of this run became visible; only the first counts.
    pub(crate) fn note_preview(&mut self, run: RunId, now: Moment) {
        if let Some(i) = self.unseen.iter().position(|(unseen, _)| *unseen == run)
            && let Some((_, sent)) = self.unseen.remove(i)
        {
            self.previews.push(now.since(sent));
        }
    }

    /// Something was loaded for this run: its first preview says nothing about the next.
    pub(crate) fn leave_out(&mut self, run: RunId) {
        self.unseen.retain(|(unseen, _)| *unseen != run);
    }

    pub(crate) fn metrics(&self) -> Metrics {
        Metrics {
            last_run_secs: self.last_run,
            first_preview_secs: self.previews.median(),
            pictures_per_sec: self.runs.mean().filter(|secs| *secs > 0.0).map(f64::recip),
            step_secs: self.steps.median(),
        }
    }
}

fn pixels(request: &Request) -> f64 {
    f64::from(request.size.width) * f64::from(request.size.height)
}

/// The last few measurements of one thing.
#[derive(Debug, Default)]
struct Recent(VecDeque<f64>);

impl Recent {
    const KEPT: usize = 5;

    fn push(&mut self, secs: f64) {
        self.0.push_back(secs);
        if self.0.len() > Self::KEPT {
            self.0.pop_front();
        }
    }

    /// The lower median, so that one slow first run does not make a fast model look slow for long.
    fn median(&self) -> Option<f64> {
        let mut sorted: Vec<f64> = self.0.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }

    fn mean(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().sum::<f64>() / self.0.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, Settings};
    use fourstep_protocol::Size;

    fn load(work: f64) -> Load {
        Load { model: ModelRef::new("m"), work }
    }

    /// So many steps of `model` at a size of so many rows of 64 px.
    fn request(model: &str, rows: u32, steps: u32) -> Request {
        Request {
            model: ModelRef::new(model),
            size: Size::new(64, rows),
            steps,
            guidance_scale: 1.0,
            ..Settings::sample(&[]).request
        }
    }

    #[test]
    fn a_forecast_is_the_median_and_follows_the_work() {
        let mut m = Meter::default();
        let model = Session::new(Vec::new(), Settings::sample(&[])).model().clone();
        let (small, large) = (request("m", 64, 4), request("m", 256, 4));
        let secs = |m: &Meter, request: &Request| m.run_secs(request, &model).map(|secs| (secs * 1e6).round() / 1e6);
        assert_eq!(secs(&m, &small), None);
        m.begin(RunId(1), Load::of(&small, &model), Moment(0.0));
        for whole in [8.0, 0.5, 0.5] {
            m.note_run(whole, 0.1, &small, 4);
        }
        assert_eq!(secs(&m, &small), Some(0.5));
        assert_eq!(secs(&m, &Request { steps: 8, ..large.clone() }), Some(3.6));
        let tiny = Request { vae: Some("tiny".into()), ..small };
        assert_eq!(secs(&m, &tiny), Some(0.4), "never used, it is taken to need no time");
        m.note_run(0.42, 0.02, &tiny, 4);
        assert_eq!(secs(&m, &tiny), Some(0.42));
        m.begin(RunId(2), Load::of(&large, &model), Moment(1.0));
        assert_eq!(secs(&m, &large), Some(2.0));
        m.note_run(1.4, 0.4, &large, 4);
        assert_eq!(secs(&m, &large), Some(1.4));
        assert_eq!(secs(&m, &request("other", 64, 4)), None);
    }

    #[test]
    fn only_the_first_preview_of_a_run_counts() {
        let mut m = Meter::default();
        m.begin(RunId(1), load(1.0), Moment(0.0));
        m.note_preview(RunId(1), Moment(0.25));
        m.note_preview(RunId(1), Moment(0.75));
        m.note_preview(RunId(7), Moment(0.75));
        assert_eq!(m.metrics().first_preview_secs, Some(0.25));
        m.begin(RunId(2), load(1.0), Moment(1.0));
        m.leave_out(RunId(2));
        m.note_preview(RunId(2), Moment(9.0));
        assert_eq!(m.metrics().first_preview_secs, Some(0.25));
    }
}
