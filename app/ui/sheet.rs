//! What stands on a sheet of pictures that are compared.

use crate::ports::{GridSheet, Sheet, SheetPanel};
use crate::top_bar::duration;
use fourstep_protocol::Finished;
use fourstep_session::{Cell, CellState, Session};
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

/// The grid that is looked at; `None` where nothing of it is painted.
///
/// Not in the person's language: the page's letters are Latin ones, and a table is for other programs.
pub(crate) fn grid(session: &Session) -> Option<GridSheet> {
    let grid = session.grid();
    let picture = |cell: &Cell| match &cell.state {
        CellState::Finished { picture, .. } => Some(Arc::clone(picture)),
        _ => None,
    };
    let request = grid.cells().iter().find(|cell| picture(cell).is_some())?.request.clone();
    let [columns, rows] = grid.labels().map(|labels| labels.into_iter().map(str::to_owned).collect::<Vec<_>>());
    Some(GridSheet {
        heading: request.prompt.clone(),
        cells: grid.cells().iter().map(picture).collect(),
        times: times(&columns, &rows, grid.cells()),
        columns,
        rows,
        request: Arc::new(request),
    })
}

fn times(columns: &[String], rows: &[String], cells: &[Cell]) -> String {
    let mut table = String::from(
        "column,row,state,model,sampler,steps,guidance,seed,prompt,total_secs,load_secs,text_secs,step_secs,decode_secs\n",
    );
    for (index, cell) in cells.iter().enumerate() {
        let (x, y) = (index % columns.len().max(1), index / columns.len().max(1));
        let label = |labels: &[String], at: usize| quoted(labels.get(at).map_or("", String::as_str));
        let r = &cell.request;
        let (state, secs) = match &cell.state {
            CellState::Finished { timings: t, .. } => {
                let each = t.step_secs.iter().sum::<f64>() / t.step_secs.len().max(1) as f64;
                let secs = [t.total_secs, t.load_secs, t.text_secs, each, t.decode_secs];
                ("finished", secs.map(|secs| format!("{secs:.4}")).join(","))
            }
            CellState::Failed(_) => ("failed", ",,,,".to_owned()),
            CellState::Impossible(_) => ("impossible", ",,,,".to_owned()),
            CellState::Waiting | CellState::Painting(_) => ("waiting", ",,,,".to_owned()),
        };
        let (model, sampler, prompt) = (quoted(r.model.as_str()), r.sampler.id(), quoted(&r.prompt));
        table.push_str(&format!(
            "{},{},{state},{model},{sampler},{},{},{},{prompt},{secs}\n",
            label(columns, x),
            label(rows, y),
            r.steps,
            r.guidance_scale,
            r.seed,
        ));
    }
    table
}

/// A field of a table, as RFC 4180 has it.
fn quoted(text: &str) -> String {
    let plain = !text.contains(['"', ',', '\n', '\r']);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn fields_with_commas_are_quoted() {
        assert_eq!(quoted("a cat"), "a cat");
        assert_eq!(quoted("a \"red\", fat cat"), "\"a \"\"red\"\", fat cat\"");
    }
}
