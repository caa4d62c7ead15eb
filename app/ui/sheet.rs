//! What stands on a sheet of pictures that are compared.

use crate::ports::{Sheet, SheetPanel};
use crate::top_bar::duration;
use fourstep_protocol::Finished;
use std::sync::Arc;

/// Pictures of one prompt and seed side by side.
pub(crate) fn side_by_side(runs: &[&Finished]) -> Option<Sheet> {
    let request = Arc::clone(&runs.first()?.request);
    let heading = format!("{} (seed {})", request.prompt, request.seed);
    let panels = runs.iter().map(|run| panel(run)).collect();
    Some(Sheet { heading, panels, request })
}

fn panel(run: &Finished) -> SheetPanel {
    let (request, timings) = (&run.request, &run.timings);
    let steps = timings.step_secs.len();
    let each = timings.step_secs.iter().sum::<f64>() / steps.max(1) as f64;
    let plural = if steps == 1 { "" } else { "s" };
    SheetPanel {
        picture: Arc::clone(&run.picture),
        title: format!("{}, {steps} step{plural}", request.sampler.label()),
        lines: vec![
            format!("{}, {} a step", duration(timings.total_secs), duration(each)),
            format!("guidance {:.1}", request.guidance_scale),
        ],
    }
}
