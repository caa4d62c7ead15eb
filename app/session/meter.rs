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
    /// Whole runs, divided by their steps.
    per_step: Recent,
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
        let work = f64::from(request.size.width) * f64::from(request.size.height) * passes;
        Self { model: request.model.clone(), work }
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
        self.prior_per_step = self.run_secs(&load, 1);
        for recent in [&mut self.first, &mut self.per_step, &mut self.runs, &mut self.steps] {
            recent.0.clear();
        }
        self.load = Some(load);
    }

    /// Forecast: seconds from asking to the first step's latents.
    pub(crate) fn first_secs(&self, load: &Load) -> Option<f64> {
        Some(self.first.median().or(self.prior_first)? * self.ratio(load)?)
    }

    /// Forecast: seconds of a whole run.
    pub(crate) fn run_secs(&self, load: &Load, steps: u32) -> Option<f64> {
        Some(self.per_step.median().or(self.prior_per_step)? * self.ratio(load)? * f64::from(steps))
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

    pub(crate) fn note_run(&mut self, secs: f64, steps: u32) {
        self.last_run = Some(secs);
        self.runs.push(secs);
        self.per_step.push(secs / f64::from(steps.max(1)));
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

    fn load(work: f64) -> Load {
        Load { model: ModelRef::new("m"), work }
    }

    #[test]
    fn a_forecast_is_the_median_and_follows_the_work() {
        let mut m = Meter::default();
        assert_eq!(m.run_secs(&load(1.0), 4), None);
        m.begin(RunId(1), load(1.0), Moment(0.0));
        for secs in [8.0, 0.4, 0.4] {
            m.note_run(secs, 4);
        }
        assert_eq!(m.run_secs(&load(1.0), 4), Some(0.4));
        assert_eq!(m.run_secs(&load(4.0), 8), Some(3.2));
        m.begin(RunId(2), load(4.0), Moment(1.0));
        assert_eq!(m.run_secs(&load(4.0), 4), Some(1.6));
        m.note_run(1.0, 4);
        assert_eq!(m.run_secs(&load(4.0), 4), Some(1.0));
        let other = Load { model: ModelRef::new("other"), work: 1.0 };
        assert_eq!(m.run_secs(&other, 4), None);
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
