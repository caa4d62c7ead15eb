/// Decides how much of a preview is worth its time, from measured times; it reads no clock itself.
///
/// A preview may take a tenth of the mean step, so that all previews together take at most a tenth of a run. It may
/// always take [`FREE_SECS`](Self::FREE_SECS): with small models a tenth of a step is less than anybody notices, and
/// what counts there is that the first preview comes at once, is sharp, and stays so: previews that change between
/// full and half size look restless. With steps shorter than ten times that, previews may cost more than their share
/// of a run. What does not fit at full size is decoded from latents of half the size (a quarter of the cost), then of
/// a quarter of the size, then not at all.
///
/// Before anything is measured, a model with slow steps starts at half size: its decoder will be slow too.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// Exponential mean of a step, in seconds.
    step_secs: Option<f64>,
    /// Exponential mean of decoding one latent position, in seconds.
    decode_secs: Option<f64>,
}

/// How a preview is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The tiny decoder on all latents.
    Full,
    /// The tiny decoder on latents of half the width and height.
    Half,
    /// The tiny decoder on latents of a quarter of the width and height.
    Quarter,
    /// No preview of this step.
    Skip,
}

impl Budget {
    /// The part of a step that a preview may take.
    pub const SHARE: f64 = 0.10;
    /// What a preview may take however short a step is, in seconds.
    pub const FREE_SECS: f64 = 0.025;
    /// Weight of a new measurement in a mean.
    const NEW: f64 = 0.3;
    /// How much a cost that is not measured any more sinks with each step, so that one slow measurement (another
    /// program was busy) does not rule for ever: a decoder ten times too slow is tried again after 76 steps.
    const FORGET: f64 = 0.97;

    /// What to do with a step's latents of `positions` = height · width, after a step of `step_secs`.
    pub fn plan(&mut self, positions: usize, step_secs: f64) -> Plan {
        let step_secs = mean(&mut self.step_secs, step_secs);
        let allowed_secs = (step_secs * Self::SHARE).max(Self::FREE_SECS);
        let positions = positions as f64;
        let Some(decode_secs) = self.decode_secs.map(|s| s * positions) else {
            return if allowed_secs > Self::FREE_SECS { Plan::Half } else { Plan::Full };
        };
        for (plan, cost) in [(Plan::Full, 1.0), (Plan::Half, 4.0), (Plan::Quarter, 16.0)] {
            if decode_secs / cost <= allowed_secs {
                return plan;
            }
        }
        self.decode_secs = self.decode_secs.map(|s| s * Self::FORGET);
        Plan::Skip
    }

    /// Learns what a plan cost: `positions` are those of the step's latents, whatever the plan made of them.
    pub fn record(&mut self, plan: Plan, positions: usize, secs: f64) {
        let cost = match plan {
            Plan::Full => 1.0,
            Plan::Half => 4.0,
            Plan::Quarter => 16.0,
            Plan::Skip => return,
        };
        mean(&mut self.decode_secs, secs * cost / positions.max(1) as f64);
    }
}

fn mean(mean: &mut Option<f64>, new: f64) -> f64 {
    let updated = mean.map_or(new, |old| old + Budget::NEW * (new - old));
    *mean = Some(updated);
    updated
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `steps` steps of `step_secs` with a decoder of `full_secs`: the plans, and the share of time they took.
    fn run(steps: usize, step_secs: f64, full_secs: f64) -> (Vec<Plan>, f64) {
        let (mut budget, mut spent) = (Budget::default(), 0.0);
        let plans = (0..steps).map(|_| {
            let plan = budget.plan(4096, step_secs);
            let secs = match plan {
                Plan::Full => full_secs,
                Plan::Half => full_secs / 4.0,
                Plan::Quarter => full_secs / 16.0,
                Plan::Skip => 0.0,
            };
            budget.record(plan, 4096, secs);
            spent += secs;
            plan
        });
        let plans = plans.collect();
        (plans, spent / (steps as f64 * step_secs))
    }

    #[test]
    fn small_models_are_always_shown_in_full() {
        let (plans, _) = run(50, 0.02, 0.004);
        assert!(plans.iter().all(|p| *p == Plan::Full));
        assert_eq!(run(3, 0.02, 0.0249).0, [Plan::Full; 3]);
    }

    #[test]
    fn a_fast_decoder_goes_to_full_once_it_is_known() {
        let (plans, share) = run(20, 2.0, 0.15);
        assert_eq!(plans[0], Plan::Half);
        assert!(plans[1..].iter().all(|p| *p == Plan::Full), "{plans:?}");
        assert!(share <= 0.10);
    }

    #[test]
    fn a_slower_decoder_stays_at_half() {
        let (plans, share) = run(20, 2.0, 0.6);
        assert!(plans.iter().all(|p| *p == Plan::Half), "{plans:?}");
        assert!(share <= 0.10);
    }

    #[test]
    fn a_hopeless_decoder_is_tried_rarely_and_costs_less_than_its_share() {
        let (plans, share) = run(1000, 0.2, 0.8);
        assert!(plans.iter().skip(1).filter(|p| **p == Plan::Skip).count() > 800);
        assert!(plans.iter().skip(1).any(|p| *p == Plan::Quarter), "it is tried again");
        assert!(share <= 0.10, "{share}");
    }

    #[test]
    fn cost_follows_the_size() {
        let mut budget = Budget::default();
        budget.record(Plan::Full, 256, 0.01);
        assert_eq!(budget.plan(256, 0.05), Plan::Full);
        assert_eq!(budget.plan(1024, 0.05), Plan::Half);
        assert_eq!(budget.plan(4096, 0.05), Plan::Quarter);
        assert_eq!(budget.plan(16384, 0.05), Plan::Skip);
        assert_eq!(budget.plan(256, 0.05), Plan::Full, "and back");
    }
}
