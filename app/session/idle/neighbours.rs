//! A 3×3 grid around the picture on the stage.

use super::{
    Customer,
    axis::{Axis, AxisKind, AxisSpec},
    grid::Grid,
};
use crate::{Session, Tab};
use fourstep_protocol::{Event, Guidance, LoraRef, Request};

/// Follows the picture: what was painted for the last one and is still a neighbour stays.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// What the rows vary while it is looked at.
    pub(super) rows: Option<AxisKind>,
    around: Option<Request>,
    pub(crate) grid: Grid,
}

impl Customer for Neighbours {
    fn follow(&mut self, session: &Session) {
        let Some(rows) = &self.rows else { return };
        let Some(shown) = session.shown.as_ref().filter(|_| session.stale_since.is_none()) else { return };
        let base = session.request();
        let same_rows = self.grid.kinds().is_some_and(|kinds| kinds[1] == rows);
        if self.around.as_ref() == Some(base) && same_rows {
            return;
        }
        let axes = [session.around(&AxisKind::Seed), session.around(rows)];
        if let [Some(columns), Some(rows)] = axes {
            self.grid = Grid::new(base, [columns, rows], session, std::mem::take(&mut self.grid));
            self.around = Some(base.clone());
            let finished = &shown.finished;
            self.grid.fill_in(&session.spoken_of(base), &finished.picture, &finished.timings);
        }
    }

    fn next(&self, session: &Session) -> Option<Request> {
        let open = self.rows.is_some() && session.settings.ui.tab == Tab::Grid && session.stale_since.is_none();
        self.grid.next(session).filter(|_| open)
    }

    fn keeps(&self, asked: &Request, session: &Session) -> bool {
        self.rows.is_some() && self.grid.keeps(asked, session)
    }

    fn receive(&mut self, asked: &Request, event: Event) {
        self.grid.receive(asked, event);
    }
}

impl Session {
    /// What the rows of a neighbourhood can vary.
    pub fn neighbour_kinds(&self) -> Vec<AxisKind> {
        let numbers = |kind: &AxisKind| matches!(kind, AxisKind::Steps | AxisKind::Guidance | AxisKind::Lora(_));
        let mut kinds: Vec<AxisKind> = self.axis_kinds().into_iter().filter(numbers).collect();
        // What makes most sense comes first: guidance where there is any, then the weight of a LoRA.
        kinds.sort_by_key(|kind| match kind {
            AxisKind::Guidance => 0,
            AxisKind::Lora(_) => 1,
            _ => 2,
        });
        kinds
    }

    /// Three values around the current one, moved to where there are such.
    fn around(&self, kind: &AxisKind) -> Option<Axis> {
        let request = &self.settings.request;
        let text = match kind {
            AxisKind::Seed => {
                let from = request.seed.saturating_sub(1).min(u64::MAX - 2);
                [from, from + 1, from + 2].map(|seed| seed.to_string()).join(", ")
            }
            AxisKind::Steps => {
                let range = self.model.steps_range(request.sampler);
                let from = request.steps.saturating_sub(1).clamp(*range.start(), range.end().saturating_sub(2));
                [from, from + 1, from + 2].map(|steps| steps.to_string()).join(", ")
            }
            AxisKind::Guidance => {
                let range = self.model.guidance_range(request.sampler);
                let embedded = matches!(self.model.guidance, Guidance::Embedded { .. });
                let step = if embedded || *range.end() > 4.0 { 1.0 } else { 0.25 };
                three(request.guidance_scale, step, *range.start(), *range.end())
            }
            AxisKind::Lora(source) => {
                let weight = request.loras.iter().find(|lora| lora.source == *source)?.weight;
                three(weight, 0.25, *LoraRef::WEIGHTS.start(), *LoraRef::WEIGHTS.end())
            }
            AxisKind::Nothing | AxisKind::Words | AxisKind::Sampler | AxisKind::Model => return None,
        };
        Axis::read(&AxisSpec { kind: kind.clone(), text }, self).ok()
    }
}

fn three(value: f32, step: f32, least: f32, most: f32) -> String {
    let first = (value - step).min(most - 2.0 * step).max(least);
    // The value itself is one of them, wherever it lies.
    let shown = if value - first < step / 2.0 {
        [value, value + step, value + 2.0 * step]
    } else {
        [first, first + step, first + 2.0 * step]
    };
    shown
        .map(|v| if (v - value).abs() < step / 2.0 { value } else { (v * 1e4).round() / 1e4 })
        .map(|v| v.to_string())
        .join(", ")
}
